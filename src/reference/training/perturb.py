"""Small changes that people's typing makes, so that a model does not lean on spelling, case or full stops."""

import random

NEAR = {"a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
        "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
        "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
SHORT = {"you": "u", "are": "r", "because": "cuz", "please": "pls", "though": "tho", "tonight": "tn", "right now": "rn",
         "i do not know": "idk", "i don't know": "idk", "people": "ppl", "really": "rly", "tomorrow": "tmrw", "and": "n",
         "going to": "gonna", "want to": "wanna", "i am": "im", "i'm": "im", "don't": "dont", "can't": "cant", "for": "4"}
LONG = {"im": "i'm", "dont": "don't", "cant": "can't", "idk": "i don't know", "u": "you", "gonna": "going to",
        "wanna": "want to", "rn": "right now", "ppl": "people"}
ENDS = [" lol", " tbh", " idk", "...", " honestly", ".", "!", " :(", " ngl", " fr", " 😭", " 💀", " 🙃", " ugh", "!!", " i guess"]
STARTS = ["so ", "ok ", "hey ", "well ", "honestly ", "idk ", "lol ", "ngl ", "hi all, ", "guys ", "anyway "]


def typo(text, rng):
    spots = [i for i, c in enumerate(text) if c.isascii() and c.isalpha()]
    if len(spots) < 6:
        return text
    i = rng.choice(spots)
    kind = rng.random()
    if kind < 0.3:
        return text[:i] + text[i + 1 :]
    if kind < 0.55 and i + 1 < len(text):
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if kind < 0.8:
        return text[:i] + text[i] + text[i:]
    return text[:i] + rng.choice(NEAR[text[i].lower()]) + text[i + 1 :]


def swapped(text, table, rng):
    padded = f" {text} "
    for word in rng.sample(sorted(table), len(table)):
        if f" {word} " in padded.lower():
            at = padded.lower().index(f" {word} ")
            padded = padded[: at + 1] + table[word] + padded[at + 1 + len(word) :]
            if rng.random() < 0.5:
                break
    return padded[1:-1]


def perturbed(text, rng, much=1.0):
    """The same message as somebody else might have typed it. Meaning and level stay."""
    if rng.random() < 0.35 * much:
        text = text.lower()
    elif rng.random() < 0.05 * much:
        text = text.upper()
    elif rng.random() < 0.25 * much:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.25 * much:
        text = swapped(text, SHORT, rng)
    elif rng.random() < 0.2 * much:
        text = swapped(text, LONG, rng)
    if rng.random() < 0.25 * much:
        text = text.rstrip(".!… ")
    if rng.random() < 0.12 * much:
        text = "".join(c for c in text if c not in ",'\"’“”;:")
    if rng.random() < 0.12 * much:
        text += rng.choice(ENDS)
    if rng.random() < 0.08 * much:
        text = rng.choice(STARTS) + text
    while rng.random() < 0.2 * much:
        text = typo(text, rng)
    return text or "."
