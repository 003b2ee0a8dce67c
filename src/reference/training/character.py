"""The built-in model in torch: hashed character n-grams, convolutions, one attention layer, pooling."""

import torch
import torch.nn.functional as F
from torch import nn

import folded

WIDTH, WIDE, OUT = 64, 128, 160
# n-gram length -> (rows of its table, one multiplier for each of its characters); products stay below 2^31
GRAMS = {3: (4096, (7919, 104729, 350377)), 5: (5120, (1299709, 15485, 611953, 32452, 86028))}


def halved(x):
    """The larger of two neighbours; the length is even."""
    return torch.maximum(x[:, :, ::2], x[:, :, 1::2])


class Characters(nn.Module):
    def __init__(self):
        super().__init__()
        self.single = nn.Embedding(folded.BUCKETS, WIDTH)
        self.grams = nn.ModuleDict({str(n): nn.Embedding(rows, WIDTH) for n, (rows, _) in GRAMS.items()})
        for table in [self.single, *self.grams.values()]:
            nn.init.normal_(table.weight, std=0.3)
        self.first = nn.Conv1d(WIDTH, WIDE, 5, stride=2, padding=2)
        self.second = nn.Conv1d(WIDE, WIDE, 3, padding=1)
        self.third = nn.Conv1d(WIDE, OUT, 3, padding=1)
        self.q, self.k, self.v, self.o = (nn.Linear(OUT, OUT) for _ in range(4))
        self.wide, self.narrow = nn.Linear(2 * OUT, 192), nn.Linear(192, 5)

    def forward(self, ids, drop=0.0):
        training = self.training
        seen = (ids != 0)[:, None, :].float()
        x = self.single(ids)
        for n, (rows, factors) in GRAMS.items():
            before = F.pad(ids, (n - 1, 0))
            key = sum(before[:, i : i + ids.shape[1]] * factor for i, factor in enumerate(factors)) % rows
            part = self.grams[str(n)](key)
            if training and drop:
                part = part * (torch.rand(key.shape)[..., None] > drop)
            x = x + part
        x = x.transpose(1, 2) * seen
        seen = halved(seen)
        x = F.relu(self.first(x)) * seen
        x = (x + F.relu(self.second(x))) * seen
        x, seen = halved(x), halved(seen)
        x = F.relu(self.third(x)) * seen
        y = x.transpose(1, 2)
        heads = lambda part: part(y).view(y.shape[0], y.shape[1], 4, -1).transpose(1, 2)
        q, k, v = heads(self.q), heads(self.k), heads(self.v)
        heed = torch.softmax(q @ k.transpose(2, 3) * (OUT // 4) ** -0.5 + (seen[:, :, None, :] - 1) * 1e4, dim=-1)
        y = y + self.o((heed @ v).transpose(1, 2).reshape(y.shape))
        share = seen.transpose(1, 2)
        mean = (y * share).sum(1) / share.sum(1)
        most = (F.relu(y) * share).amax(1)
        pooled = F.dropout(torch.cat([mean, most], 1), 0.2, training)
        return self.narrow(F.relu(self.wide(pooled)))
