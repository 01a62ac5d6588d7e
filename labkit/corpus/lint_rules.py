"""What each lint rule is called, how bad it is, what it does to a search, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of dirt."""

    severity: str
    effect: str
    fix: str


ENCODER = "encoder=lk.load_encoder()"
SEARCH = "search=lk.BM25Retriever(c)"
RULES: dict[str, Rule] = {
    "unreadable": Rule(
        "error",
        "The line is in no index: no system can find what it says.",
        "Mend the line: one JSON object with a string _id and a string text, in UTF-8, at most 10 MB.",
    ),
    "dangling-judgment": Rule(
        "error",
        "It measures nothing: the query loses a right answer, and its figures are too low or absent.",
        "Judge again, or correct the id; look for ids that were renamed when documents were cut.",
    ),
    "empty": Rule(
        "error",
        "BM25 never finds it and MaxSim ranks it last; nearly empty texts fit every query a little.",
        "Fill it from its source or drop it, with its judgments.",
    ),
    "mojibake": Rule(
        "error",
        "The broken word matches no query in BM25; its wordpieces are noise to the encoder.",
        "Repair rule mojibake; decode the source anew where U+FFFD stands, for that is beyond repair.",
    ),
    "truncated": Rule(
        "warning",
        "BM25 reads it all; the encoder, and so the dense twin and MaxSim, never see what lies behind the cut.",
        "Cut documents into passages that fit, each with its title.",
    ),
    "long-query": Rule(
        "warning",
        "What lies behind the encoder's cut asks nothing; every word more dilutes BM25's score.",
        "Rewrite it as the one question that it asks.",
    ),
    "special-token": Rule(
        "warning",
        "A tokenizer that does not split it takes it for its own token: a mask, a pad, an end of text.",
        "Spell it otherwise where it is no content; keep split_special_tokens on (the default encoder has it on).",
    ),
    "prompt-injection": Rule(
        "warning",
        "It is words to BM25 and MaxSim, and an order to a model that reranks or answers.",
        "Look at it and drop what addresses a model. Only common wordings are found: hand documents to models as data.",
    ),
    "html": Rule(
        "warning",
        "Names of tags and attributes become words that many documents share; they use up the encoder's length.",
        "Repair rule html, or extract the text from the source again.",
    ),
    "boilerplate": Rule(
        "warning",
        "It says nothing about the document, lengthens it for BM25 and takes tokens from what counts.",
        "Repair rule boilerplate, or cut it at the source.",
    ),
    "duplicate": Rule(
        "warning",
        "Copies fill the candidates and push others out; only one of them may be judged.",
        "Repair rule duplicate; judgments of the copies have to move to the one that stays.",
    ),
    "near-duplicate": Rule(
        "warning",
        "Near copies fill the candidates, and their order among themselves is luck.",
        "Keep one, or let what differs stand first in each.",
    ),
    "hub": Rule(
        "warning",
        "It comes up for many questions that it does not answer, and takes a candidate's place each time.",
        "Read it: it is often a glossary or an index. Split it, or leave it out.",
    ),
    "zero-width": Rule(
        "warning",
        "A word with an invisible character in it is another word to BM25, and can hide text from people.",
        "Repair rule zero-width.",
    ),
    "control": Rule(
        "warning",
        "It splits or joins words by chance, in BM25 one way and in the encoder another.",
        "Repair rule control.",
    ),
    "normal-form": Rule(
        "warning",
        "The same word in two forms is two words to BM25; most encoders fold the forms, so systems disagree.",
        "Repair rule normal-form, on documents and queries alike.",
    ),
    "cut-sentence": Rule(
        "warning",
        "Half a sentence has lost its subject or its negation; its vectors say something else.",
        "Cut between sentences, or let chunks overlap.",
    ),
    "vague-query": Rule(
        "warning",
        "BM25 has no word to look for, or many documents fit alike: the order below is luck.",
        "Ask back, or add the word that tells one meaning from the other.",
    ),
    "markup": Rule(
        "note",
        "Its commands become words in BM25 and tokens in MaxSim.",
        "Render it to text; for docstrings: repair rule rest.",
    ),
}  # most harmful first: reports keep this order


@dataclass(frozen=True, slots=True)
class Finding:
    """Dirt of one kind in one place.

    ``field`` is ``title``, ``text``, ``passages[i]``, or ``file`` for a line of one; ``start`` and ``end`` are the
    characters of the first place in it (None where it is about the whole), ``places`` how many there are.
    """

    rule: str
    severity: str
    kind: str  # document, query, judgment or file
    id: str
    field: str
    start: int | None
    end: int | None
    places: int
    evidence: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the rule's effect and fix."""
        rule = RULES[self.rule]
        return {**asdict(self), "effect": rule.effect, "fix": rule.fix}
