#!/usr/bin/env python3
"""Whether the reference is in the target's way: the target's latency with and without one, turn by turn.

Usage: benches/beside.py [MODEL] [ROUNDS]    (default: the built-in model alone, 9 rounds)

A stub on loopback answers each of 2,000 phrases after 20 ms, ten at once, and shares the machine with everything. The
order of the turns changes from round to round, and ratios are taken within a round.
"""

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

from whole_run import build, suite

PHRASES = 2000
# Of the phrases, at least this share has to have an opinion: less was no work beside the target.
LEAST = 0.05


def main():
    arguments = sys.argv[1:]
    rounds = int(arguments.pop()) if arguments and arguments[-1].isdigit() else 9
    ways = {"without": ["--no-reference"], "built-in": ["--reference", "builtin"]}
    if arguments:
        ways[arguments[0]] = ["--reference", arguments[0]]
    thrash, stub = build()
    seen = {name: [] for name in ways}
    order = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        phrases = suite(folder, PHRASES)
        # What it has not answered when the target has is not waited for: it was at work all the time.
        (folder / "thrash.yaml").write_text("reference: {wait: 1s}\n")
        environment = {**os.environ, "THRASH_DATA": str(folder / "data"), "THRASH_CONFIG": str(folder / "thrash.yaml")}
        target = subprocess.Popen([stub, "--delay-ms", "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url = target.stdout.readline().strip()
        for _ in range(rounds):
            names = list(ways)
            order.shuffle(names)
            for way in names:
                out = folder / "run.json"
                command = [thrash, "run", phrases, "--url", url, "--database-url", "none", "--json", out, "--quiet", *ways[way]]
                subprocess.run(list(map(str, command)), env=environment, stderr=subprocess.DEVNULL)
                record = json.loads(out.read_text())
                answered = record.get("reference", {}).get("answered")
                # It counts only if it really worked.
                if way != "without" and not answered:
                    raise SystemExit(f"the reference `{way}` gave no opinion: {record.get('reference')}")
                if answered and answered["comparison"]["compared"] < LEAST * PHRASES:
                    raise SystemExit(f"the reference `{way}` gave {answered['comparison']['compared']} opinions on {PHRASES} phrases: too few")
                latency = record["latency"]
                seen[way].append({
                    "p50": latency["p50_ms"], "p99": latency["p99_ms"], "max": latency["max_ms"],
                    "run": record["duration_ms"] / 1e3, "reference": answered["comparison"]["compared"] if answered else 0,
                })
                out.unlink()
        target.stdin.close()
        target.wait()
    print(f"{PHRASES} phrases, 20 ms stub, 10 at once, {rounds} rounds, medians; each with opinions on {LEAST:.0%} of the phrases or more\n")
    print(f"{'':<28}{'p50':>10}{'p99':>10}{'max':>10}{'run':>9}{'opinions':>11}")
    for way in ways:
        row = [statistics.median(one[key] for one in seen[way]) for key in ("p50", "p99", "max", "run", "reference")]
        print(f"{way[-26:]:<28}{row[0]:>7.2f} ms{row[1]:>7.2f} ms{row[2]:>7.1f} ms{row[3]:>7.2f} s{row[4]:>11.0f}")
    print()
    # What two runs without a reference differ by is what nothing looks like.
    plain = [one["p99"] for one in seen["without"]]
    noise = sorted(max(a, b) / min(a, b) for a, b in zip(plain, plain[1:]))
    print(f"p99, one run without to the next: {statistics.median(noise):.3f} times (up to {noise[-1]:.3f})")
    for way in list(ways)[1:]:
        ratios = sorted(one["p99"] / other["p99"] for one, other in zip(seen[way], seen["without"]))
        print(f"p99, {way[-26:]} / without: {statistics.median(ratios):.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})")


if __name__ == "__main__":
    main()
