"""Replaying a traced request: build the system again from what the trace says, ask again, and tell what differs.

A cause comes before its effect: other documents, other models, other versions; then other hits, ranks and scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit.corpus.collection import Collection
from labkit.corpus.load import load_collection
from labkit.errors import LabError
from labkit.evaluation.knobs import changes
from labkit.ranking.rebuild import rebuild, timeless
from labkit.ranking.redaction import Salt
from labkit.ranking.trace_line import ID_DIGITS
from labkit.ranking.two_stage import TwoStage
from labkit.ranking.watched import Request, about, run
from labkit.records import code_hash, versions

TOLERANCE = 1e-6  # of a score, times the query's tokens: what order and batches of documents may move
SLACK = {"logit": 10, "sum of z-scores": 10}  # batches of pairs move a logit by 1e-5; a z-score divides by a spread
NAMED = 5  # ids in a sentence


@dataclass(frozen=True)
class Replay:
    """A traced request beside its repetition. ``causes`` may be there without effects: then the answer held.

    Attributes
    ----------
    logged, now : hits of the last stage, as a trace writes them
    causes, effects : sentences, the first cause first; without effects the answer is the same
    logged_seconds, seconds : of the whole request, then and now (without loading models)
    """

    request: str
    query: str
    logged: list[dict[str, Any]] = field(repr=False)
    now: list[dict[str, Any]] = field(repr=False)
    causes: tuple[str, ...]
    effects: tuple[str, ...]
    logged_seconds: float
    seconds: float

    @property
    def same(self) -> bool:
        """Whether hits, ranks and scores are the logged ones."""
        return not self.effects

    def to_dict(self) -> dict[str, Any]:
        """The JSON that ``labkit trace replay --json`` prints."""
        return {
            "request": self.request, "query": self.query, "same": self.same, "causes": list(self.causes),
            "effects": list(self.effects), "logged": [hit["id"] for hit in self.logged],
            "now": [hit["id"] for hit in self.now], "seconds": {"logged": self.logged_seconds, "now": self.seconds},
        }  # fmt: skip

    def to_text(self) -> str:
        """Verdict, causes, effects and time, one a line."""
        verdict = "The answer is the same." if self.same else "The answer differs."
        told = [f"  cause:  {cause}" for cause in self.causes] + [f"  effect: {effect}" for effect in self.effects]
        if not self.same and not self.causes:
            told.insert(0, "  cause:  none that the trace knows: same documents, models, settings, versions and code")
        times = f"  time:   {self.logged_seconds * 1000:.0f} ms then, {self.seconds * 1000:.0f} ms now"
        return "\n".join([f"{self.request[:8]} {self.query!r}", verdict, *told, times])

    __repr__ = to_text


def replay(
    record: Mapping[str, Any], query: str | None = None, collection: Collection | None = None, live: bool = False
) -> Replay:
    """Ask a traced request again.

    Raises a LabError where it cannot be replayed: no query, another query, no collection, an unknown system, or a live
    one.

    Parameters
    ----------
    record : a request from ``lk.Trace(path).read()``
    query : its text, where the trace does not hold it; it must have the logged hash
    collection : what to search, where the logged one has no name or folder that can be loaded
    live : let a request that Cohere answered go to Cohere again: it sends query and passages, and costs money
    """
    query = asked(record, query)
    c = collection or load_collection(record["collection"]["source"] or record["collection"]["name"])
    system = rebuild(record["configuration"], c, live)
    known = about(system)  # loads the models, so that time does not count it
    request = run(system, query, {name: record[name] for name in ("k", "top_n") if name in record})
    if request.error and not isinstance(request.error, Exception):
        raise request.error
    stages = _as_logged(record, [stage.to_dict() for stage in request.stages])
    pairs = list(zip(record["stages"], stages, _parts(system), strict=False))
    told, now = timeless(record["configuration"]), timeless(known["configuration"])
    causes = (
        *_fallbacks(record, stages), *_documents(record, known, pairs), *changes(told, now),
        *changes(record["versions"], versions(), "version of "), *changes(record["code"], code_hash(), "code"),
        *(told for old, new, _ in pairs for told in _settings(old, new)),
    )  # fmt: skip
    effects = [*_outcome(record, request)]
    for old, new, part in pairs:
        effects += _hits(old, new) + _scores(old, new, _tolerance(part, query, new["scale"]))
    logged, found = (those[-1]["out"] if those else [] for those in (record["stages"], stages))
    return Replay(
        record["id"], query, logged, found, causes, tuple(effects), record["seconds"], round(request.seconds, 6)
    )  # fmt: skip


def asked(record: Mapping[str, Any], query: str | None = None) -> str:
    """The text of a traced query: the logged one, or the one given if it has the logged hash."""
    if query is None:
        if record["query_exact"]:
            return record["query"]
        why = "only its hash" if record["query"] is None else "a redacted query, which cannot be replayed exactly"
        raise LabError(f"request {record['id'][:8]} logged {why}. Give the text that was asked: --query TEXT.")
    salt = Salt()
    if record["query_exact"]:
        same = record["query"] == query
    elif salt.name != record["salt"]:
        raise LabError(
            f"the query cannot be checked: it was hashed with the salt {record['salt']}, and this machine's is "
            f"{salt.name}. Replay where it was logged, or bring its trace.salt into LABKIT_HOME."
        )
    else:
        same = salt.hash(query) == record["query_hash"]
    if not same:
        raise LabError(f"that is not the query of request {record['id'][:8]}: its hash differs. Give it to the letter.")
    return query


def _parts(system: Any) -> Iterator[Any]:
    """The stages of a system in the order in which they run."""
    if isinstance(system, TwoStage):
        yield from _parts(system.first)
    yield system.reranker if isinstance(system, TwoStage) else system


def _as_logged(record: Mapping[str, Any], stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new stages with the ids as the trace wrote them: an id that was redacted there is known by its hash."""
    hits = [hit["id"] for stage in record["stages"] for hit in stage["out"]]
    known = {shown.rpartition("#")[2]: shown for shown in hits if "[" in shown and "#" in shown}
    salt = Salt()
    for hit in (hit for stage in stages if known for hit in stage["out"]):
        hit["id"] = known.get(salt.hash(hit["id"])[:ID_DIGITS], hit["id"])
    return stages


def _fallbacks(record: Mapping[str, Any], stages: list[dict[str, Any]]) -> Iterator[str]:
    for when, those in (("logged", record["stages"]), ("new", stages)):
        for stage in those:
            if stage["fallback"]:
                yield f"the {when} order is the first stage's: {stage['fallback']}"


def _documents(record: Mapping[str, Any], known: Mapping[str, Any], pairs: list) -> Iterator[str]:
    old, new = record["collection"], known["collection"]
    if old["hash"] != new["hash"]:
        yield f"the documents of {old['name']} changed: hash {old['hash']} → {new['hash']}"
    changed = {
        hit["id"]: None
        for a, b, _ in pairs
        for hit in b["out"]
        if {h["id"]: h["texts"] for h in a["out"]}.get(hit["id"], hit["texts"]) != hit["texts"]
    }
    if changed:
        yield f"the text of {_listed(changed)} changed"


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in ("k", "top_n"):
        yield from changes(old.get(name), new.get(name), f"{name} of {old['name']}")


def _outcome(record: Mapping[str, Any], request: Request) -> Iterator[str]:
    old, new = record["error"].split(":")[0], type(request.error).__name__ if request.error else ""
    if old != new:
        yield f"logged: {record['error'] or 'answered'}; now: {request.error or 'answered'}"


def _hits(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Ids that came or went, and ranks that moved among those that stayed."""
    a, b = ({hit["id"]: hit["rank"] for hit in stage["out"]} for stage in (old, new))
    moved = [f"{doc_id} {a[doc_id]} → {b[doc_id]}" for doc_id in a if doc_id in b and a[doc_id] != b[doc_id]]
    found = {"entered": [i for i in b if i not in a], "left": [i for i in a if i not in b], "moved": moved}
    return [f"{old['name']}: {_listed(those)} {what}" for what, those in found.items() if those]


def _scores(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float) -> list[str]:
    """The largest difference of a score, if it is beyond the tolerance and the scales are the same."""
    if old["scale"] != new["scale"]:
        return [f"{old['name']}: scores are {new['scale'] or 'none'} now, {old['scale'] or 'none'} then"]
    a = {hit["id"]: hit["score"] for hit in old["out"]}
    pairs = [(hit["id"], a[hit["id"]], hit["score"]) for hit in new["out"] if hit["id"] in a]
    gaps = [(_gap(x, y), doc_id, x, y) for doc_id, x, y in pairs]
    gap, doc_id, x, y = max(gaps, key=lambda gap: gap[0], default=(0.0, "", 0.0, 0.0))
    allowed = tolerance * max(1.0, abs(x or 0.0)) if tolerance <= TOLERANCE else tolerance
    if gap <= allowed:
        return []
    return [f"{old['name']}: largest score difference at {doc_id}, {x} → {y} ({old['scale']}, {allowed:.1g} allowed)"]


def _gap(x: float | None, y: float | None) -> float:
    return 0.0 if x == y else float("inf") if x is None or y is None else abs(x - y)


def _tolerance(part: Any, query: str, scale: str) -> float:
    """`TOLERANCE` times the query's tokens, where an encoder reads it."""
    encoder = getattr(part, "encoder", None)
    tokens = len(encoder.encode_queries([query])[0]) if encoder else 1
    return TOLERANCE * max(1, tokens) * SLACK.get(scale, 1)


def _listed(those: Any) -> str:
    names = list(those)
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
