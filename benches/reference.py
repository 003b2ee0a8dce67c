#!/usr/bin/env python3
"""How fast the reference model is, beside Python's ONNX Runtime on the same model, texts and threads.

Usage: benches/reference.py MODEL [ROUNDS]    (default 5; needs onnxruntime, tokenizers and numpy in this Python)

MODEL is a folder with `model.onnx` and `tokenizer.json`, such as `benches/minilm.py` makes. The texts are those of the
comprehensive suite. Everything is measured turn by turn, each turn a process of its own, and ratios are medians of the
ratios of one round: two numbers from different minutes of a busy machine cannot be compared. With one thread they are of
phrases per second of computing time, which others on the machine change least; with two, of phrases per second, because
threads that wait for one another compute, too. The library is the one of this Python's package, so that both sides run
the same code.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH, SECONDS = 32, 2.0


def build():
    """Builds the program and the bench, and gives their paths."""
    paths = {}
    command = ["cargo", "build", "--release", "--bin", "thrash", "--bench", "reference", "--message-format=json"]
    for line in subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            paths[message["target"]["name"]] = message["executable"]
    return paths["thrash"], paths["reference"]


def texts(thrash, folder):
    """The suite's texts, one a line."""
    out = folder / "suite.jsonl"
    subprocess.run([thrash, "phrases", "export", "comprehensive", "--format", "jsonl", "--out", out], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = [" ".join(json.loads(line)["text"].split()) for line in out.read_text("utf-8").splitlines()]
    path = folder / "texts.txt"
    path.write_text("\n".join(lines), "utf-8")
    return path, len(lines)


def in_python(model, threads, file, device="cpu", batch=BATCH, order="bucketed"):
    """What somebody would write in Python: tokenise, sort by length, pad each batch, run, take the largest; or without sorting."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    lines = pathlib.Path(file).read_text("utf-8").split("\n")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[device]
    begun = time.perf_counter()
    session = onnxruntime.InferenceSession(pathlib.Path(model) / "model.onnx", options, providers=[provider])
    if session.get_providers()[0] != provider:
        raise SystemExit(f"{provider} cannot be used")
    tokenizer = Tokenizer.from_file(str(pathlib.Path(model) / "tokenizer.json"))
    tokenizer.no_padding()
    load = time.perf_counter() - begun
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    rates, levels = [], None
    start, busy = time.perf_counter(), time.process_time()
    while len(rates) < 3 or time.perf_counter() - start < SECONDS:
        begun = time.perf_counter()
        ids = [tokenizer.encode(line).ids for line in lines]
        places = sorted(range(len(ids)), key=lambda i: len(ids[i])) if order == "bucketed" else range(len(ids))
        levels = [0] * len(ids)
        for at in range(0, len(places), batch):
            members = places[at : at + batch]
            width = max(len(ids[i]) for i in members)
            rows, mask = np.zeros((len(members), width), np.int64), np.zeros((len(members), width), np.int64)
            for row, i in enumerate(members):
                rows[row, : len(ids[i])], mask[row, : len(ids[i])] = ids[i], 1
            (logits,) = session.run(None, {"input_ids": rows, "attention_mask": mask})
            for i, level in zip(members, logits.argmax(axis=1)):
                levels[i] = int(level)
        rates.append(len(lines) / (time.perf_counter() - begun))
    busy = time.process_time() - busy
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
    print(json.dumps({"median": statistics.median(rates), "per_cpu_second": len(lines) * len(rates) / busy, "load_ms": load * 1e3, "resident_mib": resident,
                      "levels": "".join(map(str, levels))}))


def turn(command):
    out = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def library():
    import onnxruntime

    return str(next((pathlib.Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*")))


def main():
    model, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    thrash, bench = build()
    os.environ["ORT_DYLIB_PATH"] = library()
    # As in the program; for both sides.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        file, count = texts(thrash, pathlib.Path(folder))

        def rust(what, engine, threads, order="bucketed"):
            return [bench, what, engine, "cpu", threads, BATCH, order, file, SECONDS]

        turns = {
            "built-in, rten, 1 thread": rust("builtin", "rten", 1),
            "built-in, rten, 2 threads": rust("builtin", "rten", 2),
            "built-in, ort, 1 thread": rust("builtin", "ort", 1),
            "built-in, ort, 2 threads": rust("builtin", "ort", 2),
            "ort, 1 thread": rust(model, "ort", 1),
            "Python, 1 thread": [sys.executable, __file__, "--python", model, 1, file],
            "rten, 1 thread": rust(model, "rten", 1),
            "ort, 1 thread, as they arrive": rust(model, "ort", 1, "arrival"),
            "rten, 1 thread, as they arrive": rust(model, "rten", 1, "arrival"),
            "ort, 1 thread, padded to the longest": rust(model, "ort", 1, "longest"),
            "Python, 1 thread, padded to the longest": [sys.executable, __file__, "--python", model, 1, file, "cpu", BATCH, "longest"],
            "rten, 1 thread, padded to the longest": rust(model, "rten", 1, "longest"),
            "built-in, rten, 1 thread, padded to the longest": rust("builtin", "rten", 1, "longest"),
            "ort, 2 threads": rust(model, "ort", 2),
            "Python, 2 threads": [sys.executable, __file__, "--python", model, 2, file],
            "rten, 2 threads": rust(model, "rten", 2),
        }
        seen = {name: [] for name in turns}
        for _ in range(rounds):
            for name, command in turns.items():
                seen[name].append(turn(command))

    def median(name, key):
        return statistics.median(one[key] for one in seen[name])

    print(f"{count} texts, batches of {BATCH}, {rounds} rounds, medians\n")
    print(f"{'':<48}{'phrases/s':>10}{'per CPU s':>11}{'load':>10}{'resident':>11}")
    for name in turns:
        print(f"{name:<48}{median(name, 'median'):>10.0f}{median(name, 'per_cpu_second'):>11.0f}{median(name, 'load_ms'):>7.1f} ms{median(name, 'resident_mib'):>7.0f} MiB")

    def ratio(one, other):
        key = "per_cpu_second" if "1 thread" in one else "median"
        ratios = sorted(a[key] / b[key] for a, b in zip(seen[one], seen[other]))
        print(f"{one} / {other}: {statistics.median(ratios):.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f})")

    print()
    for threads in ("1 thread", "2 threads"):
        ratio(f"ort, {threads}", f"Python, {threads}")
        ratio(f"rten, {threads}", f"Python, {threads}")
    for engine in ("ort", "rten"):
        ratio(f"{engine}, 1 thread", f"{engine}, 1 thread, as they arrive")
    for engine in ("ort", "Python", "rten", "built-in, rten"):
        ratio(f"{engine}, 1 thread", f"{engine}, 1 thread, padded to the longest")
    same = {one["levels"] for name in turns if not name.startswith("built-in") for one in seen[name]}
    print(f"levels: {'the same everywhere' if len(same) == 1 else 'THEY DIFFER'}")


if __name__ == "__main__":
    if sys.argv[1] == "--python":
        in_python(sys.argv[2], int(sys.argv[3]), sys.argv[4], *sys.argv[5:6], *map(int, sys.argv[6:7]), *sys.argv[7:8])
    else:
        main()
