"""Train the head that ships: 384 dimensions to 128, and in it heads of 96, 64 and 48 dimensions.

    python data/recipes/train_head.py            # prepares, trains, writes data/head.safetensors

The encoder stays frozen: passages and queries are encoded once, then only their vectors are read. Texts are docstrings
outside pydocs, with queries made of them as for the cross-encoder, and texts of random words from the model's own
vocabulary, so that the head keeps directions that docstrings never use. The head starts as the PCA of the random words,
which know no subject, and learns to give each query's passages the scores that MaxSim gives them in all dimensions:
their distribution over the passages of a step (Kullback and Leibler's divergence), and each query token's best
similarity (squared error). The loss is the sum over the nested heads (Kusupati et al., Matryoshka Representation
Learning, 2022). No judged query is used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import kl_div, normalize
from tqdm import tqdm

from labkit import paths
from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.default_model import find_default_model, sha256_of
from labkit.encoding.head import DIMS, FILE
from labkit.encoding.tokens import PackedTokens

SEED = 7
DOCSTRINGS, SALADS = 1_200, 3_000  # passages
HELD_OUT = 200  # queries of docstrings
QUERIES_A_STEP, NEAR_A_QUERY = 16, 3  # and three passages near each query's own
STEPS = 300
RATE = 5e-4
TEMPERATURE = 0.5
TOKEN_WEIGHT = 100.0  # of the squared error of a token's best similarity
CANDIDATES = 60  # near passages that a held-out query's own has to beat


@dataclass(frozen=True)
class Vectors:
    """Token vectors of queries and of the passages that they come from, in one order; the held-out ones come first."""

    queries: PackedTokens
    passages: PackedTokens
    texts_sha256: str = ""

    def near(self, count: int, within: slice) -> np.ndarray:
        """[n, count] for each query in a range the passages of that range nearest to it, but for its own: by the
        twin's cosine, nearest first."""
        cosine = self.queries.pooled[within] @ self.passages.pooled[within].T
        np.fill_diagonal(cosine, -np.inf)
        return np.argsort(-cosine, axis=1, kind="stable")[:, :count] + (within.start or 0)


def texts(docstrings: int = DOCSTRINGS, salads: int = SALADS) -> tuple[list[str], list[str]]:
    """Queries and their passages, in one order."""
    from cross_texts import pydocs_sentences, sources
    from train_cross_encoder import example

    rng = random.Random(SEED)
    known = sources(pydocs_sentences())
    pairs = [example(source, rng) for source in rng.sample(known, min(len(known), docstrings + 300))]
    pairs = [(query, passage) for query, passage in pairs if query.strip() and len(passage.split()) >= 8][:docstrings]
    vocabulary = json.loads((find_default_model() / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    words = sorted(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2)
    rng = random.Random(SEED)
    for _ in range(salads):
        chosen = rng.sample(words, 40)
        pairs.append((" ".join(rng.sample(chosen, rng.randint(2, 8))), " ".join(chosen)))
    return [query for query, _ in pairs], [passage for _, passage in pairs]


def stored(file: Path | None = None, progress: bool = True) -> Vectors:
    """The vectors to learn from; encoded once, which takes some minutes, then read from ``file``."""
    from safetensors.numpy import load_file, save

    file = file or paths.cache() / "head" / f"vectors-{DOCSTRINGS}-{SALADS}.safetensors"
    if not file.is_file():
        queries, passages = texts()
        encoder = load_encoder(store=False)
        packs = {"passages": encoder.encode_documents(passages, progress=progress)}
        packs["queries"] = encoder.encode_queries(queries)
        digest = hashlib.sha256(json.dumps([queries, passages]).encode()).digest()
        arrays = {"texts": np.frombuffer(digest, np.uint8)}
        for side, pack in packs.items():
            arrays |= {f"{side}.vectors": pack.vectors.astype(np.float16), f"{side}.offsets": pack.offsets}
            arrays |= {f"{side}.pooled": pack.pooled}
        paths.write_atomic(file, save(arrays))
    a = load_file(file)
    sides = [
        PackedTokens(a[f"{side}.vectors"], a[f"{side}.offsets"], pooled=a[f"{side}.pooled"], finite=True)
        for side in ("queries", "passages")
    ]
    return Vectors(*sides, a["texts"].tobytes().hex())


def pca(passages: PackedTokens, dim: int = DIMS[0]) -> np.ndarray:
    """[d, dim] float32: the directions in which token vectors vary most, most first."""
    covariance, total = np.zeros((passages.dim, passages.dim)), np.zeros(passages.dim)
    for start in range(0, len(passages.vectors), 65_536):
        rows = passages.vectors[start : start + 65_536].astype(np.float32)
        covariance += rows.T @ rows
        total += rows.sum(axis=0)
    mean = total / len(passages.vectors)
    directions = np.linalg.eigh(covariance / len(passages.vectors) - np.outer(mean, mean))[1]
    return directions[:, ::-1][:, :dim].astype(np.float32)


def train(
    vectors: Vectors,
    steps: int = STEPS,
    seed: int = SEED,
    held: int = HELD_OUT,
    dims: tuple[int, ...] = DIMS,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Learn a head from stored vectors, without the first ``held`` queries and passages.

    It begins as ``start`` [d, max(dims)]; as the PCA of the passages that it learns from, if None.

    Returns
    -------
    projection : [d, max(dims)] float32
    curve : ``"loss"`` of each step, and ``"held_out"``: how well held-out queries find their passage (`found`), with
        the head as it started and as it ended
    """
    rng = np.random.default_rng(seed)
    learning = slice(held, len(vectors.queries))
    near, start = vectors.near(30, learning), pca(vectors.passages[held:], max(dims)) if start is None else start
    projection = torch.nn.Parameter(torch.from_numpy(start.copy()))
    scales = torch.nn.Parameter(torch.zeros(len(dims)))  # logarithms: smaller spaces have larger similarities
    optimizer = torch.optim.Adam([projection, scales], lr=RATE)
    count, losses = learning.stop - held, []
    order = np.concatenate([rng.permutation(count) for _ in range(1 + steps * QUERIES_A_STEP // count)])
    for step in tqdm(range(steps)):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * max(0.02, 1 - step / steps)
        own = order[step * QUERIES_A_STEP :][:QUERIES_A_STEP]
        beside = np.concatenate([rng.choice(near[i], NEAR_A_QUERY, replace=False) for i in own])
        chosen = np.unique(np.concatenate([own + held, beside]))
        loss = distance(vectors, own + held, chosen, projection, scales, dims)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
    head = projection.detach().numpy()
    return head, {"loss": losses, "held_out": found(vectors, held, {"start": start, "end": head}, dims)}


def distance(
    vectors: Vectors, numbers: np.ndarray, chosen: np.ndarray, projection: torch.Tensor, scales: torch.Tensor,
    dims: tuple[int, ...],
) -> torch.Tensor:  # fmt: skip
    """How far the nested heads' scores of some passages are from those in the full space, summed over the heads."""
    (q, each), (d, lengths) = rows(vectors.queries, numbers), rows(vectors.passages, chosen)
    told = best(q, d, lengths)
    wanted = (summed(told, each) / TEMPERATURE).log_softmax(1)
    told, loss = told - told.mean(1, keepdim=True), torch.zeros(())
    q, d = q @ projection, d @ projection
    for scale, dim in zip(scales.exp(), dims, strict=True):
        mine = best(normalize(q[:, :dim], dim=1), normalize(d[:, :dim], dim=1), lengths) * scale
        score = (summed(mine, each) / TEMPERATURE).log_softmax(1)
        apart = (mine - mine.mean(1, keepdim=True) - told).square().mean()
        loss = loss + kl_div(score, wanted, reduction="batchmean", log_target=True) + TOKEN_WEIGHT * apart
    return loss


def rows(packed: PackedTokens, numbers: np.ndarray) -> tuple[torch.Tensor, list[int]]:
    """The token vectors of some texts below each other, float32, and how many each has."""
    parts = [packed.vectors[packed.offsets[i] : packed.offsets[i + 1]] for i in numbers]
    return torch.from_numpy(np.concatenate(parts).astype(np.float32)), [len(part) for part in parts]


def best(q: torch.Tensor, d: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """[Lq, n] each query token's best similarity in each of n passages."""
    return torch.stack([part.amax(1) for part in (q @ d.T).split(lengths, 1)], 1)


def summed(similarities: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """[Nq, n] MaxSim from the best similarities of all queries' tokens."""
    return torch.stack([part.sum(0) for part in similarities.split(lengths, 0)])


def found(vectors: Vectors, held: int, heads: dict[str, np.ndarray], dims: tuple[int, ...] = DIMS) -> dict[str, float]:
    """nDCG of the first ``held`` queries, each with its own passage among those nearest to it, by MaxSim.

    In the full space (``"full"``) and with the first columns of each head (``"end 128"``); empty where none are held.
    """
    gains: dict[str, list[float]] = {}
    near = vectors.near(CANDIDATES, slice(0, len(vectors.queries)))
    for number in range(held):
        (q, _), (d, lengths) = rows(vectors.queries, [number]), rows(vectors.passages, [number, *near[number]])
        spaces = {"full": (q, d)}
        for name, head in heads.items():
            wide = [side @ torch.from_numpy(head) for side in (q, d)]
            spaces |= {f"{name} {n}": tuple(normalize(side[:, :n], dim=1) for side in wide) for n in dims}
        for name, (queries, passages) in spaces.items():
            scores = best(queries, passages, lengths).sum(0)
            gains.setdefault(name, []).append(1 / np.log2(2 + int((scores[1:] > scores[0]).sum())))
    return {name: round(float(np.mean(values)), 4) for name, values in gains.items()}


def ship(projection: np.ndarray, curve: dict[str, Any], texts_sha256: str, file: Path) -> None:
    """Write the head, with what its training showed as metadata, and say the file's sha256."""
    from safetensors.numpy import save

    told = {"texts_sha256": texts_sha256, "seed": str(SEED), "curve": json.dumps(curve)}
    paths.write_atomic(file, save({"projection": np.ascontiguousarray(projection)}, metadata=told))
    print(f"{file}: {file.stat().st_size / 1e3:.0f} kB, sha256 {sha256_of(file)}: put it into head.SHA256")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    vectors = stored()
    began = time.time()
    projection, curve = train(vectors, given.steps, start=pca(vectors.passages[DOCSTRINGS:]))
    print(f"{time.time() - began:.0f} seconds; held out: {curve['held_out']}")
    ship(projection, curve, vectors.texts_sha256, paths.data() / FILE)
