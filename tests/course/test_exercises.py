"""Every exercise in three states: untouched, each known wrong answer, solution. And its definition is complete."""

import copy
import inspect
import re
import sys

import numpy as np
import pytest

from labkit.course.attempts import plain
from labkit.course.catalogue import catalogue, read
from labkit.course.exercises import CodeExercise, ThoughtExercise
from labkit.errors import LabError
from labkit.evaluation.statistics import smallest_effect

EXERCISES, BETS = catalogue()
oracle_ceiling, rrf = EXERCISES["02.oracle"].solution, EXERCISES["02.rrf"].solution
CODE = [e for e in EXERCISES.values() if isinstance(e, CodeExercise)]
THOUGHT = [e for e in EXERCISES.values() if isinstance(e, ThoughtExercise)]
WRONG = [pytest.param(e, wrong, id=f"{e.id}-{wrong.name}") for e in EXERCISES.values() for wrong in e.wrong_answers]


@pytest.fixture
def modules():
    """`read` registers a package; afterwards, that of the shipped exercises is there again."""
    shipped = {name: module for name, module in sys.modules.items() if name.startswith("labkit_exercises")}
    yield
    for name in [name for name in sys.modules if name.startswith("labkit_exercises")]:
        del sys.modules[name]
    sys.modules.update(shipped)


def by_id(exercise):
    return exercise.id


@pytest.mark.parametrize(("exercise", "wrong"), WRONG)
def test_each_known_wrong_answer_triggers_its_own_hint(exercise, wrong):
    outcome = exercise.judge(wrong.answer)
    assert outcome.state in ("wrong", "error")
    assert wrong.hint in outcome.message
    assert not [other.name for other in exercise.wrong_answers if other != wrong and other.hint in outcome.message]


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=by_id)
def test_the_solution_is_correct(exercise):
    answer = exercise.solution if isinstance(exercise, CodeExercise) else exercise.right
    assert exercise.judge(answer).state == "correct"


@pytest.mark.parametrize("exercise", CODE, ids=by_id)
def test_the_source_in_the_solution_notebook_stands_on_its_own_and_is_correct(exercise):
    space = dict(exercise.given)
    exec(exercise.source, space)  # noqa: S102 - our own source, as the notebook runs it
    assert exercise.judge(space[exercise.solution.__name__]).state == "correct"
    assert len(exercise.source.splitlines()) <= 12


@pytest.mark.parametrize("exercise", CODE, ids=by_id)
def test_the_stub_has_the_solutions_signature_and_counts_as_not_attempted(exercise):
    space = {}
    exec(exercise.stub, space)  # noqa: S102 - our own source, as the notebook runs it
    assert exercise.stub.splitlines()[0] == exercise.source.removeprefix(exercise.preamble).strip().splitlines()[0]
    assert exercise.judge(space[exercise.solution.__name__]).state == "not attempted"


@pytest.mark.parametrize("exercise", THOUGHT, ids=by_id)
def test_every_option_is_explained_and_the_letter_may_be_written_in_capitals(exercise):
    assert exercise.options.keys() == exercise.why.keys()
    assert exercise.judge(f" {exercise.right.upper()} ").state == "correct"
    for letter, option in exercise.options.items():
        assert f"**{letter}** {option}" in exercise.text()


@pytest.mark.parametrize("untouched", [..., None, ""])
def test_an_untouched_question_is_not_attempted_and_names_the_letters(untouched):
    assert (
        repr(EXERCISES["02.cold"].judge(untouched))
        == "[not attempted] Choose one of a, b, c, d, and write it in quotes."
    )


def test_a_letter_that_is_no_option_is_an_error():
    assert repr(EXERCISES["02.cold"].judge("e")) == "[error] The answer must be one of a, b, c, d; got 'e'."
    assert EXERCISES["02.cold"].judge(2).state == "error"


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=by_id)
def test_every_definition_is_complete(exercise):
    assert exercise.id in EXERCISES
    assert re.fullmatch(r"\d\d\.[a-z_]+", exercise.id)
    assert exercise.minutes > 0
    assert exercise.difficulty in (1, 2, 3)
    assert exercise.importance in (1, 2, 3)
    assert exercise.misconception
    assert exercise.reasoning
    assert len(exercise.hints) >= 2
    assert len(exercise.wrong_answers) >= 3
    assert len({wrong.hint for wrong in exercise.wrong_answers}) == len(exercise.wrong_answers)


@pytest.mark.parametrize("exercise", CODE, ids=by_id)
def test_inputs_are_the_same_in_every_run_and_most_are_unseen(exercise):
    assert plain(exercise.cases()) == plain(exercise.cases())
    assert len(exercise.cases()) >= 20


def test_the_bets_run_from_no_ticket_to_all_twelve():
    tickets = {"00.maxsim_wins", "00.fusion_wins"}
    assert tickets <= BETS.keys()
    assert {(BETS[bet].low, BETS[bet].high) for bet in tickets} == {(0, 12)}


def test_kappa_by_hand():
    # 4 of 5 equal; by chance 3/5 * 2/5 + 2/5 * 3/5 = 0.48
    assert EXERCISES["05.kappa"].solution([0, 0, 0, 1, 1], [0, 0, 1, 1, 1]) == pytest.approx((0.8 - 0.48) / 0.52)


def test_kappa_equals_sklearns():
    for ours, yours in EXERCISES["05.kappa"].cases():
        theirs = pytest.importorskip("sklearn.metrics").cohen_kappa_score(ours, yours)
        assert EXERCISES["05.kappa"].solution(ours, yours) == pytest.approx(theirs)


def test_queries_needed_agrees_with_the_smallest_effect():
    for effect, spread in EXERCISES["05.settle"].cases():
        n = EXERCISES["05.settle"].solution(effect, spread)
        assert smallest_effect(n, spread) <= effect * 1.001
        assert n == 1 or smallest_effect(n - 1, spread) > effect * 0.998


def test_rrf_by_hand():
    # a: 1/61; b: 1/62 + 1/61; c: 1/63 + 1/62; d: 1/63, so b, c, a, d
    assert rrf([["a", "b", "c"], ["b", "c", "d"]]) == ["b", "c", "a", "d"]


def test_oracle_ceiling_by_hand():
    # best order 3, 1: 3/1 + 1/log2(3); ideal 3, 2, 1: 3/1 + 2/log2(3) + 1/2
    expected = (3 + 1 / np.log2(3)) / (3 + 2 / np.log2(3) + 0.5)
    assert oracle_ceiling(["x", "low", "high"], {"high": 3, "mid": 2, "low": 1}) == pytest.approx(expected)


def test_oracle_ceiling_equals_pytrec_evals_ndcg_of_the_sorted_candidates():
    pytrec_eval = pytest.importorskip("pytrec_eval")
    oracle = EXERCISES["02.oracle"]
    for candidates, qrels, *cutoff in oracle.cases():
        cut = cutoff[0] if cutoff else 10
        best = sorted(candidates, key=lambda doc: -qrels.get(doc, 0))
        run = {"q": {doc: float(len(best) - place) for place, doc in enumerate(best)}}
        measured = pytrec_eval.RelevanceEvaluator({"q": qrels}, {f"ndcg_cut.{cut}"}).evaluate(run)["q"]
        assert oracle.solution(candidates, qrels, cut) == pytest.approx(measured[f"ndcg_cut_{cut}"])


@pytest.mark.parametrize("as_type", [tuple, np.array, list])
def test_tuples_and_arrays_count_as_lists(as_type):
    assert EXERCISES["02.rrf"].judge(lambda rankings, k=60: as_type(rrf(rankings, k))).state == "correct"


def test_numpy_numbers_and_another_base_of_the_logarithm_are_right():
    def natural(candidates, qrels, cutoff=10):
        discount = np.log(np.arange(2, cutoff + 2))
        best = np.sort([qrels.get(doc, 0) for doc in candidates])[::-1][:cutoff]
        ideal = np.sort(list(qrels.values()))[::-1][:cutoff]
        return (best / discount[: len(best)]).sum() / (ideal / discount[: len(ideal)]).sum()

    assert EXERCISES["02.oracle"].judge(natural).state == "correct"


def test_an_attempt_that_changes_its_inputs_changes_nobody_elses():
    def greedy(rankings, k=60):
        result = rrf(rankings, k)
        for ranking in rankings:
            ranking.clear()
        return result

    before = copy.deepcopy(EXERCISES["02.rrf"].cases())
    assert EXERCISES["02.rrf"].judge(greedy).state == "correct"
    assert EXERCISES["02.rrf"].cases() == before


def test_a_wrong_attempt_that_nobody_foresaw_shows_input_result_and_misconception():
    outcome = EXERCISES["02.rrf"].judge(lambda rankings, k=60: ["b"])
    assert outcome.message == (
        "rrf([['a', 'b', 'c'], ['b', 'c', 'd']])\ngave     ['b']\nexpected ['b', 'c', 'a', 'd']\n"
        f"1 items came, 4 were expected. Keep in mind: {EXERCISES['02.rrf'].misconception}"
    )


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda rankings, k=60: (doc for doc in rrf(rankings, k)), "This is a generator; return a list. Keep in mind"),
        (lambda rankings, k=60: dict.fromkeys(rrf(rankings, k), 1), "Return a list; this is a dict. Keep in mind"),
        (
            lambda rankings, k=60: rrf(rankings, k)[1:] + rrf(rankings, k)[:1],
            "These are the right items in another order. Keep in mind",
        ),
        (lambda rankings, k=60: rrf(rankings, k) * 2, "8 items came, 4 were expected. Keep in mind"),
    ],
)
def test_an_unforeseen_result_of_another_form_says_which_form(attempt, said):
    assert said in EXERCISES["02.rrf"].judge(attempt).message


def test_an_attempt_that_raises_is_an_error_with_its_input_its_exception_and_its_line():
    def rrf(rankings, k=60):
        return rankings["a"]

    outcome = EXERCISES["02.rrf"].judge(rrf)
    assert outcome.state == "error"
    assert "rrf([['a', 'b', 'c'], ['b', 'c', 'd']])\nraised TypeError: list indices" in outcome.message
    assert 'at: return rankings["a"]' in outcome.message


def test_the_lesson_as_printed_is_an_error_that_says_what_a_result_carries():
    lesson = EXERCISES["02.lesson"]
    co = lesson.given["co"]

    def rerank(query: str, candidates: list[str], top_n: int = 5):
        response = co.rerank(model="rerank-english-v3.0", query=query, documents=candidates, top_n=top_n)
        return [(r.document.text, r.relevance_score) for r in response.results]

    outcome = lesson.judge(rerank)
    assert outcome.state == "error"
    assert "AttributeError: 'Result' object has no attribute 'document'" in outcome.message
    assert "A result has .index and .relevance_score." in outcome.message


@pytest.mark.parametrize("attempt", [..., None, lambda *_: None, lambda *_: ...])
def test_an_untouched_function_is_not_attempted(attempt):
    assert EXERCISES["02.rrf"].judge(attempt).state == "not attempted"


def test_not_implemented_is_not_attempted():
    def rrf(rankings, k=60):
        raise NotImplementedError

    assert EXERCISES["02.rrf"].judge(rrf).state == "not attempted"


def test_a_result_handed_over_instead_of_the_function_is_an_error():
    message = EXERCISES["02.rrf"].judge(["b", "a"]).message
    assert message == "check needs the function itself; got ['b', 'a']. Write .check(rrf)."


def test_messages_hold_no_memory_addresses():
    assert " at 0x" not in EXERCISES["02.rrf"].judge(lambda rankings, k=60: object()).message


def test_what_came_is_shown_as_it_came_with_rounded_numbers():
    pairs = EXERCISES["02.lesson"].judge(lambda *_: [("a", np.float64(1 / 3))])
    assert "gave     [('a', 0.3333)]\nexpected [('drop duplicate rows', 1.0), " in pairs.message


def test_every_file_of_exercises_is_read_and_a_class_in_it_knows_its_module():
    assert {exercise.id.split(".")[0] for exercise in EXERCISES.values()} >= {"00", "02"}
    given = EXERCISES["02.lesson"].given["co"]
    assert type(given).__module__ == "labkit_exercises.n02_lesson"
    assert "class LocalService" in inspect.getsource(type(given))


def test_files_of_exercises_may_share_what_is_in_a_file_without_an_n(tmp_path, modules):
    (tmp_path / "shared.py").write_text("WORDS = 'how many?'\n", encoding="utf-8")
    bet = "from labkit.course.exercises import Bet\nfrom .shared import WORDS\nBETS = (Bet('98.x', WORDS, 0, 3),)\n"
    (tmp_path / "n98.py").write_text(f"{bet}EXERCISES = ()\n", encoding="utf-8")
    assert read(tmp_path).bets["98.x"].question == "how many?"
    (tmp_path / "shared.py").write_text("WORDS = 'how many of all?'\n", encoding="utf-8")
    assert read(tmp_path).bets["98.x"].question == "how many of all?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("EXERCISES = (", "SyntaxError: '(' was never closed"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("BETS = ()", "has no attribute 'EXERCISES'"),
        ("EXERCISES = ('x',)", "AttributeError: 'str' object has no attribute 'id'"),
        (
            "from labkit.course.exercises import Bet\nEXERCISES = ()\nBETS = [Bet('98.x', '', n, 3) for n in (0, 1)]",
            "ValueError: the id 98.x is taken",
        ),
    ],
)
def test_a_broken_file_of_exercises_is_named(tmp_path, modules, text, said):
    (tmp_path / "n98.py").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=rf"n98\.py is broken: .*{re.escape(said)}"):
        read(tmp_path)
