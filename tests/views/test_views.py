"""Static views: the same numbers in each form, nothing unescaped, nothing that changes from run to run."""

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.compare import Comparison
from labkit.ranking.ranking import Hit, Ranking
from labkit.views.deltas import Deltas
from labkit.views.side_by_side import reasons, side_by_side


def ranking(system, *ids, query="a <query>"):
    hits = tuple(Hit(i, r, 10.0 - r, previous_rank=None if system == "bm25" else r + 1) for r, i in enumerate(ids, 1))
    return Ranking(query, hits, system, "BM25")


BEFORE = ranking("bm25", "a", "b", "c", "d", "e")
AFTER = ranking("late", "d", "a", "e", "b", "c")


def test_the_slope_chart_holds_the_ranks_of_both_lists():
    chart = lk.slope_chart(BEFORE, AFTER, right={"d"}, n=2)
    assert [(m.doc_id, m.before, m.after, m.right) for m in chart.moves] == [
        ("d", 4, 1, True), ("a", 1, 2, False), ("b", 2, 4, False),
    ]  # fmt: skip
    text = chart.to_text()
    assert "4 → 1     * d" in text
    assert "1 → 2       a" in text


def test_a_document_that_is_in_one_list_only_has_a_dash():
    chart = lk.slope_chart(BEFORE, ranking("late", "new", "a"), n=1)
    assert "- → 1       new" in chart.to_text()


def test_the_same_labels_stand_in_text_svg_and_html_and_are_escaped():
    chart = lk.slope_chart(ranking("bm25", "<i>", "b"), ranking("late", "b", "<i>"), n=2)
    assert "&lt;i&gt;" in chart.to_svg()
    assert "<i>" not in chart.to_html()
    assert "a &lt;query&gt;" in chart.to_html()
    for move in ("2 → 1", "1 → 2"):
        assert move in chart.to_html()


def test_a_picture_is_the_same_each_time():
    one, two = (lk.slope_chart(BEFORE, AFTER, n=3) for _ in range(2))
    assert one.to_svg() == two.to_svg()
    bundle, _ = one._repr_mimebundle_()
    assert bundle["text/plain"] == repr(two)


def test_side_by_side_where_there_is_room_and_stacked_where_there_is_not():
    wide = side_by_side(BEFORE, AFTER, width=160).splitlines()
    assert len(wide) == 6
    assert "a" in wide[1]
    assert wide[1].endswith("d")
    narrow = side_by_side(BEFORE, AFTER, width=60).splitlines()
    assert len(narrow) == 13


def test_reasons_are_told():
    hits = [Hit("x", 1, None, reason="no tokens"), Hit("y", 2, 1.0, truncated=True)]
    assert reasons(hits) == ["x: no tokens", "cut by the encoder, so read only in part: y"]


C = Collection(
    "toy",
    {"melt": Document("", "wide to long"), "pivot": Document("", "long to wide"), "sort": Document("", "sort rows")},
    {"q1": "wide to long", "q2": "sort <rows>", "q3": "zebra"},
    {"q1": {"melt": 3, "pivot": 1}, "q2": {"sort": 3}, "q3": {"melt": 0}},
    query_info={"q1": {"ticket": "T1"}, "q2": {"ticket": "T10"}, "q3": {"ticket": "T2"}},
)


def test_the_scoreboard_by_hand():
    board = lk.scoreboard(["bm25", "bm25+late"], C)
    assert list(board.tickets) == ["T1", "T2", "T10"]
    assert board.ranks["T1"]["bm25"] in (1, 2)
    assert board.ranks["T10"] == {"bm25": 1, "bm25+late": 1}
    assert board.unanswerable == ("T2",)
    assert board.in_top("bm25") == 2
    assert board.wins("bm25+late") + board.losses("bm25+late") <= 1


def test_the_scoreboard_shows_the_same_cells_as_text_html_and_table():
    board = lk.scoreboard(["bm25"], C)
    assert "no answer" in board.to_text()
    assert "sort &lt;rows&gt;" in board.to_html()
    assert ">1</b></td>" in board.to_html()
    assert int(board.to_frame().loc["T10", "bm25"]) == 1


def test_a_collection_without_tickets_has_no_scoreboard():
    with pytest.raises(lk.LabError, match="toy has no tickets"):
        lk.scoreboard(["bm25"], Collection("toy", C.docs))


def test_the_deltas_hold_the_comparison_and_narrow_with_more_queries():
    rng = np.random.default_rng(0)
    values = {f"q{i}": float(v) for i, v in enumerate(rng.normal(0.05, 0.2, 80))}
    comparison = Comparison("a <b>", "c", "nDCG@10", (0.5, 0.55), 0.05, 0, 0.1, 0.2, 0.2, 0.06, 50, 0, 30, values)
    deltas = Deltas(comparison, sizes=(10, 40, 500))
    assert deltas.sizes == [10, 40, 80]
    widths = [high - low for low, high in deltas.intervals]
    assert widths[0] > widths[1] > widths[2]
    assert deltas.means[-1] == pytest.approx(np.mean(list(values.values())))
    assert f"  80 queries  {deltas.means[-1]:+.3f}" in deltas.to_text()
    assert "a &lt;b&gt;" in deltas.to_html()
    assert deltas.to_svg() == Deltas(comparison, sizes=(10, 40, 500)).to_svg()
    with pytest.raises(lk.LabError, match="sizes must be 2 or more"):
        Deltas(comparison, sizes=(1,))


def traced(outcome, *fallbacks):
    """A trace's line, as far as its outcome goes."""
    return {"outcome": outcome, "stages": [{"fallback": word} for word in ("", *fallbacks)]}


def test_outcomes_by_hand():
    records = [traced("answered"), traced("fallback", "budget"), traced("refused"), traced("fallback", "deadline")]
    assert lk.outcomes([*records, traced("answered")], note="a bad night").to_text() == (
        "5 requests: 2 answered, 2 fallback, 1 refused\n"
        "a bad night\n"
        "     2  answered\n"
        "     1  fallback: budget\n"
        "     1  fallback: deadline\n"
        "     1  refused\n"
        "\n"
        "     1  .fXf.\n"
        "        . answered  f fallback  X refused"
    )


def test_the_picture_of_outcomes_has_a_mark_a_request_in_the_lane_that_the_text_names():
    records = [traced("answered"), traced("fallback", "budget"), traced("fallback", "budget", "deadline")]
    axes = lk.outcomes(records).figure().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "answered  1",
        "fallback: budget  1",
        "fallback: budget, deadline  1",
    ]
    assert [lane.get_positions() for lane in axes.collections] == [[1], [2], [3]]


def test_outcomes_of_more_than_fifty_requests_take_more_than_one_line():
    lines = lk.outcomes([traced("answered")] * 120).to_text().splitlines()
    assert lines[3:6] == [f"{first:>6}  {'.' * many}" for first, many in ((1, 50), (51, 50), (101, 20))]


def test_outcomes_of_nothing_say_where_traces_come_from():
    with pytest.raises(lk.LabError, match=r"outcomes needs a traced request or more: lk\.Trace"):
        lk.outcomes([])
