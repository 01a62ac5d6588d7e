"""Other people's MaxSim, each in a process of its own: one that crashes takes nothing with it.

``python -m labkit.evaluation.bench_peers MODULE:FUNCTION`` reads JSON lines: first a shape, answered by the peer's
scores, then ``"time"`` as often as it pleases, answered by the seconds of one call. `Child` is the other end.

Legend: ``Nq`` queries of ``Lq`` tokens, ``Nd`` documents, ``T`` tokens of all documents, ``d`` dimensions.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise

import numpy as np

from labkit.evaluation.bench import Gone, timer

QUERY_TOKENS = 32
SHORTEST, LONGEST = 40, 180
PADDED = 256  # documents in a padded batch


@dataclass(frozen=True)
class Shape:
    """How many documents of 40 to 180 tokens, dimensions, and queries of 32 tokens; with a seed, the data itself."""

    documents: int
    dim: int
    queries: int = 1
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.documents} documents, d = {self.dim}, {self.queries} queries"

    @property
    def offsets(self) -> np.ndarray:
        """[Nd + 1] int64: where each document's tokens begin."""
        lengths = np.random.default_rng([self.seed, 1]).integers(SHORTEST, LONGEST + 1, self.documents)
        return np.concatenate([[0], np.cumsum(lengths)])

    def data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Queries [Nq, Lq, d] and document tokens [T, d], unit vectors in float32, and offsets [Nd + 1]."""
        draw, offsets = np.random.default_rng([self.seed, 2]), self.offsets
        queries = _unit(draw, self.queries * QUERY_TOKENS, self.dim).reshape(self.queries, QUERY_TOKENS, self.dim)
        return queries, _unit(draw, int(offsets[-1]), self.dim), offsets


def _unit(draw: np.random.Generator, rows: int, dim: int) -> np.ndarray:
    vectors = draw.standard_normal((rows, dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@dataclass(frozen=True)
class Peer:
    """A system to compare with: what must be installed, and ``module:function`` that makes it ready."""

    name: str
    package: str
    ready: str


PEERS = (
    Peer("maxsim-cpu", "maxsim_cpu", f"{__name__}:maxsim_cpu"),
    Peer("sentence-transformers", "sentence_transformers", f"{__name__}:sentence_transformers"),
    Peer("padded einsum", "torch", f"{__name__}:padded_einsum"),
)

Scores = Callable[[], np.ndarray]


def maxsim_cpu(queries: np.ndarray, vectors: np.ndarray, offsets: np.ndarray) -> Scores:
    """maxsim-cpu takes one query and a list of documents."""
    from maxsim_cpu import maxsim_scores_variable

    documents = [vectors[a:b] for a, b in pairwise(offsets)]
    return lambda: np.stack([maxsim_scores_variable(query, documents) for query in queries])


def sentence_transformers(queries: np.ndarray, vectors: np.ndarray, offsets: np.ndarray) -> Scores:
    """sentence-transformers takes lists of tensors and pads them."""
    import torch
    from sentence_transformers.util.similarity import maxsim

    left = [torch.from_numpy(query) for query in queries]
    right = [torch.from_numpy(vectors[a:b]) for a, b in pairwise(offsets)]
    return lambda: maxsim(left, right).numpy()


def padded_einsum(queries: np.ndarray, vectors: np.ndarray, offsets: np.ndarray) -> Scores:
    """What a tutorial would write, in batches. They are padded before the clock starts, which is kind to it."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    left = torch.from_numpy(queries)
    documents = [torch.from_numpy(vectors[a:b]) for a, b in pairwise(offsets)]
    parts = [documents[start : start + PADDED] for start in range(0, len(documents), PADDED)]
    batches = [pad_sequence(part, batch_first=True) for part in parts]
    lengths = [torch.tensor([len(document) for document in part]) for part in parts]
    absent = [torch.arange(b.shape[1]) >= n[:, None] for b, n in zip(batches, lengths, strict=True)]

    def score() -> np.ndarray:
        scores = []
        for batch, hidden in zip(batches, absent, strict=True):
            products = torch.einsum("qld,bmd->qblm", left, batch)
            scores.append(products.masked_fill_(hidden[None, :, None], -torch.inf).amax(-1).sum(-1))
        return torch.cat(scores, 1).numpy()

    return score


class Child:
    """A peer at work on one shape in a process of its own; use it in a ``with`` statement."""

    def __init__(self, peer: Peer, shape: Shape, threads: int) -> None:
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "labkit.evaluation.bench_peers", peer.ready],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        self._send({"shape": asdict(shape), "threads": threads})

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def scores(self) -> np.ndarray:
        """[Nq, Nd] float32; waits until the peer is ready. Raises `Gone` if it has died."""
        answer = self._receive()
        return np.frombuffer(base64.b64decode(answer["scores"]), np.float32).reshape(answer["size"])

    def seconds(self) -> float:
        """The seconds of one call, now. Raises `Gone` if the peer has died."""
        self._send("time")
        return self._receive()["seconds"]

    def _send(self, message: object) -> None:
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            pass  # it is dead; the answer that does not come says so

    def _receive(self) -> dict:
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        answer = json.loads(line) if line.endswith(b"\n") else {"error": f"exit code {self.process.wait()}"}
        if "error" in answer:
            raise Gone(answer["error"])
        return answer


def main(target: str) -> None:
    """The child's side. Whatever a library prints goes to stderr: stdout carries answers only."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tell = partial(print, file=answers, flush=True)
    try:
        import torch

        order = json.loads(sys.stdin.readline())
        torch.set_num_threads(order["threads"])
        module, function = target.split(":")
        work = getattr(import_module(module), function)(*Shape(**order["shape"]).data())
        scores = np.ascontiguousarray(work(), np.float32)
        tell(json.dumps({"scores": base64.b64encode(scores.tobytes()).decode(), "size": scores.shape}))
        seconds = timer(work) if sys.stdin.readline() else None
        while seconds:
            tell(json.dumps({"seconds": seconds()}))
            if not sys.stdin.readline():
                break
    except Exception as error:  # told to the other end, which prints it
        tell(json.dumps({"error": f"{type(error).__name__}: {error}"}))


if __name__ == "__main__":
    main(sys.argv[1])
