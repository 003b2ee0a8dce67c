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

EPOCHS, RATE, BATCH, ROUNDS = 14, 2e-3, 8192, 8
WINDOWS = 2500  # of long messages
HINT = 1.0  # how much the teacher's inner layer counts beside its answer


def lesson(archive):
    """Lines, and what to learn of them: the standard model's word; on labelled ones the label and the larger encoder's too.

    Its inner layer is to be learnt as well: that tells more of each line than five numbers.
    """
    folder = unpacked(archive)
    words, teacher = trained(folder)
    rows, held = common.split([(level, text) for level, _, _, text in common.phrases()])
    texts = lines.of(folder, [text for _, text in rows], ROUNDS)  # the phrases come first
    cut = lines.windows(rows, WINDOWS)
    print(f"{len(texts)} lines, {len(cut)} windows of long messages", flush=True)
    texts += [text for text, _ in cut]
    inner = encoder.predict(teacher, words, texts, lambda ids: teacher.head[:3](teacher.pooled(ids)))
    with torch.no_grad():
        goal = torch.softmax(teacher.head[3:](inner), dim=1)
    goal[: len(rows)] = (goal[: len(rows)] + 2 * fit.aims(rows, says())) / 3
    # Of much talk at once the teacher, too, finds something in it now and then.
    calm = torch.tensor([False] * (len(texts) - len(cut)) + [is_calm for _, is_calm in cut])
    goal[calm] = (goal[calm] + 2 * fit.soft([0])) / 3
    return texts, goal, (inner - inner.mean(0)) / inner.std(0), held


def rows_of(ids):
    longest = max(map(len, ids))
    longest += -longest % 16
    return torch.tensor([row + [0] * (longest - len(row)) for row in ids])


def train(texts, goal, inner, note):
    torch.manual_seed(common.SEED)
    generator = torch.Generator().manual_seed(common.SEED)
    model, hint = character.Characters(), torch.nn.Linear(character.HIDDEN, inner.shape[1])
    ids = [folded.windows(text)[0] for text in texts]
    lengths = [len(row) + -len(row) % 16 for row in ids]
    steps = EPOCHS * len(encoder.batches(lengths, BATCH))
    trained = [*model.parameters(), *hint.parameters()]
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.03 * steps)) * max(0.01, 1 - step / steps))
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for group in encoder.batches(lengths, BATCH, generator):
            row = rows_of([ids[i] for i in group])
            row = torch.where((torch.rand(row.shape) < 0.02) & (row != 0), 1, row)
            with torch.autocast("cpu", torch.bfloat16):
                vector = model.vector(row, drop=0.1)
                logits, said = model.narrow(vector), hint(vector)
            loss = F.cross_entropy(logits.float(), goal[group])
            total += loss.item() * len(group)
            optimiser.zero_grad()
            (loss + HINT * F.mse_loss(said.float(), inner[group])).backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            schedule.step()
        note(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(ids):.4f}")
    return model.eval()


def graph(model):
    """The same as character.Characters.forward, in ONNX."""
    g = Graph()
    own = {name: p.detach().numpy() for name, p in model.named_parameters()}
    ids, width = "input_ids", character.OUT
    zero, one, last = g.weight(np.array([0])), g.weight(np.array([1])), g.weight(np.array([2]))
    number = lambda n: g.weight(np.int64(n))
    times = lambda x, n: g.op("Mul", x, number(n))
    time = g.op("Shape", ids, start=1, end=2)

    def part(y, axis, start, end):
        return g.op("Slice", y, g.weight(np.array([start])), g.weight(np.array([end])), axis)

    def padded(y, before, after=0):
        """More steps of time, of zeros."""
        return g.op("Pad", y, g.weight(np.array([0, before, 0, after])), number(0))

    def gram(n):
        rows, factors = character.GRAMS[n]
        before, key = padded(ids, n - 1), None
        for i, factor in enumerate(factors):
            start = g.weight(np.array([i]))
            product = times(g.op("Slice", before, start, g.op("Add", time, start), one), factor)
            key = product if key is None else g.op("Add", key, product)
        return g.op("Mod", key, number(rows))

    def word():
        letter = g.op("Cast", g.op("Greater", ids, number(character.LETTERS)), to=TensorProto.INT64)
        key, run = g.op("Mul", ids, letter), letter
        for i, factor in enumerate(character.FACTORS):
            back = lambda x: g.op("Slice", padded(x, 2**i), zero, time, one)
            key = g.op("Mod", g.op("Add", key, times(g.op("Mul", run, back(key)), factor)), number(character.KEYS))
            run = g.op("Mul", run, back(run))
        ends = g.op("Sub", number(1), part(padded(letter, 0, 1), one, 1, np.iinfo(np.int64).max))
        return g.op("Mod", g.op("Mul", key, ends), number(character.WORDS))

    def table(name, row):
        return g.narrow(own[f"{name}.weight"], row)

    def paired(y, wide):
        """Neighbours in time side by side."""
        return g.op("Reshape", y, g.weight(np.array([0, -1, 2 * wide])))

    def halved(y, wide):
        y = paired(y, wide)
        return g.op("Max", part(y, last, 0, wide), part(y, last, wide, 2 * wide))

    def linear(name, y):
        return g.linear(y, own[f"{name}.weight"], own[f"{name}.bias"], narrow=True)

    def bent(name, y, wide, pad, stride=1):
        """A convolution as one product of matrices, many times as fast on short rows: each step's inputs side by side."""
        taps = 2 * pad + 1
        y = g.op("Pad", y, g.weight(np.array([0, pad, 0, 0, pad, 0])))
        if stride == 2:
            y = paired(y, wide)
        steps = -(-taps // stride)
        parts = [part(y, one, i, i + 1 - steps or np.iinfo(np.int64).max) for i in range(steps)]
        if taps % stride:
            parts[-1] = part(parts[-1], last, 0, wide)
        return g.op("Relu", linear(name, g.op("Concat", *parts, axis=2)))

    seen = g.op("Unsqueeze", g.op("Cast", g.op("Not", g.op("Equal", ids, number(0))), to=TensorProto.FLOAT), last)
    x = table("single", ids)
    for n in character.GRAMS:
        x = g.op("Add", x, table(f"grams.{n}", gram(n)))
    x = g.op("Mul", g.op("Add", x, table("words", word())), seen)
    seen = halved(seen, 1)
    x = g.op("Mul", bent("first", x, character.WIDTH, 2, stride=2), seen)
    x = g.op("Mul", g.op("Add", x, bent("second", x, character.WIDE, 1)), seen)
    x, seen = halved(x, character.WIDE), halved(seen, 1)
    y = g.op("Mul", bent("third", x, character.WIDE, 1), seen)
    split, merge = g.weight(np.array([0, 0, 4, width // 4])), g.weight(np.array([0, 0, width]))
    turned = lambda name, perm: g.op("Transpose", g.op("Reshape", linear(name, y), split), perm=perm)
    q, k, v = turned("q", [0, 2, 1, 3]), turned("k", [0, 2, 3, 1]), turned("v", [0, 2, 1, 3])
    row = g.op("Transpose", seen, perm=[0, 2, 1])
    unseen = g.op("Mul", g.op("Sub", g.op("Unsqueeze", row, one), g.weight(np.float32(1))), g.weight(np.float32(1e4)))
    scale = g.weight(np.float32((width // 4) ** -0.5))
    heed = g.op("Softmax", g.op("Add", g.op("Mul", g.op("MatMul", q, k), scale), unseen), axis=-1)
    mixed = g.op("Reshape", g.op("Transpose", g.op("MatMul", heed, v), perm=[0, 2, 1, 3]), merge)
    y = g.op("Add", y, linear("o", mixed))
    mean = g.op("Div", g.op("Squeeze", g.op("MatMul", row, y), one), g.op("ReduceSum", seen, one, keepdims=0))
    most = g.op("ReduceMax", g.op("Transpose", g.op("Mul", g.op("Relu", y), seen), perm=[0, 2, 1]), axes=[2], keepdims=0)
    linear("narrow", g.op("Relu", linear("wide", g.op("Concat", mean, most, axis=1))))
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
    side_file(out / "thrash.yaml", "builtin-characters", "5", decide, GOLDEN, scores, input="characters",
              characters={"scheme": "folded-1", "buckets": folded.BUCKETS, "length": folded.LENGTH, "step": folded.STEP})


def main():
    arguments = argparse.ArgumentParser(description="Train the built-in reference model.")
    arguments.add_argument("--wheel")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    texts, goal, inner, held = lesson(build_standard.wheel(given.wheel))
    model = train(texts, goal, inner, note=lambda line: print(line, flush=True))
    written(model, held)


if __name__ == "__main__":
    main()
