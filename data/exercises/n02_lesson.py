"""02.lesson: the lesson's rerank function, repaired. The service says which candidate it means by index alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from labkit.course.exercises import CodeExercise, Wrong

Pairs = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Result:
    """All that a result of the service carries: no document, no text."""

    index: int
    relevance_score: float


@dataclass(frozen=True, slots=True)
class Response:
    """The service's answer, best result first."""

    results: list[Result]


class LocalService:
    """In the shape of ``cohere.ClientV2().rerank``, answered by this machine: scores are MaxSim a query token."""

    def rerank(self, *, model: str, query: str, documents: list[str], top_n: int | None = None) -> Response:
        """The ``top_n`` best documents, or all; equal scores keep the order of the input."""
        import labkit as lk

        if not documents:
            return Response([])
        late = lk.LateInteractionReranker()
        tokens = max(1, len(late.encoder.encode_queries([query])[0]))
        ranking = late.rerank(query, documents, top_n or len(documents))
        return Response([Result(int(hit.doc_id), round(max(0.0, hit.score) / tokens, 4)) for hit in ranking])

    def __repr__(self) -> str:
        return "<a rerank service in Cohere's shape; its scores are this machine's MaxSim, not Cohere's>"


co = LocalService()


def rerank(query: str, candidates: list[str], top_n: int = 5) -> list[tuple[str, float]]:
    """The `top_n` best candidates as (text, score), best first."""
    response = co.rerank(model="rerank-english-v3.0", query=query, documents=candidates, top_n=top_n)
    return [(candidates[r.index], r.relevance_score) for r in response.results]


def _wrong(pairs: Callable[[list[Result], list[str]], object]) -> Callable[..., object]:
    """A rerank that calls the service correctly and makes ``pairs`` of its results."""

    def attempt(query: str, candidates: list[str], top_n: int = 5) -> object:
        return pairs(co.rerank(model="m", query=query, documents=candidates, top_n=top_n).results, candidates)

    return attempt


def _asks(documents: Callable[[list[str], int], list[str]], n: Callable[[int], int | None]) -> Callable[..., Pairs]:
    """A rerank that maps by index, but sends other documents or another number."""

    def attempt(query: str, candidates: list[str], top_n: int = 5) -> Pairs:
        response = co.rerank(model="m", query=query, documents=documents(candidates, top_n), top_n=n(top_n))
        return [(candidates[r.index], r.relevance_score) for r in response.results]

    return attempt


WRONG_ANSWERS = (
    Wrong(
        "as printed",
        _wrong(lambda results, c: [(r.document.text, r.relevance_score) for r in results]),  # type: ignore[attr-defined]
        "the service does not send the documents back. A result has .index and .relevance_score.",
    ),
    Wrong(
        "input order",
        _wrong(lambda results, c: [(text, r.relevance_score) for text, r in zip(c, results, strict=False)]),
        "results come best first, candidates do not. The first score belongs to the candidate that .index names.",
    ),
    Wrong(
        "mapped by text",
        _wrong(lambda results, c: list({c[r.index]: r.relevance_score for r in results}.items())),
        "two candidates can have the same text. A dictionary keyed by text keeps one of them; a list keeps both.",
    ),
    Wrong(
        "index from 1",
        _wrong(lambda results, c: [(c[r.index - 1], r.relevance_score) for r in results]),
        ".index counts from 0, as Python does. Subtract nothing.",
    ),
    Wrong(
        "indices, not texts",
        _wrong(lambda results, c: [(r.index, r.relevance_score) for r in results]),
        "the caller wants texts. Look up candidates[r.index].",
    ),
    Wrong(
        "texts without scores",
        _wrong(lambda results, c: [c[r.index] for r in results]),
        "return pairs of text and score: the caller needs both.",
    ),
    Wrong(
        "top_n not sent",
        _asks(lambda c, n: c, lambda n: None),
        "without top_n the service returns every candidate. Hand top_n on.",
    ),
    Wrong(
        "always 5",
        _asks(lambda c, n: c, lambda n: 5),
        "5 is only the default. Hand on the top_n that the caller asked for.",
    ),
    Wrong(
        "an argument of the first client",
        lambda query, candidates, top_n=5: co.rerank(  # type: ignore[call-arg]
            model="m", query=query, documents=candidates, top_n=top_n, return_documents=True
        ),
        "rerank takes model, query, documents and top_n, by name. return_documents was the first client's; it is gone.",
    ),
    Wrong(
        "the service's objects",
        _wrong(lambda results, c: results),
        "the caller knows nothing of the service. Make a pair of text and score of each result.",
    ),
    Wrong("swapped", _wrong(lambda results, c: [(r.relevance_score, c[r.index]) for r in results]), "text first."),
    Wrong(
        "turned around",
        _wrong(lambda results, c: [(c[r.index], r.relevance_score) for r in reversed(results)]),
        "the service has sorted already, best first. Keep its order.",
    ),
    Wrong(
        "sorted by text",
        _wrong(lambda results, c: sorted(((c[r.index], r.relevance_score) for r in results), reverse=True)),
        "sorting pairs sorts by their first item, the text. The results were in order before.",
    ),
    Wrong(
        "back in input order",
        _wrong(lambda results, c: [(c[r.index], r.relevance_score) for r in sorted(results, key=lambda r: r.index)]),
        "sorted by index, they stand where the first stage had them. Keep the order of the results.",
    ),
    Wrong("one too few", _asks(lambda c, n: c, lambda n: n - 1 or None), "top_n is how many to return, not one less."),
    Wrong(
        "cut before reranking",
        _asks(lambda c, n: c[:n], lambda n: n),
        "send all candidates. Cut to top_n first, and the reranker only shuffles the first stage's favourites.",
    ),
)


def cases() -> list[tuple]:
    """Three inputs to look at, then twenty that are drawn; texts repeat, and the best candidate is rarely the first."""
    docs = ["sort the rows of a table", "drop duplicate rows", "read a csv file", "drop duplicate rows"]
    shown = [("drop duplicate rows", docs), ("drop duplicate rows", docs, 2), ("read a table", docs, 1)]
    draw = random.Random(2)
    words = ["drop", "sort", "read", "merge", "rows", "table", "file", "index", "name", "value"]
    for _ in range(20):
        texts = [" ".join(draw.sample(words, 3)) for _ in range(draw.randint(4, 9))]
        texts.insert(draw.randrange(len(texts)), draw.choice(texts))
        shown.append((" ".join(draw.sample(words, 4)), texts, draw.randint(1, 8)))
    return shown


LESSON = CodeExercise(
    id="02.lesson",
    title="Repair the lesson's rerank",
    minutes=8,
    difficulty=1,
    importance=3,
    misconception="a result is a position and a score. Which text it means, only your own list of candidates knows.",
    see="five pairs of text and score, the highest score first, duplicates kept.",
    hints=(
        "Print one result: `co.rerank(model='rerank-english-v3.0', query=..., documents=..., top_n=1).results[0]`.",
        "`r.index` is a position in the list that you sent as `documents`.",
        "`candidates[r.index]` is the text, `r.relevance_score` the score. Pair them, in the order of the results.",
    ),
    reasoning="The lesson reads `r.document.text`. The service returns no documents, only positions, so the texts come "
    "from the list that you sent. Map by index, never by text: candidates can be equal.",
    solution=rerank,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
    given={"co": co},
)

EXERCISES = (LESSON,)
