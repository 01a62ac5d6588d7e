"""Train the cross-encoder that ships: MiniLM and a low-rank change of its weights, for pairs of query and passage.

    python data/recipes/train_cross_encoder.py            # prepares, trains, writes data/cross_encoder.safetensors

Queries are made from docstrings outside pydocs (`cross_texts`): a sentence taken out of its passage, a name taken out
of it, or words that stand in it. Candidates come from BM25 and the dense twin over 17,000 passages. The teacher is the
sum of z-scores of MaxSim, the twin and half of BM25 over the candidates, and what is known: where the query came from.
The student learns the teacher's distribution over eight candidates (a listwise loss: Cao et al., Learning to Rank,
2007; distilled as by Hofstätter et al., 2020). LoRA: Hu et al., 2021. No judged query of any collection is used.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
from cross_texts import Source, pydocs_sentences, sources
from tqdm import tqdm

from labkit import paths
from labkit.corpus.collection import Collection, Document
from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.default_model import find_default_model, sha256_of
from labkit.encoding.encoders import Encoder
from labkit.encoding.tokens import PackedTokens
from labkit.ranking.first_stage import BM25Retriever
from labkit.ranking.offline_pair import FILE
from labkit.ranking.scored import zscores
from labkit.scoring.maxsim import maxsim

SEED = 7
RANK = 24
PASSAGES = 9_000
LIST = 8  # candidates a query
DEPTH = 60  # how many each first stage offers
QUERIES_A_STEP = 4
HELD_OUT = 200  # queries
LENGTH = 176
KNOWN_BONUS = 2.0  # what the teacher adds, in z-scores, to the passage that the query came from
ASKED = ("how do i {}", "how to {}", "function to {}", "what can {}", "i need to {}", "{}?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{3,}")


def example(source: Source, rng: random.Random) -> tuple[str, str]:
    """A query and the passage that it came from, without the sentence or the name that became the query."""
    told = [part for text in source.sections.description for part in _SENTENCE.split(text)]
    told += source.sections.parameters
    last = source.name.rsplit(".", 1)[-1]
    kind, named = rng.random(), rng.random() < 0.6
    if kind < 0.4 and len(told) > 1:  # the summary
        query, told = told[0], told[1:]
        if rng.random() < 0.5:
            query = rng.choice(ASKED).format(query[:1].lower() + query[1:].rstrip("."))
    elif kind < 0.7 and len(told) > 2:  # another sentence
        query = told.pop(rng.randrange(1, len(told)))
    elif kind < 0.85:  # the name, as words
        query, named = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", last).strip().lower(), False
    elif kind < 0.92:
        query, named = last, True
    else:
        words = sorted(set(_WORD.findall(" ".join(told))))
        query = " ".join(rng.sample(words, min(len(words), rng.randint(2, 6))))
    query = " ".join(query.split()[: rng.choice((12, 20, 32, 48))])
    head = [f"{source.name}.", f"{source.sections.signature}."] if named else []
    return query, " ".join(" ".join([*head, *told]).split()[: rng.choice((25, 40, 60, 80, 110))])


def prepare(folder: Path) -> None:
    """Write queries, passages, candidates and the teacher's scores into ``folder``."""
    rng = random.Random(SEED)
    known = sources(pydocs_sentences())
    pairs = [example(source, rng) for source in rng.sample(known, min(PASSAGES, len(known)))]
    pairs = [(query, passage) for query, passage in pairs if query.strip() and len(passage.split()) >= 8]
    pairs = rng.sample(pairs, len(pairs))
    queries, passages = map(list, zip(*pairs, strict=True))
    encoder = load_encoder(store=False)
    packed = encoder.encode_documents(passages, progress=True)
    bm25 = BM25Retriever(Collection("train", {str(i): Document("", text) for i, text in enumerate(passages)}))
    taught = [_taught(query, i, encoder, packed, bm25, rng) for i, query in enumerate(tqdm(queries))]
    candidates, scores = zip(*taught, strict=True)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "teacher.npz", candidates=np.array(candidates), scores=np.array(scores, np.float32))
    paths.write_atomic(folder / "texts.json", json.dumps({"queries": queries, "passages": passages}))


def _taught(
    query: str, place: int, encoder: Encoder, packed: PackedTokens, bm25: BM25Retriever, rng: random.Random
) -> tuple[list[int], list[float]]:
    """The known passage and seven others, near and far, with the teacher's scores."""
    q = encoder.encode_queries([query])
    cosine, words = packed.pooled @ q.pooled[0], bm25.scores(query)
    near = [np.argpartition(-side, DEPTH)[:DEPTH].tolist() for side in (cosine, words)]
    union = list(dict.fromkeys([place, *near[0], *near[1]]))
    late = maxsim(q[0], packed, candidates=np.array(union))
    total = zscores(late) + zscores(cosine[union]) + 0.5 * zscores(words[union])
    total[0] += KNOWN_BONUS
    order = [i for i in np.argsort(-total).tolist() if i != 0]
    picked = [0, *rng.sample(order[:10], 4), *rng.sample(order[10:40], 2), rng.choice(order[40:])]
    return [union[i] for i in picked], [float(total[i]) for i in picked]


class LowRank(torch.nn.Module):
    """A linear layer whose weight W becomes W + B A, with A [r, in] and B [out, r]; B starts at 0."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.linear = linear
        self.a = torch.nn.Parameter(torch.randn(RANK, linear.in_features) / linear.in_features**0.5)
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + (x @ self.a.T) @ self.b.T


def student() -> torch.nn.Module:
    """MiniLM with a head for one score; only the low-rank changes, the layers' norms and biases, and the head learn."""
    from transformers import BertForSequenceClassification

    torch.manual_seed(SEED)
    model = BertForSequenceClassification.from_pretrained(str(find_default_model()), num_labels=1)
    model.eval()  # no dropout: few steps, a frozen base
    for name, parameter in model.named_parameters():
        small = "encoder.layer" in name and ("LayerNorm" in name or name.endswith("bias"))
        parameter.requires_grad = small or name.startswith(("classifier", "bert.pooler"))
    low_rank(model.bert.encoder.layer)
    return model


def low_rank(layers: torch.nn.ModuleList) -> None:
    """Give every linear layer of BERT's layers a change that learns."""
    for layer in layers:
        for owner in (layer.attention.self, layer.attention.output, layer.intermediate, layer.output):
            for name in ("query", "key", "value", "dense"):
                if hasattr(owner, name):
                    setattr(owner, name, LowRank(getattr(owner, name)))


class Lists:
    """Queries, each with its candidates and the teacher's scores, as the student reads them."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        texts, teacher = json.loads((folder / "texts.json").read_text()), np.load(folder / "teacher.npz")
        self.queries, self.passages = texts["queries"], texts["passages"]
        self.candidates, self.scores = teacher["candidates"], torch.tensor(teacher["scores"])
        self.tokenizer = AutoTokenizer.from_pretrained(str(find_default_model()))

    def scored(self, model: torch.nn.Module, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """[n, LIST] the student's logits and the teacher's scores for the lists of these numbers."""
        pairs = [(self.queries[n], self.passages[c]) for n in numbers for c in self.candidates[n]]
        texts = self.tokenizer(
            [q for q, _ in pairs], [d for _, d in pairs], truncation="only_second", max_length=LENGTH
        )
        order = sorted(range(len(pairs)), key=lambda i: len(texts["input_ids"][i]))
        logits: list[torch.Tensor] = []
        for part in np.array_split(order, 4):  # of like length, so that little is padding
            batch = self.tokenizer.pad({key: [texts[key][i] for i in part] for key in texts}, return_tensors="pt")
            logits.append(model(**batch).logits[:, 0])
        told = torch.cat(logits)[torch.tensor(np.argsort(order))]
        return told.reshape(len(numbers), -1), self.scores[numbers]


def train(folder: Path, steps: int, rate: float) -> dict[str, torch.Tensor]:
    """Learn; saved every 100 steps, so that an interrupted run goes on. Returns what was learned, by name."""
    lists, model = Lists(folder), student()
    learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    optimizer = torch.optim.AdamW(learned.values(), lr=rate, weight_decay=0.01)
    order = np.random.default_rng(SEED).permutation(len(lists.queries))
    held, order = order[:HELD_OUT], order[HELD_OUT:]
    rng = np.random.default_rng(SEED + 1)
    epochs = np.concatenate([rng.permutation(order) for _ in range(1 + steps * QUERIES_A_STEP // len(order))])
    first = resume(folder / "last.pt", learned, optimizer)
    began, losses = time.time(), []
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * max(0.02, 1 - step / steps)
        loss = divergence(*lists.scored(model, epochs[step * QUERIES_A_STEP :][:QUERIES_A_STEP]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned.values(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 99 or step + 1 == steps:
            pace = (time.time() - began) / (step + 1 - first)
            print(f"step {step + 1} loss {np.mean(losses[-100:]):.3f} {pace:.2f} s a step", flush=True)
            save(folder / "last.pt", step + 1, learned, optimizer)
        if step % 500 == 499 or step + 1 == steps:
            _report(lists, model, held)
    return learned


def divergence(logits: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Kullback and Leibler's, from the teacher's distribution over a list to the student's; mean over lists [Nq, n]."""
    student, teacher = logits.log_softmax(1), told.log_softmax(1)
    return torch.nn.functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


def _report(lists: Lists, model: torch.nn.Module, held: np.ndarray) -> None:
    with torch.inference_mode():
        seen = [lists.scored(model, held[i : i + 4]) for i in range(0, len(held), 4)]
    logits, told = (torch.cat(side) for side in zip(*seen, strict=True))
    right = (logits.argmax(1) == told.argmax(1)).float().mean()
    print(f"held out: loss {divergence(logits, told):.3f}, the teacher's first is first {right:.2f}", flush=True)


def save(file: Path, step: int, learned: dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Keep what `resume` goes on with, whole or not at all."""
    new = file.with_suffix(".new")
    torch.save({"step": step, "learned": learned, "optimizer": optimizer.state_dict()}, new)
    new.replace(file)


def resume(file: Path, learned: dict[str, torch.Tensor], optimizer: torch.optim.Optimizer) -> int:
    """The step to go on with."""
    if not file.is_file():
        return 0
    saved = torch.load(file, weights_only=True)
    with torch.no_grad():
        for name, parameter in learned.items():
            parameter.copy_(saved["learned"][name])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["step"]


def ship(learned: dict[str, torch.Tensor], texts: Path, file: Path) -> None:
    """Write what was learned as float16, under the names of the base model's weights, and say the file's sha256."""
    from safetensors.torch import save

    names = {name: name.replace(".linear.", ".") for name in learned}
    tensors = {names[name]: tensor.detach().to(torch.float16).contiguous() for name, tensor in learned.items()}
    paths.write_atomic(file, save(tensors, metadata={"texts_sha256": sha256_of(texts)}))
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, sha256 {sha256_of(file)}: put it beside its name in labkit")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=paths.cache() / "cross", help="where the work is kept")
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--rate", type=float, default=1e-3)
    given = parser.parse_args()
    if not (given.folder / "texts.json").is_file():
        prepare(given.folder)
    ship(train(given.folder, given.steps, given.rate), given.folder / "texts.json", paths.data() / FILE)
