"""Train the adapter: a low-rank change of MiniLM's weights under which its token vectors are compared by MaxSim.

    python data/recipes/train_adapter.py            # prepares, trains, writes data/adapter.safetensors

Queries, passages, candidates and the teacher are the cross-encoder's (`train_cross_encoder`): docstrings outside
pydocs, and the sum of z-scores of MaxSim, the twin and half of BM25. The student learns the teacher's distribution over
eight candidates of a query, and to score the known passage above all other passages of the step. Its score is MaxSim
by the square root of the query's tokens, times a learned scale. LoRA: Hu et al., 2021. No judged query is used.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize
from train_cross_encoder import HELD_OUT, SEED, Lists, divergence, low_rank, prepare, resume, save, ship

from labkit import paths
from labkit.encoding.default_model import find_default_model
from labkit.encoding.low_rank import ADAPTER_FILE

STEPS = 600
RATE = 5e-4
QUERIES_A_STEP = 8
QUERY_LENGTH, LENGTH = 64, 160
KNOWN_WEIGHT = 0.3  # of the loss that wants the known passage first among all of the step


class TokenStudent(torch.nn.Module):
    """MiniLM with low-rank changes, and the scale of its scores."""

    def __init__(self) -> None:
        from transformers import BertModel

        super().__init__()
        torch.manual_seed(SEED)
        self.bert = BertModel.from_pretrained(str(find_default_model()), add_pooling_layer=False)
        self.eval()  # no dropout: few steps, a frozen base
        for name, parameter in self.bert.named_parameters():
            parameter.requires_grad = "encoder.layer" in name and ("LayerNorm" in name or name.endswith("bias"))
        low_rank(self.bert.encoder.layer)
        self.scale = torch.nn.Parameter(torch.tensor(float(np.log(8.0))))

    def vectors(self, lists: Lists, texts: list[str], length: int, parts: int) -> list[torch.Tensor]:
        """Unit vectors [L, d] of each text's tokens without the special ones; ``parts`` batches of like length."""
        told = lists.tokenizer(texts, truncation=True, max_length=length)
        lengths = [len(ids) for ids in told["input_ids"]]
        order = sorted(range(len(texts)), key=lambda i: lengths[i])
        found: dict[int, torch.Tensor] = {}
        for part in filter(len, np.array_split(order, parts)):
            batch = lists.tokenizer.pad({key: [told[key][i] for i in part] for key in told}, return_tensors="pt")
            hidden = normalize(self.bert(**batch).last_hidden_state, dim=-1)
            found |= {i: hidden[row, 1 : lengths[i] - 1] for row, i in enumerate(part)}
        return [found[i] for i in range(len(texts))]

    def scores(self, lists: Lists, numbers: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """[Nq, n] of these queries with all their lists' passages, and [Nq, 8] where in them each one's list is."""
        unique, places = np.unique(lists.candidates[numbers], return_inverse=True)
        documents = self.vectors(lists, [lists.passages[i] for i in unique], LENGTH, 6)
        queries = self.vectors(lists, [lists.queries[i] for i in numbers], QUERY_LENGTH, 1)
        flat, lengths = torch.cat(documents), [len(d) for d in documents]
        rows = []
        for query in queries:
            best = torch.stack([part.amax(1) for part in (query @ flat.T).split(lengths, 1)], 1)
            rows.append(best.sum(0) / max(1, len(query)) ** 0.5)
        return torch.stack(rows) * self.scale.exp(), places.reshape(len(numbers), -1)


def train(folder: Path, steps: int, rate: float) -> dict[str, torch.Tensor]:
    """Learn; saved every 100 steps, so that an interrupted run goes on. Returns what was learned, by name."""
    lists, model = Lists(folder), TokenStudent()
    learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    others = [parameter for name, parameter in learned.items() if name != "scale"]
    groups = [{"params": others}, {"params": [model.scale], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0.01)
    order = np.random.default_rng(SEED).permutation(len(lists.queries))
    held, order = order[:HELD_OUT], order[HELD_OUT:]
    rng = np.random.default_rng(SEED + 1)
    epochs = np.concatenate([rng.permutation(order) for _ in range(1 + steps * QUERIES_A_STEP // len(order))])
    first = resume(folder / "adapter.pt", learned, optimizer)
    began, losses = time.time(), []
    if not first:
        _report(lists, model, held)
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * max(0.02, 1 - step / steps)
        numbers = epochs[step * QUERIES_A_STEP :][:QUERIES_A_STEP]
        scores, places = model.scores(lists, numbers)
        loss = divergence(scores.gather(1, torch.from_numpy(places)), lists.scores[numbers])
        loss = loss + KNOWN_WEIGHT * cross_entropy(scores, torch.from_numpy(places[:, 0]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 99 or step + 1 == steps:
            pace = (time.time() - began) / (step + 1 - first)
            print(f"step {step + 1} loss {np.mean(losses[-100:]):.3f} {pace:.2f} s a step", flush=True)
            save(folder / "adapter.pt", step + 1, learned, optimizer)
        if step % 200 == 199 or step + 1 == steps:
            _report(lists, model, held)
    return {name.removeprefix("bert."): tensor for name, tensor in learned.items() if name != "scale"}


def _report(lists: Lists, model: TokenStudent, held: np.ndarray) -> None:
    told = []
    with torch.inference_mode():
        for start in range(0, len(held), QUERIES_A_STEP):
            scores, places = model.scores(lists, held[start : start + QUERIES_A_STEP])
            told.append(scores.gather(1, torch.from_numpy(places)))
    mine, wanted = torch.cat(told), lists.scores[held]
    right = (mine.argmax(1) == wanted.argmax(1)).float().mean()
    print(f"held out: loss {divergence(mine, wanted):.3f}, the teacher's first is first {right:.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=paths.cache() / "cross", help="where the work is kept")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    given = parser.parse_args()
    if not (given.folder / "texts.json").is_file():
        prepare(given.folder)
    ship(train(given.folder, given.steps, given.rate), given.folder / "texts.json", paths.data() / ADAPTER_FILE)
