"""The built-in model in torch: hashed words and character n-grams, convolutions, one attention layer, pooling."""

import torch
import torch.nn.functional as F
from torch import nn

import folded

WIDTH, WIDE, OUT, HIDDEN = 64, 128, 160, 192
# n-gram length -> (rows of its table, one multiplier for each of its characters); sums of products stay below 2^31
GRAMS = {3: (5119, (7919, 104729, 350377)), 5: (9209, (1299709, 15485, 611953, 32452, 86028))}
# rows of the table of words, what keys stay below, and one multiplier for each doubling of the letters in a key
WORDS, KEYS, FACTORS = 9203, 32749, (7919, 32452, 15485, 51347)
LETTERS = 66  # letters are above it, and all beyond ASCII


def halved(x):
    """The larger of two neighbours in time; their number is even."""
    return torch.maximum(x[:, ::2], x[:, 1::2])


def taken(x, taps, stride=1):
    """The inputs of a convolution side by side, so that a product of matrices finishes it."""
    time, pad = x.shape[1], taps // 2
    x = F.pad(x, (0, 0, pad, pad))
    return torch.cat([x[:, i : i + time : stride] for i in range(taps)], 2)


def gram(ids, n):
    """The row of the n-gram that ends at each character."""
    rows, factors = GRAMS[n]
    before = F.pad(ids, (n - 1, 0))
    return sum(before[:, i : i + ids.shape[1]] * factor for i, factor in enumerate(factors)) % rows


def word(ids):
    """The row of the word, at most 16 letters of it, that ends at each character; 0 where none does."""
    letter = (ids > LETTERS).long()
    key, whole = ids * letter, letter
    for i, factor in enumerate(FACTORS):
        back = lambda x: F.pad(x, (2**i, 0))[:, : x.shape[1]]
        key = (key + whole * back(key) * factor) % KEYS
        whole = whole * back(whole)
    last = 1 - F.pad(letter, (0, 1))[:, 1:]
    return key * last % WORDS


class Characters(nn.Module):
    def __init__(self):
        super().__init__()
        self.single = nn.Embedding(folded.BUCKETS, WIDTH)
        self.grams = nn.ModuleDict({str(n): nn.Embedding(rows, WIDTH) for n, (rows, _) in GRAMS.items()})
        self.words = nn.Embedding(WORDS, WIDTH)
        for table in [self.single, *self.grams.values(), self.words]:
            nn.init.normal_(table.weight, std=0.3)
        self.first = nn.Linear(5 * WIDTH, WIDE)
        self.second = nn.Linear(3 * WIDE, WIDE)
        self.third = nn.Linear(3 * WIDE, OUT)
        self.q, self.k, self.v, self.o = (nn.Linear(OUT, OUT) for _ in range(4))
        self.wide, self.narrow = nn.Linear(2 * OUT, HIDDEN), nn.Linear(HIDDEN, 5)

    def vector(self, ids, drop=0.0):
        """What the last layer judges."""
        seen = (ids != 0)[:, :, None].float()
        x = self.single(ids)
        parts = [table(gram(ids, int(n))) for n, table in self.grams.items()] + [self.words(word(ids))]
        for part in parts:
            if drop:
                part = part * (torch.rand(ids.shape)[..., None] > drop)
            x = x + part
        x = x * seen
        seen = halved(seen)
        x = F.relu(self.first(taken(x, 5, 2))) * seen
        x = (x + F.relu(self.second(taken(x, 3)))) * seen
        x, seen = halved(x), halved(seen)
        y = F.relu(self.third(taken(x, 3))) * seen
        heads = lambda part: part(y).view(y.shape[0], y.shape[1], 4, -1).transpose(1, 2)
        q, k, v = heads(self.q), heads(self.k), heads(self.v)
        heed = torch.softmax(q @ k.transpose(2, 3) * (OUT // 4) ** -0.5 + (seen.transpose(1, 2)[:, None] - 1) * 1e4, dim=-1)
        y = y + self.o((heed @ v).transpose(1, 2).reshape(y.shape))
        mean = (y * seen).sum(1) / seen.sum(1)
        most = (F.relu(y) * seen).amax(1)
        return F.relu(self.wide(F.dropout(torch.cat([mean, most], 1), 0.2, self.training)))

    def forward(self, ids):
        return self.narrow(self.vector(ids))
