"""Cross-validation of the standard model on labels alone: whole files of phrases are left out, so that no author's habits leak.

    python cross.py [--wheel FILE] [--threads N] [--fold K]
"""

import argparse

import numpy as np
import torch

import build_standard
import common
import encoder
import fit
from train_standard import EPOCHS, RATE
from unpacked import unpacked

FOLDS = 4


def main():
    arguments = argparse.ArgumentParser(description="Cross-validate the standard reference model.")
    arguments.add_argument("--wheel")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--fold", type=int, choices=range(FOLDS))
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    folder = unpacked(build_standard.wheel(given.wheel))
    rows = common.phrases()
    files = sorted({file for _, file, _, _ in rows})
    print("| file left out | phrases | level right | one level off at most | calm taken for medium or worse | medium or worse noticed |")
    for fold in [given.fold] if given.fold is not None else range(FOLDS):
        out = set(files[fold::FOLDS])
        words, model = fit.train(folder, encoder.MINILM, [(row[0], row[3]) for row in rows if row[1] not in out],
                                 EPOCHS, RATE, {}, note=lambda line: None)
        for file in sorted(out):
            mine = [row for row in rows if row[1] == file]
            told = np.array([row[0] for row in mine])
            said = common.decide(torch.softmax(encoder.predict(model, words, [row[3] for row in mine]), 1).numpy(), [0.5, 0.5, 0.5, 0.5])
            shares = [said == told, abs(said - told) <= 1, (said >= 2)[told < 2], (said >= 2)[told >= 2]]
            cells = [f"{share.mean():.2f}" if len(share) else "–" for share in shares]
            print(f"| {file} | {len(mine)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
