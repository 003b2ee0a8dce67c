"""Many lines without labels for the teacher to judge: training phrases retyped, reworded, recombined and put into frames, and
lines put together from the lists of patterns.yaml."""

import random
import re

import numpy as np
import yaml
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import common
import folded
from perturb import perturbed

CUTS = re.compile(r"(?<=[.!?…;])\s+|\s+(?=(?:but|because|and then|so|when|while|after|if|cuz|since|and i|then)\s)|,\s+", re.I)
WORD = re.compile(r"[A-Za-z']{3,}")
LIST = re.compile(r"\{(\w+)\}")


def neighbours(words, table, texts, keep=8, nearest=0.45):
    """Each word of the texts -> its closest others in a vocabulary: what a pretrained encoder takes for akin."""
    plain = sorted((word, i) for word, i in words.items() if word.isascii() and word.isalpha() and len(word) > 2)
    rows = table[[i for _, i in plain]].astype(np.float32)
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    used = {spot.group().lower() for text in texts for spot in WORD.finditer(text)}
    places = [i for i, (word, _) in enumerate(plain) if word in used]
    found = {}
    for start in range(0, len(places), 256):
        part = places[start : start + 256]
        for i, alike in zip(part, rows[part] @ rows.T):
            best = np.argpartition(-alike, keep + 1)[: keep + 1]
            best = [j for j in best[np.argsort(-alike[best], kind="stable")] if j != i and alike[j] >= nearest]
            found[plain[i][0]] = [plain[j][0] for j in best]
    return found


def reworded(text, near, rng):
    """One to three words swapped for akin ones."""
    spots = list(WORD.finditer(text))
    rng.shuffle(spots)
    changes = []
    for spot in spots:
        others = near.get(spot.group().lower())
        if others:
            changes.append((spot.span(), rng.choice(others)))
        if len(changes) >= 1 + len(spots) // 6:
            break
    for (start, end), word in sorted(changes, reverse=True):
        text = text[:start] + word + text[end:]
    return text


def recombined(one, other, rng):
    """The beginning of one message with the end of another, or both after each other."""
    a, b = CUTS.split(one), CUTS.split(other)
    if rng.random() < 0.4 or len(a) + len(b) < 3:
        return one.rstrip(".") + rng.choice([". ", " ", ", ", "... ", " but ", " and "]) + other
    head = one[: one.index(a[-1])] if len(a) > 1 else one + " "
    return head.rstrip() + " " + b[-1]


def lists():
    """The lists of patterns.yaml."""
    found = yaml.safe_load((common.HERE / "patterns.yaml").read_text("utf-8"))
    return {name: [part.strip() for part in str(parts).split("|")] for name, parts in found.items()}


def lines(texts, near, rounds, seed=common.SEED):
    """The texts, then in every round one relative of each; fewer rounds give the beginning of the same list."""
    rng, parts = random.Random(seed), lists()
    resembles = common.resembling()
    out = dict.fromkeys(texts)
    for text in list(texts) * rounds:
        kind = rng.random()
        if kind < 0.15:
            made = perturbed(text, rng)
        elif kind < 0.45:
            made = perturbed(reworded(text, near, rng), rng, 0.6)
        elif kind < 0.65:
            made = perturbed(recombined(text, rng.choice(texts), rng), rng, 0.5)
        else:
            if kind < 0.8:
                made = rng.choice(parts["frames"]).replace("{}", text.rstrip("."))
            else:
                made = LIST.sub(lambda name: rng.choice(parts[name[1]]), rng.choice(parts["patterns"]))
            if rng.random() < 0.4:
                made = reworded(made, near, rng)
            made = perturbed(made, rng, 0.5)
        if not resembles(made):
            out.setdefault(made[:300])
    return list(out)


def windows(rows, count, seed=common.SEED):
    """(text, whether every phrase in it is calm): what a window of a long message holds, which begins and ends anywhere.

    Six in ten are made of calm phrases alone, three have one other phrase among them, one is made of any.
    """
    rng, resembles = random.Random(seed), common.resembling()
    calm, others = [text for level, text in rows if level == 0], [text for level, text in rows if level > 0]
    out = {}
    while len(out) < count:
        kind, start, parts = rng.random(), rng.randrange(folded.STEP), []
        while sum(map(len, parts)) < start + folded.LENGTH:
            parts.append(rng.choice(calm if kind < 0.9 else calm + others))
        if 0.6 <= kind < 0.9:
            parts[rng.randrange(len(parts))] = rng.choice(others)
        made = parts[0]
        for part in parts[1:]:
            made += (" " if made[-1] in ".!?…" else rng.choice([". ", " ", ", ", "... "])) + part
        made = perturbed(made, rng, 0.2)[start : start + folded.LENGTH].strip()
        if len(made) > folded.STEP and not resembles(made):
            out.setdefault(made, kind < 0.6)
    return list(out.items())


def of(folder, texts, rounds):
    """Lines of texts and of unlabelled.txt, by the words of the encoder in a folder."""
    words = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    resembles = common.resembling()
    more = (common.HERE / "phrases" / "unlabelled.txt").read_text("utf-8").splitlines()
    texts = [*texts, *(line for line in more if not resembles(line))]
    near = neighbours(words, table, [*texts, *(part for parts in lists().values() for part in parts)])
    return lines(texts, near, rounds)
