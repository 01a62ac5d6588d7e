"""The eraser: tokens that never win are worth nothing, and the curve says what the others keep."""

import numpy as np
import pytest

import labkit as lk

QUERIES = ["sort a list", "sort in place"]
DOCUMENT = "Sort the list in place and return None; the weather was fine."


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder()


@pytest.fixture(scope="module")
def erased(encoder):
    return lk.eraser(QUERIES, DOCUMENT, encoder)


def test_every_token_is_there_once_and_all_query_tokens_have_chosen(erased, encoder):
    count = len(encoder.encode_documents([DOCUMENT])[0])
    assert sorted(token.position for token in erased.tokens) == list(range(count))
    assert sum(token.wins for token in erased.tokens) == sum(map(len, encoder.encode_queries(QUERIES)))


def test_without_the_dead_tokens_every_score_stays(erased, encoder):
    assert erased.dead
    queries, vectors = encoder.encode_queries(QUERIES), np.asarray(encoder.encode_documents([DOCUMENT])[0])
    alive = np.delete(vectors, [token.position for token in erased.dead], axis=0)
    np.testing.assert_allclose(lk.maxsim(queries, [alive]), lk.maxsim(queries, [vectors]), rtol=1e-6)


def test_the_curve_rises_to_the_whole_score_and_is_what_rescoring_gives(erased, encoder):
    shares, kept = zip(*erased.curve, strict=True)
    assert list(kept) == sorted(kept)
    assert (shares[-1], kept[-1]) == (1.0, pytest.approx(1.0))
    queries, vectors = encoder.encode_queries(QUERIES), np.asarray(encoder.encode_documents([DOCUMENT])[0])
    whole = lk.maxsim(queries, [vectors]).sum()
    for share, part in erased.curve:
        best = [token.position for token in erased.tokens[: round(share * len(vectors))]]
        assert lk.maxsim(queries, [vectors[best]]).sum() / whole == pytest.approx(part, rel=1e-5)


def test_one_query_is_spoken_of_as_one(encoder):
    one, two = (lk.eraser(["rows", "tables"][:n], "rows of a table", encoder).verdict() for n in (1, 2))
    assert one.endswith("never win for this query: without them its score stays what it is.")
    assert two.endswith("never win for these 2 queries: without them every score stays what it is.")


def test_text_and_html_show_the_same_and_are_escaped(encoder):
    shown = lk.eraser(["a <b> tag"], "the <b> tag & more", encoder)
    for token in shown.tokens:
        if token.wins:
            assert f"{token.earned:.3f}" in shown.to_text()
            assert f"{token.earned:.3f}" in shown.to_html()
    assert "<b>" not in shown.to_html()
    assert shown.verdict() in shown.to_text()
    assert len(shown.to_frame()) == len(shown.tokens)


@pytest.mark.parametrize(
    ("queries", "document", "message"),
    [
        ("a bare string", "text", "queries must be a list of at least one text; got 'a bare string'"),
        ([], "text", r"queries must be a list of at least one text; got \[\]"),
        (["a"], "", "an eraser needs a document with tokens"),
    ],
)
def test_bad_input_is_named(encoder, queries, document, message):
    with pytest.raises(lk.LabError, match=message):
        lk.eraser(queries, document, encoder)
