"""The receipt: its rows are the score, and it refuses to exist otherwise."""

from dataclasses import replace

import numpy as np
import pytest

import labkit as lk
from labkit.scoring.receipt import Receipt, Row, from_tokens


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder()


QUERY = "compute the distance between rows, please"
DOCUMENT = "Compute distance between each pair of the two collections of inputs."


def test_rows_sum_to_the_score_that_maxsim_gives(encoder):
    receipt = lk.receipt(QUERY, DOCUMENT, encoder=encoder)
    score = lk.maxsim(encoder.encode_queries([QUERY])[0], encoder.encode_documents([DOCUMENT]))[0]
    assert receipt.score == pytest.approx(float(score))
    assert sum(row.similarity for row in receipt.rows) == pytest.approx(receipt.score, abs=1e-5 * receipt.score)
    assert sum(row.share for row in receipt.rows) == pytest.approx(1, abs=1e-5)


def test_rows_follow_the_query_and_spans_point_into_the_texts(encoder):
    receipt = lk.receipt(QUERY, DOCUMENT, encoder=encoder)
    assert [row.query_token for row in receipt.rows][:3] == ["compute", "the", "distance"]
    first = receipt.rows[0]
    assert QUERY[slice(*first.query_span)] == "compute"
    assert DOCUMENT[slice(*first.document_span)].lower() == first.document_token


def test_kinds_tell_words_from_grammar_and_punctuation(encoder):
    kinds = {row.query_token: row.kind for row in lk.receipt(QUERY, DOCUMENT, encoder=encoder).rows}
    assert kinds["the"] == "function word"
    assert kinds[","] == "punctuation"
    assert kinds["rows"] == "word"


def test_the_runner_up_is_the_second_best_and_the_margin_what_would_be_lost(encoder):
    receipt = lk.receipt(QUERY, DOCUMENT, encoder=encoder)
    query, document = encoder.encode_queries([QUERY])[0], np.asarray(encoder.encode_documents([DOCUMENT])[0])
    names = encoder.encode_documents([DOCUMENT]).tokens(0)
    for row, similarities in zip(receipt.rows, query @ document.T, strict=True):
        second, first = np.argsort(similarities, kind="stable")[-2:]
        assert row.margin == pytest.approx(similarities[first] - similarities[second], abs=1e-6)
        assert row.runner_up == names[second]


def test_a_token_alone_has_no_runner_up(encoder):
    [row] = lk.receipt("distance", "distance", encoder=encoder).rows
    assert (row.runner_up, row.margin) == (None, None)
    assert row.cells()[4:6] == ("-", "-")


def test_text_and_html_show_the_same_numbers_and_escape_what_they_show(encoder):
    receipt = lk.receipt("is <b> bold", "the tag <b>", encoder=encoder)
    for row in receipt.rows:
        assert f"{row.similarity:.3f}" in receipt.to_text()
        assert f"{row.similarity:.3f}" in receipt.to_html()
    assert "<td>&lt;</td>" in receipt.to_html()
    assert "<b>" not in receipt.to_html()


def test_a_receipt_that_does_not_balance_refuses_to_exist():
    row = Row("a", "b", 0.5, 1.0, "word", (0, 1), (0, 1))
    assert Receipt("a", "b", 0.5, (row,)).score == 0.5
    with pytest.raises(lk.LabError, match=r"rows sum to 0\.500000, the score is 0\.600000"):
        Receipt("a", "b", 0.6, (row,))
    with pytest.raises(lk.LabError, match="must balance"):
        replace(Receipt("a", "b", 0.5, (row,)), score=float("nan"))


def test_a_document_without_tokens_has_no_receipt(encoder):
    with pytest.raises(lk.LabError, match="minus infinity"):
        lk.receipt("anything", "", encoder=encoder)


def test_a_score_of_zero_shares_nothing():
    packed = lk.pack([np.array([[0.0, 1.0]], np.float32)], ids=[np.array([5])])
    named = replace(packed, to_strings=lambda ids: [f"t{i}" for i in ids], spans=np.array([[0, 2]], np.int32))
    query = replace(named, vectors=np.array([[1.0, 0.0]], np.float32))
    assert [row.share for row in from_tokens("q", "d", query, named).rows] == [0.0]
