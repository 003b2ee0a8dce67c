"""Distils the standard model into the built-in one and writes ../builtin/. Needs torch; takes a while.

    python train_builtin.py [--wheel FILE] [--threads N]

The teacher is the committed standard model: train_standard.py comes first.
"""

import argparse

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import TensorProto

import build_standard
import character
import common
import encoder
import fit
import folded
import lines
from graph import Graph
from measure import softmax
from train_standard import GOLDEN, says, side_file, trained
from unpacked import unpacked

EPOCHS, RATE, BATCH, ROUNDS = 6, 2e-3, 8192, 3


def lesson(archive):
    """Lines, and what to learn of them: the standard model's word; on labelled ones the label and the larger encoder's too."""
    folder = unpacked(archive)
    words, teacher = trained(folder)
    rows, held = common.split([(level, text) for level, _, _, text in common.phrases()])
    texts = lines.of(folder, [text for _, text in rows], ROUNDS)  # the phrases come first
    print(f"{len(texts)} lines", flush=True)
    goal = torch.softmax(encoder.predict(teacher, words, texts), dim=1)
    goal[: len(rows)] = (goal[: len(rows)] + 2 * fit.aims(rows, says())) / 3
    return texts, goal, held


def rows_of(ids):
    longest = max(map(len, ids))
    longest += -longest % 16
    return torch.tensor([row + [0] * (longest - len(row)) for row in ids])


def train(texts, goal, note):
    torch.manual_seed(common.SEED)
    generator = torch.Generator().manual_seed(common.SEED)
    model = character.Characters()
    ids = [folded.windows(text)[0] for text in texts]
    lengths = [len(row) + -len(row) % 16 for row in ids]
    steps = EPOCHS * len(encoder.batches(lengths, BATCH))
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.03 * steps)) * max(0.01, 1 - step / steps))
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for group in encoder.batches(lengths, BATCH, generator):
            row = rows_of([ids[i] for i in group])
            row = torch.where((torch.rand(row.shape) < 0.02) & (row != 0), 1, row)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(row, drop=0.1)
            loss = F.cross_entropy(logits.float(), goal[group])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(group)
        note(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(ids):.4f}")
    return model.eval()


def graph(model):
    """The same as character.Characters.forward, in ONNX."""
    g = Graph()
    own = {name: p.detach().numpy() for name, p in model.named_parameters()}
    ids, width = "input_ids", character.OUT
    seen = g.op("Cast", g.op("Not", g.op("Equal", ids, g.weight(np.int64(0)))), to=TensorProto.FLOAT)
    seen = g.op("Unsqueeze", seen, g.weight(np.array([2])))
    x = g.op("Gather", g.weight(own["single.weight"]), ids, axis=0)
    time = g.op("Shape", ids, start=1, end=2)
    for n, (rows, factors) in character.GRAMS.items():
        before = g.op("Pad", ids, g.weight(np.array([0, n - 1, 0, 0])), g.weight(np.int64(0)))
        key = None
        for i, factor in enumerate(factors):
            start = g.weight(np.array([i]))
            part = g.op("Slice", before, start, g.op("Add", time, start), g.weight(np.array([1])))
            part = g.op("Mul", part, g.weight(np.int64(factor)))
            key = part if key is None else g.op("Add", key, part)
        key = g.op("Mod", key, g.weight(np.int64(rows)))
        x = g.op("Add", x, g.op("Gather", g.weight(own[f"grams.{n}.weight"]), key, axis=0))
    x = g.op("Mul", x, seen)
    one, last = g.weight(np.array([1])), g.weight(np.array([2]))

    def paired(y, wide):
        """Neighbours in time side by side."""
        return g.op("Reshape", y, g.weight(np.array([0, -1, 2 * wide])))

    def part(y, axis, start, end):
        return g.op("Slice", y, g.weight(np.array([start])), g.weight(np.array([end])), axis)

    def halved(y, wide):
        y = paired(y, wide)
        return g.op("Max", part(y, last, 0, wide), part(y, last, wide, 2 * wide))

    def bent(name, y, pad, stride=1):
        """A convolution as one product of matrices, many times as fast on short rows: each step's inputs side by side."""
        weight = own[f"{name}.weight"]
        wide, taps = weight.shape[1:]
        y = g.op("Pad", y, g.weight(np.array([0, pad, 0, 0, pad, 0])))
        if stride == 2:
            y = paired(y, wide)
        steps = -(-taps // stride)
        parts = [part(y, one, i, i + 1 - steps or np.iinfo(np.int64).max) for i in range(steps)]
        if taps % stride:
            parts[-1] = part(parts[-1], last, 0, wide)
        flat = weight.transpose(0, 2, 1).reshape(len(weight), -1)
        return g.op("Relu", g.linear(g.op("Concat", *parts, axis=2), flat, own[f"{name}.bias"]))

    seen = halved(seen, 1)
    x = g.op("Mul", bent("first", x, 2, 2), seen)
    x = g.op("Mul", g.op("Add", x, bent("second", x, 1)), seen)
    x, seen = halved(x, character.WIDE), halved(seen, 1)
    y = g.op("Mul", bent("third", x, 1), seen)
    split, merge = g.weight(np.array([0, 0, 4, width // 4])), g.weight(np.array([0, 0, width]))
    turned = lambda name, perm: g.op("Transpose", g.op("Reshape", g.linear(y, own[f"{name}.weight"], own[f"{name}.bias"]), split), perm=perm)
    q, k, v = turned("q", [0, 2, 1, 3]), turned("k", [0, 2, 3, 1]), turned("v", [0, 2, 1, 3])
    row = g.op("Transpose", seen, perm=[0, 2, 1])
    unseen = g.op("Mul", g.op("Sub", g.op("Unsqueeze", row, one), g.weight(np.float32(1))), g.weight(np.float32(1e4)))
    scale = g.weight(np.float32((width // 4) ** -0.5))
    heed = g.op("Softmax", g.op("Add", g.op("Mul", g.op("MatMul", q, k), scale), unseen), axis=-1)
    mixed = g.op("Reshape", g.op("Transpose", g.op("MatMul", heed, v), perm=[0, 2, 1, 3]), merge)
    y = g.op("Add", y, g.linear(mixed, own["o.weight"], own["o.bias"]))
    mean = g.op("Div", g.op("Squeeze", g.op("MatMul", row, y), one), g.op("ReduceSum", seen, one, keepdims=0))
    most = g.op("ReduceMax", g.op("Transpose", g.op("Mul", g.op("Relu", y), seen), perm=[0, 2, 1]), axes=[2], keepdims=0)
    hidden = g.op("Relu", g.linear(g.op("Concat", mean, most, axis=1), own["wide.weight"], own["wide.bias"]))
    g.linear(hidden, own["narrow.weight"], own["narrow.bias"])
    return g


def written(model, held):
    """model.onnx and thrash.yaml of the built-in model."""
    out = common.HERE.parent / "builtin"
    out.mkdir(exist_ok=True)
    graph(model).saved(["input_ids"], out / "model.onnx")
    session = onnxruntime.InferenceSession(out / "model.onnx", providers=["CPUExecutionProvider"])
    def judged(text):
        return softmax(session.run(None, {"input_ids": rows_of([folded.windows(text)[0]]).numpy()})[0][0])
    scores = [judged(text) for text in GOLDEN]
    told, sums = np.array([level for level, _ in held]), np.array([judged(text) for _, text in held])
    decide = common.thresholds(sums, told)
    print(f"{decide}, AUC of P(>= medium) {common.area(common.at_least(sums)[:, 1], told >= 2):.3f}")
    side_file(out / "thrash.yaml", "builtin-characters", "3", decide, GOLDEN, scores, input="characters",
              characters={"scheme": "folded-1", "buckets": folded.BUCKETS, "length": folded.LENGTH, "step": folded.STEP})


def main():
    arguments = argparse.ArgumentParser(description="Train the built-in reference model.")
    arguments.add_argument("--wheel")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    texts, goal, held = lesson(build_standard.wheel(given.wheel))
    model = train(texts, goal, note=lambda line: print(line, flush=True))
    written(model, held)


if __name__ == "__main__":
    main()
