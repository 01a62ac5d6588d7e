"""The gauntlet: MaxSim kernels with one documented public bug each, for a learner's tests to find: ``lk.gauntlet``.

A kernel is right but for its bug. Its docstring tells what its source tells; the comment "assumed" marks the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from labkit.course.attempts import show
from labkit.errors import LabError
from labkit.scoring.maxsim import maxsim
from labkit.scoring.table import html_table, text_table

WANTED = 6  # kernels that a good set of tests kills at least
_HEAD = ("kernel", "source", "killed by")


@dataclass(frozen=True)
class Kernel:
    """``run(query [Lq, d], documents, each [Ld, d])`` gives a score for each document; arrays or nested lists."""

    name: str
    source: str
    story: str
    run: Callable[..., Any] = field(repr=False)


@dataclass(frozen=True, repr=False)
class Verdict:
    """Which test killed each kernel first, which kernels nobody noticed, and which tests prove nothing, and why."""

    killed: dict[str, str]
    survived: tuple[str, ...]
    invalid: dict[str, str]

    def to_text(self) -> str:
        """A table, the count, the tests that prove nothing, and each survivor's story as a hint."""
        rows, summary, notes = self._parts()
        return "\n".join([text_table(_HEAD, rows, left=3), summary, *notes])

    __repr__ = to_text

    def _repr_html_(self) -> str:
        rows, summary, notes = self._parts()
        return html_table(_HEAD, rows, summary) + "".join(f"<p>{escape(note)}</p>" for note in notes)

    def _parts(self) -> tuple[list[list[str]], str, list[str]]:
        rows = [[k.name, k.source, self.killed.get(k.name, "SURVIVED")] for k in KERNELS]
        notes = [f"{test}: {message}" for test, message in self.invalid.items()]
        notes += [f"not noticed: {k.story}" for k in KERNELS if k.name in self.survived]
        return rows, f"killed {len(self.killed)} of {len(KERNELS)}; {WANTED} are wanted", notes


def gauntlet(tests: Callable[..., None] | Sequence[Callable[..., None]]) -> Verdict:
    """Run one test function or a list of them against every kernel.

    A test takes a kernel, ``maxsim(query, documents)``, and fails by an exception; as in pytest, returning something
    is a failure too. A test that fails on the correct kernel proves nothing, and kills nothing.

    >>> def by_hand(maxsim):
    ...     assert maxsim([[1, 0], [0, 1]], [[[10, 0], [1, 100]]])[0] == 110
    >>> gauntlet(by_hand).killed
    {'mean of the query': 'by_hand'}
    """
    listed = [tests] if callable(tests) else tests
    if not isinstance(listed, (list, tuple)) or not listed or not all(map(callable, listed)):
        raise LabError(f"tests must be one function or a list of them; got {show(tests)}. Write gauntlet([test_a]).")
    names = [getattr(test, "__name__", type(test).__name__) for test in listed]
    named = {f"{n} ({i + 1})" if n in names[:i] else n: listed[i] for i, n in enumerate(names)}
    faults = {name: _fault(test, CORRECT.run) for name, test in named.items()}
    killers = {k.name: next((n for n in named if not faults[n] and _fault(named[n], k.run)), "") for k in KERNELS}
    killed = {kernel: name for kernel, name in killers.items() if name}
    invalid = {n: f"fails on the correct kernel: it proves nothing ({why})" for n, why in faults.items() if why}
    return Verdict(killed, tuple(kernel for kernel in killers if kernel not in killed), invalid)


def _fault(test: Callable[..., None], kernel: Callable[..., Any]) -> str:
    try:
        returned = test(kernel)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # pytest.raises and pytest.fail raise no Exception
        return show(error)
    return "" if returned is None else f"it returns {show(returned)}; write assert"


def _arrays(query: Any, documents: Any) -> list[np.ndarray]:
    """Query and documents as float32; an empty list is a text without tokens."""
    parts = [np.asarray(part, np.float32) for part in (query, *documents)]
    dim = next((part.shape[1] for part in parts if part.ndim == 2), 0)
    return [part.reshape(0, dim) if part.shape == (0,) else part for part in parts]


def _kernel(name: str, source: str, scores: Callable[..., Any], checked: Callable[..., Any] = np.asarray) -> Kernel:
    """A kernel for arrays and lists, right about empty input, and about bad input as far as ``checked`` shows it."""

    def run(query: Any, documents: Any) -> Any:
        query, *documents = _arrays(query, documents)
        right = maxsim(checked(query), list(map(checked, documents)))
        with np.errstate(all="ignore"):
            return np.array(scores(query, documents), np.float32) if len(query) and documents else right

    return Kernel(name, source, scores.__doc__ or "", run)


def _scores(query: np.ndarray, documents: list[np.ndarray], best: np.ufunc = np.maximum) -> list:
    return [best.reduce(query @ document.T, axis=1, initial=-np.inf).sum() for document in documents]


def _padding_in_the_query(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Scores came near 2.0 where 1 is the most: the query mask was used for the count, but not for the sum."""
    return _scores(query[[*range(len(query)), *[-1] * (len(query) % 2)]], documents)  # assumed: pads to even


def _mean_of_the_query(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """The query's vectors were averaged into one before MaxSim: not late interaction at all."""
    return _scores(np.full_like(query, query.mean(axis=0)), documents)


def _sorted_scores(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Documents came in input order beside sorted scores: the reranker looked like a no-op."""
    return sorted(_scores(query, documents), reverse=True)


def _batch_mates(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """The document mask ignored some padding: a score depended on the other documents of the batch."""
    flat, most = np.concatenate(documents), max(map(len, documents))
    ends = np.cumsum([len(document) for document in documents])  # assumed: a neighbour's first row is seen
    return _scores(query, [flat[e - len(d) : e + (0 < len(d) < most)] for d, e in zip(documents, ends, strict=True)])


def _batch_of_one(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """The score differed for a batch of 1 only; `assert batch > 1` hid it, and nobody knew why."""
    sides = (documents[0], [query]) if len(documents) == 1 and len(documents[0]) else (query, documents)
    return _scores(*sides)  # assumed: the sides change places


def _padding_wins(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Padded rows are zeros, and once centring made the real similarities negative, a zero won the maximum."""
    most = max(map(len, documents))
    return _scores(query, [np.pad(d, ((0, most - len(d)), (0, 0))) if len(d) else d for d in documents])


def _empty_document(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """A document without tokens scores 0, which is more than a document with negative similarities has."""
    return [score if len(document) else 0 for score, document in zip(_scores(query, documents), documents, strict=True)]


def _zero_rows(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """In 3-D input, rows of zeros are taken for padding, whether they are or not."""
    return _scores(query, [document[document.any(axis=1)] for document in documents])


def _half_precision(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Half precision tied the top candidates together; scores are now computed in float32."""
    return list(np.float16(_scores(query, documents)))


def _hidden_nan(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """A maximum made of comparisons passes over NaN, so that broken vectors get a score like any other."""
    return _scores(query, documents, np.fmax)


def _many_dimensions(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Scores were wrong above 128 dimensions, without an error."""
    return _scores(query[:, :128], [document[:, :128] for document in documents])  # assumed: the rest is dropped


def _long_query(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """A query was cut at 32 tokens, and nothing said so."""
    return _scores(query[:32], documents)


def _long_document(query: np.ndarray, documents: list[np.ndarray]) -> list:
    """Of a passage of 662 tokens, a model with a cap of 300 kept 273 vectors; the rest was "simply gone", unsaid."""
    return _scores(query, [document[:300] for document in documents])


KERNELS = (
    _kernel("padding in the query", "AnswerDotAI/rerankers #75", _padding_in_the_query),
    _kernel("mean of the query", "run-llama/llama_index PR #11335", _mean_of_the_query),
    _kernel("sorted scores", "AnswerDotAI/rerankers #39", _sorted_scores),
    _kernel("batch mates", "stanford-futuredata/ColBERT PR #314", _batch_mates),
    _kernel("batch of one", "Marker-Inc-Korea/AutoRAG PR #366", _batch_of_one),
    _kernel("padding wins", "neuml/txtai PR #1215; PyLate colbert_scores", _padding_wins),
    _kernel("empty document", "PyLate colbert_scores", _empty_document),
    _kernel("zero rows", "sentence-transformers maxsim", _zero_rows),
    _kernel("half precision", "sentence-transformers migration guide; MTEB 2.18.9", _half_precision),
    _kernel("hidden NaN", "numba max", _hidden_nan, checked=np.zeros_like),
    _kernel("many dimensions", "mixedbread-ai/maxsim-cpu 0.1.0", _many_dimensions),
    _kernel("long query", "AnswerDotAI/RAGatouille #99", _long_query),
    _kernel("long document", "huggingface.co/blog/multi-vector-encoder", _long_document),
)
CORRECT = _kernel("correct", "labkit.scoring.maxsim", maxsim)
