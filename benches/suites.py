#!/usr/bin/env python3
"""`phrases check` and `phrases import` on suites of 50,000 phrases: wall time and peak memory, medians.

Usage: benches/suites.py [RUNS]    (default 3; builds what it needs, writes nothing but a temporary folder)

Two kinds of made-up phrases: words drawn from the shipped suite, as natural text has them, and out of 100 words, where
nearly every two phrases share grams: the worst case of the search for near-duplicates.
"""

import csv
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

from whole_run import ROOT, build

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
COUNT = 50_000


def vocabulary():
    """The words of the shipped suite as often as they occur, and the same words once each."""
    text = " ".join(path.read_text() for path in sorted(ROOT.glob("phrases/comprehensive/*.yaml")))
    words = re.findall(r"[a-z']{2,}", " ".join(re.findall(r"text: (.*)", text)).lower())
    return words, sorted(set(words))


def phrases(words, seed):
    draw = random.Random(seed)
    return [" ".join(draw.choice(words) for _ in range(draw.randint(5, 14))) for _ in range(COUNT)]


def suite(path, texts):
    """A suite that is well but for its near-duplicates: both sides, a target, distinct ids."""
    half = len(texts) // 2
    for name, expected, part in [("up", "high", texts[:half]), ("down", "none", texts[half:])]:
        lines = [f"category: {name}", f"expected: [{expected}]", "phrases:"]
        lines += [f'  - {{id: "{name}-{i}", text: "{text} {i}"}}' for i, text in enumerate(part)]
        path.mkdir(exist_ok=True)
        (path / f"{name}.yaml").write_text("\n".join(lines))
    return path


def once(command):
    """Wall time in seconds and peak resident memory in MiB."""
    begun, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        except OSError:
            pass
        time.sleep(0.002)
    if process.returncode not in (0, 2):
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - begun, peak / 1024


def main():
    thrash, _ = build()
    often, distinct = vocabulary()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        table = folder / "rows.csv"
        with table.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([text, draw] for text, draw in zip(phrases(often, 3), ["none", "high"] * (COUNT // 2)))
        measured = {
            "phrases check, the shipped suite": [thrash, "phrases", "check"],
            "phrases check, 50,000 of natural words": [thrash, "phrases", "check", suite(folder / "natural", phrases(often, 1))],
            "phrases check, 50,000 out of 100 words": [
                thrash, "phrases", "check", suite(folder / "worst", phrases(random.Random(0).sample(distinct, 100), 2))
            ],
            "phrases import, 50,000 CSV rows": [
                thrash, "phrases", "import", table, "--text-column", "text", "--label-column", "label", "--out", folder / "imported"
            ],
        }
        figures = {name: [] for name in measured}
        for run in range(RUNS):
            for name, command in measured.items():
                command = [str(part) for part in command]
                if "import" in command:
                    command[-1] += str(run)
                figures[name].append(once(command))
        print(f"{'':45}{'wall':>9}{'memory':>11}")
        for name, taken in figures.items():
            wall, memory = (statistics.median(column) for column in zip(*taken))
            print(f"{name:45}{wall:>7.2f} s{memory:>7.1f} MiB")


if __name__ == "__main__":
    main()
