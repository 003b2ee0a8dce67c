"""How an encoder is trained on (level, text) rows."""

import random

import torch
import torch.nn.functional as F

import common
import encoder
import probe
from perturb import perturbed

TOKENS = 768
NEAR = 1.8


def soft(levels):
    """Ordinal targets: most on the level itself, some on its neighbours."""
    distance = (torch.as_tensor(levels)[:, None] - torch.arange(5)[None, :]).abs().float()
    return torch.softmax(-NEAR * distance, dim=1)


def joined(rows, rng):
    """Two messages as one: the worse level, and only where the other is calm."""
    one, other = rng.choice(rows), rng.choice(rows)
    if min(one[0], other[0]) > 0:
        return one
    glue = rng.choice([". ", " ", ", ", "... ", " / ", "! "])
    return (max(one[0], other[0]), one[1].rstrip() + glue + other[1].rstrip())


def aims(rows, says):
    """What to learn of each row: its level, halfway to what the teacher says where it has been asked."""
    goal = soft([level for level, _ in rows])
    for i, (_, text) in enumerate(rows):
        if text in says:
            goal[i] = (goal[i] + says[text]) / 2
    return goal


def train(folder, shape, rows, epochs, rate, says, seed=common.SEED, note=print):
    """A classifier from (level, text) rows and from what a teacher says: {text: probabilities}."""
    torch.manual_seed(seed)
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    words, model = encoder.tokenizer(folder), encoder.Classifier(folder, shape)
    goal = aims(rows, says)
    start = encoder.predict(model, words, [text for _, text in rows], model.pooled)
    model.head = probe.probe(start, goal, seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    lengths = [len(e.ids) for e in words.encode_batch([text for _, text in rows])]
    steps = epochs * len(encoder.batches(lengths, TOKENS)) * 1.1
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.06 * steps)) * max(0.02, 1 - step / steps))
    for epoch in range(epochs):
        model.train()
        texts = [perturbed(text, rng, 0.7) if rng.random() < 0.6 else text for _, text in rows]
        pairs = [joined(rows, rng) for _ in range(len(rows) // 16)]
        wanted = torch.cat([goal, soft([level for level, _ in pairs])])
        ids = [e.ids for e in words.encode_batch(texts + [text for _, text in pairs])]
        total = 0.0
        for group in encoder.batches([len(row) for row in ids], TOKENS, generator):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(encoder.padded([ids[i] for i in group], shape.pad))
            loss = F.cross_entropy(logits, wanted[group])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(group)
        note(f"epoch {epoch + 1} of {epochs}: loss {total / len(ids):.4f}")
    return words, model.eval()
