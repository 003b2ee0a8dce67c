"""Figures of a built model on the shipped suite, by category, with 95 % intervals.

    python measure.py FOLDER [--held]

Without `--held` the phrases of `split: dev`. Look at `--held` once, at the end, and change nothing afterwards.
"""

import argparse
import pathlib
import time

import numpy as np
import onnxruntime
import yaml

import common
import folded


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Model:
    """A folder with model.onnx and thrash.yaml, as `thrash` reads it."""

    def __init__(self, folder, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        side = yaml.safe_load((folder / "thrash.yaml").read_text("utf-8"))
        self.thresholds = [side["decide"]["at_least"][level] for level in common.LEVELS[1:]]
        self.golden = side["golden"]
        self.words = None
        if side.get("input") != "characters":
            from tokenizers import Tokenizer

            self.words = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def one(self, ids):
        row = np.array([ids + [0] * (-len(ids) % 16 if self.words is None else 0)], dtype=np.int64)
        feed = {"input_ids": row}
        if self.words is not None:
            feed["attention_mask"] = np.ones_like(row)
        return softmax(self.session.run(None, feed)[0][0])

    def probabilities(self, texts):
        """One row a text; of several windows the worst."""
        rows = []
        for text in texts:
            parts = folded.windows(text) if self.words is None else [self.words.encode(text).ids[:512]]
            judged = np.array([self.one(ids) for ids in parts])
            levels = common.decide(judged, self.thresholds)
            rows.append(max(zip(levels, judged @ np.arange(5), range(len(judged)), judged), key=lambda row: row[:3])[3])
        return np.array(rows)


def table(out):
    print(f"AUC of P(>= medium): {out.pop('AUC'):.3f}")
    for name, (hits, of) in out.items():
        low, high = common.interval(hits, of)
        print(f"| {name} | {of} | {hits / of:.3f} | {low:.3f}–{high:.3f} |")


def main():
    arguments = argparse.ArgumentParser(description="Measure a model on the shipped suite.")
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--held", action="store_true")
    given = arguments.parse_args()
    model = Model(given.folder)
    told = [[g["scores"][label] for label in common.LEVELS] for g in model.golden]
    worst = np.abs(model.probabilities([g["text"] for g in model.golden]) - told).max()
    rows = [row for row in common.suite() if row["split"] == ("held" if given.held else "dev")]
    start = time.time()
    probabilities = model.probabilities([row["text"] for row in rows])
    print(f"{len(rows)} phrases, one at a time: {len(rows) / (time.time() - start):.0f}/s; golden differ by at most {worst:.5f}")
    table(common.figures(rows, probabilities, model.thresholds))


if __name__ == "__main__":
    main()
