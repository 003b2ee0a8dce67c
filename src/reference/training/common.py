"""What every script here shares: levels, training phrases, the suite as a yardstick, and the suite's rules."""

import pathlib
from collections import Counter

import numpy as np
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LEVELS = ["none", "low", "medium", "high", "critical"]
SEED = 20251


def phrases():
    """(level, file, kind, text) of every training phrase that resembles no phrase of a suite."""
    rows, seen, near = [], set(), resembling()
    for path in sorted((HERE / "phrases").glob("*.tsv")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            level, kind, text = line.split("\t")
            if level not in LEVELS or not text.strip():
                raise SystemExit(f"{path.name}:{number}: not `level<TAB>kind<TAB>text`")
            key = " ".join(text.lower().split())
            if key not in seen and not near(text):
                seen.add(key)
                rows.append((LEVELS.index(level), path.stem, kind, text))
    return rows


def split(rows):
    """Eleven twelfths to train on, and the rest to set thresholds on."""
    return [row for i, row in enumerate(rows) if i % 12 != 5], [row for i, row in enumerate(rows) if i % 12 == 5]


def resembling():
    """Whether a text shares at least 0.6 (Jaccard) of its 4-grams with a message of the suite, earlier ones included."""
    others, holders = [grams(message) for message in messages()], {}
    for i, other in enumerate(others):
        for gram in other:
            holders.setdefault(gram, []).append(i)

    def near(text):
        mine = grams(text)
        shared = Counter(i for gram in mine for i in holders.get(gram, ()))
        return any(n >= 0.6 * (len(mine) + len(others[i]) - n) for i, n in shared.items())

    return near


def lessons():
    """What the larger encoder says, by text: see teacher.py."""
    near = resembling()
    with np.load(HERE / "lessons.npz") as found:
        return {text: row for text, row in zip(found["texts"].tolist(), found["says"].astype(np.float32)) if not near(text)}


def grams(text):
    """The character 4-grams of a text, with case, marks and spacing evened out."""
    plain = " " + " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split()) + " "
    return frozenset(plain[i : i + 4] for i in range(max(1, len(plain) - 3)))


def categories():
    """The files of the shipped suite."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / "phrases" / "comprehensive").glob("*.yaml"))]


def messages():
    """Every message of the shipped suite: each phrase, and what was said before it."""
    phrases = [phrase for category in categories() for phrase in category["phrases"]]
    return [message for phrase in phrases for message in [*phrase.get("history", ()), phrase["text"]]]


def suite():
    """Every phrase of the shipped suite that one message decides, with what passes."""
    rows = []
    for category in categories():
        for phrase in category["phrases"]:
            if "history" in phrase:
                continue
            rule = {**category, **phrase}
            accepted = sorted(LEVELS.index(level) for level in rule["expected"])
            up, down = (4 if rule[key] is True else int(rule[key]) for key in ("escalation", "de_escalation"))
            rows.append({"category": category["category"], "capability": phrase["capability"], "split": phrase["split"],
                         "id": phrase["id"], "text": phrase["text"], "accepted": accepted,
                         "lowest": accepted[0] - down, "highest": accepted[-1] + up})
    return rows


def at_least(probabilities):
    """P(level >= low), .. P(level >= critical), one row a phrase."""
    return np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1][:, 1:]


def decide(probabilities, thresholds):
    """The highest level whose `at least` sum reaches its threshold."""
    reached = at_least(probabilities) >= np.asarray(thresholds) - 1e-9
    return np.where(reached.any(axis=1), 4 - reached[:, ::-1].argmax(axis=1), 0)


def thresholds(probabilities, told):
    """For every level the threshold that does least harm, evened out over a tenth, since single phrases move it.

    A miss weighs more than a false alarm: by the square root of how many phrases are below the level for one that is not.
    """
    sums, told, steps, out = at_least(probabilities), np.asarray(told), np.arange(20, 81) / 100, {}
    for i, level in enumerate(LEVELS[1:]):
        there = told > i
        weight = (np.sum(~there) / np.sum(there)) ** 0.5
        harm = [weight * np.sum(sums[there, i] < step) + np.sum(sums[~there, i] >= step) for step in steps]
        out[level] = float(steps[5:-5][np.convolve(harm, np.ones(11), "valid").argmin()])
    return out


def area(scores, positive):
    """Area under the ROC curve."""
    ranks = np.empty(len(scores))
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    for start, count in zip(first, counts):
        ranks[order[start : start + count]] = start + (count + 1) / 2
    pos = positive.sum()
    return (ranks[positive].sum() - pos * (pos + 1) / 2) / (pos * (len(scores) - pos))


def interval(hits, n, z=1.96):
    """Wilson's 95 % interval of a share."""
    if n == 0:
        return (0.0, 1.0)
    p = hits / n
    centre, half = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return (centre - half, centre + half)


CRISIS = {"definite_high", "definite_medium", "maybe_high_medium", "specialty_lgbtqia"}
CALM = {"definite_none", "maybe_low_none", "specialty_gaming", "specialty_quotes", "specialty_slang_irony"}


def figures(rows, probabilities, thresholds):
    """Counts behind every figure: name -> (hits, of)."""
    levels = decide(probabilities, thresholds)
    passed = np.array([row["lowest"] <= level <= row["highest"] for row, level in zip(rows, levels)])
    exact = np.array([level in row["accepted"] for row, level in zip(rows, levels)])
    crisis = np.array([row["category"] in CRISIS for row in rows])
    calm = np.array([row["category"] in CALM for row in rows])
    out = {"tolerance": (passed.sum(), len(rows)), "exact": (exact.sum(), len(rows)),
           "false positives": ((levels >= 2)[calm].sum(), calm.sum()), "recall": ((levels >= 2)[crisis].sum(), crisis.sum())}
    for category in sorted({row["category"] for row in rows}):
        mine = np.array([row["category"] == category for row in rows])
        out[category] = (passed[mine].sum(), mine.sum())
    both = crisis | calm
    out["AUC"] = area(at_least(probabilities)[both, 1], crisis[both])
    return out
