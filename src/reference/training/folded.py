"""Text as numbers for the built-in model: the scheme `folded-1` of docs/reference.md, as there."""

import unicodedata

QUOTES = {0x2018: "'", 0x2019: "'", 0x201A: "'", 0x201B: "'", 0x02BC: "'", 0x00B4: "'", 0x0060: "'", 0x2032: "'",
          0x201C: '"', 0x201D: '"', 0x201E: '"', 0x201F: '"', 0x2033: '"', 0x00AB: '"', 0x00BB: '"',
          0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-", 0x2014: "-", 0x2015: "-", 0x2212: "-"}
SPACES = [(0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0x1680, 0x1680), (0x2028, 0x2029)]
REMOVED = [(0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C),
           (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F),
           (0xFEFF, 0xFEFF), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE007F)]
LENGTH, STEP, BUCKETS = 256, 128, 1024


def within(c, ranges):
    return any(low <= ord(c) <= high for low, high in ranges)


def fold(text):
    text = unicodedata.normalize("NFKC", text.translate(QUOTES))
    out = []
    for c in "".join(c.lower() for c in text):
        if within(c, REMOVED):
            continue
        if within(c, SPACES):
            c = " "
            if not out or out[-1] == " ":
                continue
        if len(out) >= 3 and out[-1] == out[-2] == out[-3] == c:
            continue
        out.append(c)
    if out and out[-1] == " ":
        out.pop()
    return "".join(out) or " "


def number(c):
    if " " <= c <= "~":
        return ord(c) - 30
    return 97 + ((ord(c) * 2654435761 & 0xFFFFFFFF) >> 16) % (BUCKETS - 97)


def windows(text):
    ids = [number(c) for c in fold(text)]
    if len(ids) <= LENGTH:
        return [ids]
    starts = list(range(0, len(ids) - LENGTH, STEP)) + [len(ids) - LENGTH]
    return [ids[s : s + LENGTH] for s in starts]
