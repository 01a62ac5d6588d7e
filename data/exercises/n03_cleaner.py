"""03.cleaner: a cleaner of the learner's own, three rounds, judged by what it undoes and breaks, and what that does.

Each round soils some documents of pydocs, so that it is known what was planted where. The verdict comes from
`lk.score_repair` and from BM25's nDCG@10 over the tickets; a hint comes from how the cleaner treats a few short texts.
"""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from labkit.course.attempts import show
from labkit.course.exercises import Exercise, Outcome, Wrong

if TYPE_CHECKING:
    from labkit.corpus.collection import Collection
    from labkit.corpus.soil import Soiled

PRECISION, RECALL, LOSS = 0.98, 0.95, 0.01
ROUNDS = {
    "invisible": {"zero_width": 1.0},
    "from the web": {"html": 1.0},
    "hardly dirty": {"html": 0.1, "zero_width": 0.1},
}
SAMPLES = (
    "Return a sor\u200bted copy of an array.",
    'Return the <b>mean</b> of <a href="/wiki/each">each</a><br>row.</p><p>Here 0 &lt;= q and q &gt;= 1.',
    "h for 0 <= x and t for y > 1; use <key : value> where n ≥ 2 …",
)


def clean(text: str) -> str:
    """No invisible signs; <br> and </p><p> a blank each, other tags nothing; entities as characters, &nbsp; a blank."""
    text = re.sub("[\u200b\u200d\u200e\u2060\ufeff\u00ad]", "", text)
    text = re.sub("</p><p>|<br/?>", " ", text)
    text = re.sub("</?(?:a|b|em|span|strong)(?: [a-z]+=[^<>]*)?>", "", text)
    return html.unescape(text).replace("\u00a0", " ")


INVISIBLE = "\u200b\u200d\u200e\u2060\ufeff\u00ad"
ESCAPED = "&lt;b&gt; makes a word bold"
TAGGED = '<b>a</b> <a href="/wiki/b">b</a> <span class="hl">c</span> <em>d</em>'


def _seen(text: str, put: str = "") -> str:
    return re.sub(f"[{INVISIBLE}]", put, text)


def _untagged(text: str, gap: str = " ") -> str:
    text = re.sub("</p><p>|<br/?>", gap, text)
    return re.sub("</?(?:a|b|em|span|strong)(?: [a-z]+=[^<>]*)?>", "", text)


def _unescaped(text: str) -> str:
    return html.unescape(text).replace("\u00a0", " ")


def _changes(*texts: str) -> Callable[[Callable[[str], str]], bool]:
    """Whether a cleaner changes one of these texts."""
    return lambda clean: any(clean(text) != text for text in texts)


# No document of the rounds shows this one, so it is asked for when they are won.
UNESCAPED_FIRST = (
    "entities before tags",
    lambda text: _untagged(_unescaped(_seen(text))),
    lambda clean: clean(ESCAPED) != html.unescape(ESCAPED),
    "somebody wrote about a tag: `&lt;b&gt;` has to come out as `<b>`. Take the tags out first, then unescape.",
)

# A known wrong answer each: its name, the cleaner, how to tell one of its kind, and the hint.
KNOWN = (
    (
        "does nothing",
        lambda text: text,
        lambda clean: not _changes(SAMPLES[0], SAMPLES[1])(clean),
        "nothing was undone. Print `lk.exercise('03.cleaner').given['samples']` with `ascii(...)`: what do you see?",
    ),
    (
        "lower case, and no signs",
        lambda text: re.sub(r"[^a-z]+", " ", clean(text).lower()),
        _changes("StratifiedKFold", "on_bad_lines[1:]"),
        "names and signs are content: StratifiedKFold and on_bad_lines[1:] have to come out as they went in.",
    ),
    (
        "ASCII only",
        lambda text: _unescaped(_untagged(text)).encode("ascii", "ignore").decode(),
        _changes("n ≥ 2 … λ"),
        "what is not ASCII is no dirt: ≥, λ and … carry meaning. Take out what cannot be seen, by name.",
    ),
    (
        "white space made equal",
        lambda text: " ".join(clean(text).split()),
        _changes("for x in y:\n    x  # twice"),
        "white space that was there is content: lines and indents of code. Touch only what stands where a tag stood.",
    ),
    (
        "a blank for what is invisible",
        lambda text: clean(_seen(text, " ")),
        lambda clean: clean("sor\u200bted") == "sor ted",
        "an invisible character stands inside a word. Put nothing in its place: a blank makes two words of one.",
    ),
    (
        "one of six",
        lambda text: _unescaped(_untagged(text.replace("\u200b", ""))),
        lambda clean: any(clean(f"sor{sign}ted") != "sorted" for sign in INVISIBLE),
        "an invisible character is left: U+200B, U+200D, U+200E, U+2060, U+FEFF and U+00AD all occur.",
    ),
    (
        "words run together",
        lambda text: _unescaped(_untagged(_seen(text), gap="")),
        lambda clean: clean("each<br>row") == "eachrow",
        "<br> stood for a blank. Take it out, and two words run together.",
    ),
    (
        "paragraphs run together",
        lambda text: _unescaped(_untagged(_seen(text).replace("</p><p>", ""))),
        lambda clean: clean("row.</p><p>Here") == "row.Here",
        "</p><p> stood for a blank, as <br> did. Take it out, and two words run together.",
    ),
    (
        "a new line for a break",
        lambda text: _unescaped(_untagged(_seen(text), gap="\n")),
        lambda clean: "\n" in clean("each<br>row.</p><p>Here"),
        "<br> and </p><p> stood for one blank each. A new line is another character than the one that was there.",
    ),
    (
        "two blanks for one",
        lambda text: _unescaped(_untagged(re.sub("</?p>|<br/?>", " ", _seen(text)))),
        lambda clean: clean("row.</p><p>Here") == "row.  Here",
        "</p><p> stood for one blank. Replace the pair at once, or two blanks are left.",
    ),
    (
        "all angle brackets",
        lambda text: _unescaped(re.sub("<[^>]*>", "", re.sub("</p><p>|<br/?>", " ", _seen(text)))),
        _changes("0 <= x and y > 1", "<key : value>"),
        "0 <= x and y > 1 is no tag, and neither is <key : value>. Name the tags that may go.",
    ),
    (
        "tags are left",
        lambda text: _unescaped(_seen(text)),
        lambda clean: "<" in clean(TAGGED),
        "a tag is left: b, em, strong, a, span, br and p occur, and two of them have an attribute.",
    ),
    (
        "a blank for each tag",
        lambda text: _unescaped(re.sub("</p><p>|</?(?:a|b|em|span|strong|br)(?: [^<>]*)?/?>", " ", _seen(text))),
        lambda clean: clean("the <b>mean</b>") != "the mean",
        "b, em, strong, a and span stood for nothing: put nothing in their place. Only br and </p><p> were blanks.",
    ),
    (
        "entities are left",
        lambda text: _untagged(_seen(text)),
        lambda clean: "&" in clean("&lt;&gt;&quot;&#x27;&nbsp;").replace("&amp;", ""),
        "an entity is left. `html.unescape` knows them all.",
    ),
    (
        "blanks that break nowhere",
        lambda text: html.unescape(_untagged(_seen(text))),
        lambda clean: clean("a&nbsp;b") == "a\u00a0b",
        "`&nbsp;` became U+00A0, which looks like a blank and is none. In these texts it stood for an ordinary one.",
    ),
    UNESCAPED_FIRST,
)
WRONG_ANSWERS = tuple(Wrong(name, answer, hint) for name, answer, _, hint in KNOWN)


@cache
def _round(name: str) -> tuple[Soiled, float]:
    """The soiled documents of a round, and BM25's nDCG@10 on the clean ones."""
    from labkit.corpus.load import load_collection
    from labkit.corpus.soil import soil

    c = load_collection("pydocs")
    asked = [q for q, info in c.query_info.items() if "ticket" in info and any(c.qrels[q].values())]
    judged = {doc for q in asked for doc in c.qrels[q]}
    if name == "hardly dirty":  # what a careless cleaner takes for dirt
        judged |= {i for i, d in c.docs.items() if re.search(r"<[^<>]*>|[^\x00-\x7f]", " ".join(d.passages))}
    part = replace(c.with_queries(asked), docs={i: d for i, d in c.docs.items() if i in judged})
    return soil(part, **ROUNDS[name]), _ndcg(part)


def _ndcg(c: Collection) -> float:
    """BM25's mean nDCG@10; not a run, so no ledger hears of it."""
    from labkit.evaluation.metrics import means, measure
    from labkit.ranking.first_stage import BM25Retriever

    bm25 = BM25Retriever(c)
    return means(measure({q: bm25.search(text, k=10).ids for q, text in c.queries.items()}, c.qrels))["nDCG@10"]


def _played(name: str, attempt: Callable[[str], str]) -> tuple[bool, str]:
    """Whether a round is passed, and a line about it."""
    from labkit.corpus.repair import parts, rebuilt
    from labkit.corpus.soil_score import score_repair

    soiled, before = _round(name)
    docs = {i: rebuilt(d, {n: attempt(text) for n, text in parts(d)}) for i, d in soiled.docs.items()}
    score, after = score_repair(soiled, replace(soiled, docs=docs)), _ndcg(replace(soiled, docs=docs))
    line = f"{name:12}  precision {score.precision:.3f}  recall {score.recall:.3f}  nDCG@10 {before:.3f} -> {after:.3f}"
    return score.precision >= PRECISION and score.recall >= RECALL and after >= before - LOSS, line


@dataclass(frozen=True, kw_only=True)
class CleanerExercise(Exercise):
    """A function from a text to a text, judged by what it does to soiled documents."""

    right: Callable[[str], str] = clean
    wrong_answers: tuple[Wrong, ...]
    given: Mapping[str, Any] = field(default_factory=lambda: {"samples": SAMPLES})

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return f"import html\nimport re\n\n\n{inspect.getsource(self.right)}".strip()

    @property
    def stub(self) -> str:
        """The untouched attempt."""
        return "\n".join([*inspect.getsource(self.right).splitlines()[:2], "    ..."])

    def judge(self, attempt: object) -> Outcome:
        """Play the rounds until one is lost."""
        if attempt is None or attempt is ...:
            return Outcome("not attempted", "Write clean, then hand it over: .check(clean).")
        if not callable(attempt):
            return Outcome("error", f"check needs the function itself; got {show(attempt)}. Write .check(clean).")
        told: list[str] = []
        try:
            first = attempt(SAMPLES[0])
            if first is None or first is ...:
                return Outcome("not attempted", f"clean gave {first!r}. Write its body; end it with a return.")
            if not isinstance(first, str):
                return Outcome("error", f"clean must return a text; for {SAMPLES[0]!r} it gave {show(first)}.")
            for name in ROUNDS:
                passed, line = _played(name, attempt)
                told.append(f"{line}{'' if passed else '  <- lost'}")
                if not passed:
                    hint = next((hint for _, _, is_it, hint in KNOWN if is_it(attempt)), self.misconception)
                    return Outcome("wrong", "\n".join([*told, f"Hint: {hint}"]))
            *_, is_it, hint = UNESCAPED_FIRST
            if is_it(attempt):
                return Outcome("wrong", "\n".join([*told, f"Hint: {hint}"]))
        except Exception as error:
            return Outcome("error", "\n".join([*told, f"clean raised {type(error).__name__}: {error}"]))
        return Outcome("correct", "\n".join(told))


CLEANER = CleanerExercise(
    id="03.cleaner",
    title="Your cleaner: three rounds",
    minutes=10,
    difficulty=3,
    importance=3,
    misconception="A cleaner is judged by what it removes. It is judged by what it leaves, as well.",
    see=f"three lines, each with precision of at least {PRECISION}, recall of at least {RECALL}, and at most {LOSS} of "
    "BM25's nDCG@10 over the tickets lost against the clean documents.",
    hints=(
        "Print the samples with `ascii(...)`, to see what cannot be seen: "
        "`lk.exercise('03.cleaner').given['samples']`. The third one is clean, and has to stay as it is.",
        "Four steps: invisible characters by name, breaks to blanks, tags by name, then `html.unescape`.",
        "`html.unescape` turns `&nbsp;` into the blank U+00A0; in these texts it stood for an ordinary one.",
    ),
    reasoning="Name what may go. A pattern for everything that looks like dirt takes code, comparisons and letters of "
    "other alphabets with it. Tags go before entities: an escaped tag is text that somebody wanted to be read.",
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (CLEANER,)
