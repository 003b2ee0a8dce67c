"""The two pretrained encoders in torch, with low-rank adapters on their matrices, pooling and a head.

For training only. MiniLM becomes the standard model; MPNet, five times larger, only teaches it.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn

import probe

LONGEST = 128


@dataclass(frozen=True)
class Shape:
    """Where an encoder keeps what."""

    layers: int
    width: int
    eps: float
    names: tuple  # query, key, value, attention output, FFN in, FFN out, and the two norms
    pad: int
    mask: int
    special: int  # ids below it are no words
    rank: int
    pools: int  # vectors a text is pooled into
    heads: int = 12
    scale: float = 2.0


MINILM = Shape(6, 384, 1e-12, ("attention.self.query", "attention.self.key", "attention.self.value",
               "attention.output.dense", "intermediate.dense", "output.dense",
               "attention.output.LayerNorm", "output.LayerNorm"), pad=0, mask=103, special=104, rank=16, pools=4)
MPNET = Shape(12, 768, 1e-5, ("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
              "intermediate.dense", "output.dense", "attention.LayerNorm", "output.LayerNorm"),
              pad=1, mask=30526, special=5, rank=16, pools=1)


class Adapted(nn.Module):
    """A frozen matrix plus scale times up x down, both trained."""

    def __init__(self, weight, bias, rank, scale):
        super().__init__()
        self.register_buffer("weight", weight.to(torch.bfloat16))
        self.scale = scale
        self.bias = nn.Parameter(bias.clone())
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype), self.bias) + F.linear(F.linear(x, self.down), self.scale * self.up)


def norm(weights, name, shape):
    made = nn.LayerNorm(shape.width, eps=shape.eps)
    made.weight.data.copy_(weights[f"{name}.weight"])
    made.bias.data.copy_(weights[f"{name}.bias"])
    return made


class Layer(nn.Module):
    def __init__(self, weights, prefix, shape):
        super().__init__()
        self.heads = shape.heads
        adapted = lambda name: Adapted(weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"], shape.rank, shape.scale)
        self.q, self.k, self.v, self.o, self.wide, self.narrow = (adapted(name) for name in shape.names[:6])
        self.norm1, self.norm2 = (norm(weights, prefix + name, shape) for name in shape.names[6:])

    def forward(self, x, bias):
        batch, time, width = x.shape
        q, k, v = (part(x).view(batch, time, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = torch.softmax(q @ k.transpose(2, 3) * (width // self.heads) ** -0.5 + bias, dim=-1) @ v
        x = self.norm1(x + self.o(mixed.transpose(1, 2).reshape(batch, time, width)))
        return self.norm2(x + self.narrow(F.gelu(self.wide(x))))


class Classifier(nn.Module):
    def __init__(self, folder, shape):
        super().__init__()
        self.shape = shape
        weights = load_file(str(folder / "model.safetensors"))
        self.register_buffer("words", weights["embeddings.word_embeddings.weight"])
        places = weights["embeddings.position_embeddings.weight"]
        if shape is MINILM:
            places = places + weights["embeddings.token_type_embeddings.weight"][0]
        else:
            places = places[2:]
            self.register_buffer("near", weights["encoder.relative_attention_bias.weight"])
        self.register_buffer("places", places)
        self.norm = norm(weights, "embeddings.LayerNorm", shape)
        self.layers = nn.ModuleList(Layer(weights, f"encoder.layer.{i}.", shape) for i in range(shape.layers))
        self.head = probe.network(shape.width * shape.pools)

    def pooled(self, ids):
        """The mean of the last layer; of MiniLM the means of the last three and the greatest of the last."""
        seen = ids != self.shape.pad
        if self.training:  # a twentieth of the words is hidden
            ids = torch.where((torch.rand(ids.shape) < 0.05) & (ids >= self.shape.special), self.shape.mask, ids)
        bias = torch.where(seen, 0.0, -1e4)[:, None, None, :]
        if self.shape is MPNET:
            bias = bias + self.near[buckets(ids.shape[1])].permute(2, 0, 1)
        x = self.norm(F.embedding(ids, self.words) + self.places[: ids.shape[1]])
        share, parts = seen[..., None].float(), []
        for layer in self.layers:
            x = layer(x, bias)
            parts.append(x.float())
        mean = lambda x: (x * share).sum(1) / share.sum(1)
        if self.shape is MPNET:
            return mean(parts[-1])
        return torch.cat([*map(mean, parts[-3:]), (parts[-1] + (share - 1) * 1e4).amax(1)], 1)

    def forward(self, ids):
        return self.head(self.pooled(ids)).float()


def buckets(time):
    """MPNet's 32 buckets of distance: exact when near, logarithmic up to 128."""
    distance = torch.arange(time)[:, None] - torch.arange(time)[None, :]
    after, distance = (distance < 0).long() * 16, distance.abs()
    far = 8 + (torch.log(distance.clamp(min=1).float() / 8) / math.log(128 / 8) * 8).long()
    return after + torch.where(distance < 8, distance, far.clamp(max=15))


def tokenizer(folder):
    """The model's tokenizer without its fixed padding."""
    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(LONGEST)
    return found


def batches(lengths, tokens, generator=None):
    """Indices in batches of phrases of similar length, at most `tokens` with padding each."""
    noise = torch.rand(len(lengths), generator=generator) if generator else torch.zeros(len(lengths))
    order = torch.argsort(torch.tensor(lengths) + 3 * noise, stable=True).tolist()
    groups, group = [], []
    for i in order:
        if group and lengths[i] * (len(group) + 1) > tokens:
            groups.append(group)
            group = []
        group.append(i)
    groups.append(group)
    if generator:
        groups = [groups[i] for i in torch.randperm(len(groups), generator=generator)]
    return groups


def padded(rows, pad):
    longest = max(map(len, rows))
    return torch.tensor([row + [pad] * (longest - len(row)) for row in rows])


@torch.no_grad()
def predict(model, words, texts, ask=None, note=None):
    """Logits of texts in their order, or what else is asked."""
    model.eval()
    rows, out, done = [encoded.ids for encoded in words.encode_batch(list(texts))], None, 0
    for i, group in enumerate(batches([len(row) for row in rows], 4096)):
        with torch.autocast("cpu", torch.bfloat16):
            part = (ask or model)(padded([rows[i] for i in group], model.shape.pad)).float()
        out = torch.empty(len(rows), part.shape[1]) if out is None else out
        out[group] = part
        done += len(group)
        if note and i % 10 == 0:
            note(done)
    return out
