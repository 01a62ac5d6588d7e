"""The stand-in as the real SDK sees it, then CohereReranker over it: every fault is an error, never a wrong ranking."""

import asyncio
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import cohere
import httpx
import pytest
from cohere.core.api_error import ApiError

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.ranking.cohere_reply import ServiceError, read_reply
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.standin import shared_standin
from labkit.ranking.standin_faults import VOCABULARY

KEY = "canary-b7e1f0"
V2, V5 = "rerank-v3.5", "rerank-v5.0-pro"
TEXTS = ["low 0.1", "high 0.9", "middle 0.5", "high 0.9"]


def by_number(query, texts):
    """A scorer without a model: a text's last word is its score."""
    return [float(text.split()[-1]) for text in texts]


@contextmanager
def sdk(kind=cohere.ClientV2, faults=None, key="any", scorer=by_number):
    """A client of the real SDK that talks to a stand-in, retries nothing and gives up after 5 s."""
    with lk.cohere_standin(faults, scorer) as url, httpx.Client(trust_env=False, timeout=5) as http:
        yield kind(key, base_url=url, max_retries=0, timeout=5, httpx_client=http)


@contextmanager
def reranker(faults=None, scorer=by_number, **settings):
    with lk.cohere_standin(faults, scorer) as url:
        yield lk.CohereReranker(base_url=url, **settings)


def indices(response):
    return [result.index for result in response.results]


# The stand-in, seen by the SDK


def test_v2_gives_indices_best_first_and_no_document():
    with sdk() as co:
        response = co.rerank(model=V2, query="q", documents=TEXTS)
    assert indices(response) == [1, 3, 2, 0]
    assert [result.relevance_score for result in response.results] == [0.9, 0.9, 0.5, 0.1]
    assert not hasattr(response.results[0], "document")
    assert response.meta.api_version.version == "2"


def test_v1_gives_documents_only_when_asked():
    with sdk(cohere.Client) as co:
        assert co.rerank(query="q", documents=TEXTS).results[0].document is None
        response = co.rerank(query="q", documents=TEXTS, return_documents=True)
    assert [result.document.text for result in response.results[:3]] == ["high 0.9", "high 0.9", "middle 0.5"]


def test_top_n_cuts_and_may_exceed_the_list():
    with sdk() as co:
        assert indices(co.rerank(model=V2, query="q", documents=TEXTS, top_n=2)) == [1, 3]
        assert len(co.rerank(model=V2, query="q", documents=TEXTS, top_n=99).results) == 4


def test_the_reply_says_that_a_stand_in_made_it():
    with sdk() as co:
        (warning,) = co.rerank(model=V2, query="q", documents=TEXTS).meta.warnings
    assert warning.startswith("a stand-in answered, not Cohere: scores are this machine's own scorer")


@pytest.mark.parametrize(
    ("documents", "units"),
    [
        (["a 1"] * 100, 1),
        (["a 1"] * 101, 2),
        (["w " * 499 + "1"] * 100, 1),  # 500 tokens: one chunk each
        (["w " * 500 + "1"] * 50, 1),  # 501 tokens: two chunks each, 100 together
        (["w " * 500 + "1"] * 51, 2),
    ],
)
def test_billed_units_by_hand(documents, units):
    with sdk(scorer=lambda query, texts: [0.5] * len(texts)) as co:
        assert co.rerank(model=V2, query="q", documents=documents).meta.billed_units.search_units == units


def test_max_tokens_per_doc_cuts_what_is_scored_and_billed():
    seen = []
    with sdk(scorer=lambda query, texts: seen.append(texts) or [0.5] * len(texts)) as co:
        document = "one, two three"
        co.rerank(model=V2, query="q", documents=[document], max_tokens_per_doc=3)
        long = co.rerank(model=V2, query="q", documents=["w " * 9_000] * 100, max_tokens_per_doc=500)
    assert seen[0] == ["one, two"]
    assert long.meta.billed_units.search_units == 1


def test_spans_count_code_points_and_come_from_v5_alone():
    document = "😀 drop the rows 0.9"
    with sdk() as co:
        asked = {"query": "drop rows", "documents": [document], "relevant_spans": {"mode": "enabled", "max_spans": 2}}
        (result,) = co.rerank(model=V5, **asked).results
        with pytest.raises(cohere.BadRequestError, match="relevant_spans is not supported"):
            co.rerank(model=V2, **asked)
    assert [document[span.start : span.end] for span in result.relevant_spans] == ["drop", "rows"]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"documents": []}, cohere.BadRequestError, "list of documents must not be empty"),
        ({"query": " "}, cohere.BadRequestError, "query must not be empty"),
        ({"top_n": 0}, cohere.BadRequestError, "top_n must be at least 1"),
        ({"top_n": True}, cohere.UnprocessableEntityError, "top_n must be of type int"),
        ({"max_tokens_per_doc": "9"}, cohere.UnprocessableEntityError, "max_tokens_per_doc must be of type int"),
        ({"documents": "bare"}, cohere.UnprocessableEntityError, "documents must be of type list"),
        ({"documents": ["a 1", 7]}, cohere.UnprocessableEntityError, "document 1 must be of type string"),
        ({"documents": ["a 1"] * 10_001}, cohere.BadRequestError, "exceeds 10000"),
        ({"model": None}, cohere.BadRequestError, "model is required"),
        ({"model": "gpt"}, cohere.NotFoundError, "model 'gpt' not found"),
    ],
)
def test_bad_requests_are_refused_with_a_message(asked, error, message):
    with sdk() as co, pytest.raises(error) as caught:
        co.rerank(**{"model": V2, "query": "q", "documents": TEXTS, **asked})
    assert message in caught.value.body["message"]


def test_v1_ranks_strings_alone():
    with sdk(cohere.Client) as co, pytest.raises(cohere.BadRequestError, match="it has no rank_fields"):
        co.rerank(query="q", documents=[{"text": "a 1"}], rank_fields=["text"])


def test_v1_limits_chunks():
    with sdk(cohere.Client) as co, pytest.raises(cohere.BadRequestError, match="exceeds 10000"):
        co.rerank(query="q", documents=["a 1"] * 1_001)


def test_no_token_is_401_and_uses_up_no_fault():
    with lk.cohere_standin(["500"], by_number) as url, httpx.Client(trust_env=False, base_url=url) as http:
        asked = {"model": V2, "query": "q", "documents": TEXTS}
        assert http.post("/v2/rerank", json=asked).status_code == 401
        assert http.post("/v2/rerank", json=asked, headers={"Authorization": "Bearer x"}).status_code == 500
        assert http.get("/v2/rerank").json() == {"message": "Method Not Allowed"}
    with sdk(key="") as co, pytest.raises(cohere.UnauthorizedError):
        co.rerank(model=V2, query="q", documents=TEXTS)


def test_429_says_when_to_come_back_and_faults_are_used_one_a_request():
    with sdk(faults=["429:3", "429", "ok"]) as co:
        for wait in ("3", "1"):
            with pytest.raises(cohere.TooManyRequestsError) as caught:
                co.rerank(model=V2, query="q", documents=TEXTS)
            assert caught.value.headers["retry-after"] == wait
        for _ in range(2):
            assert indices(co.rerank(model=V2, query="q", documents=TEXTS))[0] == 1


@pytest.mark.parametrize("faults", ["500", {1: "500"}, lambda number: "500" if number == 1 else "ok"])
def test_faults_may_be_a_word_a_mapping_or_a_function(faults):
    failed = []
    with sdk(faults=faults) as co:
        for number in range(3):
            try:
                co.rerank(model=V2, query="q", documents=TEXTS)
            except cohere.InternalServerError:
                failed.append(number)
    assert failed == ([0, 1, 2] if faults == "500" else [1])


@pytest.mark.parametrize("faults", ["teapot", ["ok", "slow:x"], ["slow:61"], {0: "500:2"}, ["slow:nan"]])
def test_a_fault_that_is_none_is_named(faults):
    with pytest.raises(lk.LabError, match="a fault must be one of ok, slow, drip"), lk.cohere_standin(faults):
        pass


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("503", cohere.ServiceUnavailableError),
        ("reset", httpx.TransportError),
        ("truncated", httpx.RemoteProtocolError),
        ("malformed", ApiError),
    ],
)
def test_broken_replies_as_the_sdk_sees_them(fault, error):
    with sdk(faults=[fault]) as co, pytest.raises(error):
        co.rerank(model=V2, query="q", documents=TEXTS)


def test_the_sdk_alone_believes_what_it_should_not():
    with sdk(faults=["float_index", "wrong_index", "negative_index", "null_score"]) as co:
        cut, beyond, negative, null = (co.rerank(model=V2, query="q", documents=TEXTS).results[0] for _ in range(4))
    assert (cut.index, beyond.index, negative.index, null.relevance_score) == (1, 4, -1, None)


def test_a_function_of_faults_that_fails_is_a_500_that_says_so():
    def faults(number):
        return "teapot" if number == 0 else "ok"

    with reranker(faults) as cohere_reranker:
        with pytest.raises(
            ServiceError, match=r"refused \(500\): the stand-in's faults failed: a fault must be one of"
        ):
            cohere_reranker.rerank("q", TEXTS)
        assert cohere_reranker.rerank("q", TEXTS, top_n=1).ids == ["1"]


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        (lambda query, texts: [0.5], "scorer must give 4 finite scores"),
        (lambda query, texts: [float("nan")] * 4, "scorer must give 4 finite scores"),
        (lambda query, texts: 1 / 0, "scorer failed: ZeroDivisionError"),
    ],
)
def test_a_scorer_that_fails_is_a_500_that_says_so(scorer, message):
    with reranker(scorer=scorer) as cohere_reranker, pytest.raises(ServiceError, match=message):
        cohere_reranker.rerank("q", TEXTS)


@pytest.mark.parametrize("fault", ["slow:0.01", "drip:0.001"])
def test_a_reply_that_takes_its_time_is_correct(fault):
    with reranker(fault) as cohere_reranker:
        assert cohere_reranker.rerank("q", TEXTS).ids == ["1", "3", "2", "0"]


def test_nothing_is_left_after_exit_even_with_requests_under_way():
    before, arrived = set(threading.enumerate()), threading.Event()
    failed = []

    def ask(url):
        try:
            lk.CohereReranker(base_url=url).rerank("q", TEXTS)
        except lk.LabError as error:
            failed.append(str(error))

    def hold(number):
        arrived.set()
        return "slow:60" if number else "ok"

    with lk.cohere_standin(hold, by_number) as url:
        ask(url)  # one that is answered, so that the scorer's thread exists
        arrived.clear()
        client = threading.Thread(target=ask, args=(url,))
        client.start()
        assert arrived.wait(10)
    client.join(10)
    assert not client.is_alive()
    assert len(failed) == 1
    assert failed[0].startswith("the connection to the stand-in failed")
    assert set(threading.enumerate()) - before == set()
    with pytest.raises(lk.LabError, match=r"connection to the stand-in failed \(ConnectError\)"):
        lk.CohereReranker(base_url=url).rerank("q", TEXTS)


def test_it_runs_beside_a_running_event_loop_as_in_a_notebook():
    async def cell():
        with sdk() as co:
            return indices(co.rerank(model=V2, query="q", documents=TEXTS))

    assert asyncio.run(cell()) == [1, 3, 2, 0]


# CohereReranker


def test_scores_go_back_to_hits_by_index_and_ties_keep_their_order():
    hits = tuple(Hit(f"d{i}", i + 1, None, text=text, passages=(text,)) for i, text in enumerate(TEXTS))
    with reranker() as cohere_reranker:
        ranking = cohere_reranker.rerank("q", Ranking("q", hits, "bm25"), top_n=99)
    assert ranking.ids == ["d1", "d3", "d2", "d0"]
    assert [hit.score for hit in ranking] == [0.9, 0.9, 0.5, 0.1]
    assert [hit.previous_rank for hit in ranking] == [2, 4, 3, 1]
    assert (ranking.system, ranking.scale, ranking.cost) == ("bm25+cohere", "stand-in", {"search_units": 1.0})
    assert ranking.model == "stand-in for rerank-v3.5"
    assert "not Cohere" in ranking.note
    assert ranking.note in ranking.to_text()


def test_the_order_of_candidates_changes_no_score():
    with reranker() as cohere_reranker:
        forth, back = (cohere_reranker.rerank("q", texts, top_n=9) for texts in (TEXTS, TEXTS[::-1]))
    assert [hit.text for hit in forth] == [hit.text for hit in back]
    assert [hit.score for hit in forth] == [hit.score for hit in back]


def test_a_hit_counts_with_its_best_passage_and_shows_it():
    passages = ("first 0.2", "the best rows 0.8", "")
    hits = (Hit("one", 1, None, text="x", passages=("other 0.5",)), Hit("long", 2, None, text="x", passages=passages))
    with reranker(model=V5) as cohere_reranker:
        best = cohere_reranker.rerank("rows", Ranking("rows", hits))[0]
    assert (best.doc_id, best.score, best.text) == ("long", 0.8, passages[1])
    assert [best.text[start:end] for start, end in best.spans] == ["rows"]


def test_blank_texts_are_not_sent_come_last_and_say_why():
    sent = []
    with reranker(scorer=lambda query, texts: sent.extend(texts) or by_number(query, texts)) as cohere_reranker:
        last = cohere_reranker.rerank("q", [" ", *TEXTS], top_n=9)[-1]
        nothing = cohere_reranker.rerank("q", ["", "\n"])
    assert (last.doc_id, last.score, last.reason) == ("0", -float("inf"), "the text is blank and was not sent")
    assert sent == TEXTS
    assert (nothing.ids, nothing.cost) == (["0", "1"], {})


def test_no_candidates_ask_nothing():
    assert lk.CohereReranker(base_url="http://127.0.0.1:9").rerank("q", []).ids == []


FAULTS = {
    "429": r"the stand-in refused \(429\): you are past the rate limit.*It asks to wait 1 s",
    "500": r"the stand-in refused \(500\): internal server error",
    "503": r"the stand-in refused \(503\)",
    "reset": "connection to the stand-in failed",
    "truncated": r"connection to the stand-in failed \(RemoteProtocolError\)",
    "malformed": r"the SDK could not read it \(ApiError\)",
    "wrong_index": "an index must be a whole number from 0 to 3; got 4",
    "negative_index": "an index must be a whole number from 0 to 3; got -1",
    "duplicate_index": "each index must come once; one came twice",
    "float_index": "an index must be a whole number from 0 to 3; got 1.5",
    "null_score": "a score must be a finite number; got None",
    "nan_score": "a score must be a finite number; got nan",
    "too_few": "4 documents were sent; 3 results came",
    "slow:60": "the stand-in gave no whole reply within 0.3 s",
    "drip:0.2": "the stand-in gave no whole reply within 0.3 s",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_an_error_and_the_next_request_is_well(fault):
    with reranker([fault]) as cohere_reranker:
        if ":" in fault:
            cohere_reranker.timeout = 0.3
        with pytest.raises(ServiceError, match=FAULTS[fault]):
            cohere_reranker.rerank("q", TEXTS)
        if ":" in fault:
            cohere_reranker = lk.CohereReranker(base_url=cohere_reranker.base_url)
        assert cohere_reranker.rerank("q", TEXTS, top_n=1).ids == ["1"]


def test_every_fault_is_tested():
    assert {fault.partition(":")[0] for fault in FAULTS} == set(VOCABULARY) - {"ok"}


def test_an_error_carries_what_a_caller_needs_to_decide():
    with reranker(["429:7"]) as cohere_reranker, pytest.raises(ServiceError) as caught:
        cohere_reranker.rerank("q", TEXTS)
    assert (caught.value.status, caught.value.retry_after) == (429, 7.0)


@pytest.mark.parametrize(
    ("fault", "failure", "free"),
    [
        ("429", "rate limit", True),
        ("503", "server error", False),
        ("reset", "connection", False),
        ("slow:60", "connection", False),
        ("malformed", "bad reply", False),
        ("nan_score", "bad reply", False),
    ],
)
def test_an_error_says_in_a_word_what_failed_and_whether_it_was_surely_free(fault, failure, free):
    with reranker([fault], timeout=0.3) as cohere_reranker, pytest.raises(ServiceError) as caught:
        cohere_reranker.rerank("q", TEXTS)
    assert (caught.value.failure, caught.value.free) == (failure, free)


@pytest.mark.parametrize("key", ["x\ny", "é"])
def test_what_could_never_be_sent_is_free_and_will_not_pass(key):
    with reranker(live=True, api_key=key) as cohere_reranker, pytest.raises(ServiceError) as caught:
        cohere_reranker.rerank("q", TEXTS)
    assert (caught.value.failure, caught.value.free) == ("bad request", True)


def test_where_nobody_listens_nothing_is_billed():
    with pytest.raises(ServiceError) as caught:
        lk.CohereReranker(base_url="http://127.0.0.1:9").rerank("q", TEXTS)
    assert (caught.value.failure, caught.value.free) == ("connection", True)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ([], "must have a list of results"),
        ({"results": [7]}, "must have a list of results"),
        ({"results": [{"index": True, "relevance_score": 1}]}, "whole number from 0 to 0; got True"),
        ({"results": [{"index": 0, "relevance_score": True}]}, "finite number; got True"),
        ({"results": [{"index": 0, "relevance_score": 10**400}]}, "finite number; got 1000"),
        ({"results": [{"index": 0, "relevance_score": 1, "relevant_spans": [{"start": 0, "end": 4}]}]}, "3 characters"),
        ({"results": [{"index": 0, "relevance_score": 1, "relevant_spans": [{"start": 0.5}]}]}, "relevant span"),
        ({"results": [{"index": 0, "relevance_score": 1, "relevant_spans": "x"}]}, "relevant span"),
    ],
)
def test_other_replies_that_cannot_be_believed(reply, message):
    with pytest.raises(ServiceError, match=message):
        read_reply(reply, ["abc"])


def test_a_strange_bill_costs_nothing_and_stops_nothing():
    reply = {"results": [{"index": 0, "relevance_score": 1}], "meta": {"billed_units": {"search_units": "x"}}}
    assert read_reply(reply, ["abc"]).cost == {}


def test_threads_share_a_client_and_each_gets_its_own_answer():
    with reranker() as cohere_reranker, ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: cohere_reranker.rerank("q", ["a 0", f"b 0.{n}"], top_n=1)[0].score, range(1, 9))
        assert list(answers) == [n / 10 for n in range(1, 9)]


def test_no_proxy_swallows_loopback(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with reranker() as cohere_reranker:
        assert cohere_reranker.rerank("q", TEXTS, top_n=1).ids == ["1"]


def test_the_default_is_one_stand_in_a_process_with_the_order_of_maxsim():
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: shared_standin(), range(4)))) == 1
    texts = ["Remove duplicate rows from a table.", "Read a file.", "Sort the rows of a table.", "Draw a histogram."]
    c = Collection("toy", {f"d{i}": Document("", text) for i, text in enumerate(texts)})
    first = lk.DenseRetriever(c)
    ours, late = (
        lk.TwoStage(first, r).search("drop rows") for r in (lk.CohereReranker(), lk.LateInteractionReranker())
    )
    assert ours.ids == late.ids
    ratio = [a.score / b.score for a, b in zip(ours, late, strict=True)]
    assert ratio == pytest.approx([ratio[0]] * 4, rel=1e-5)  # the same score, divided by the query's tokens
    assert "MaxSim" in ours.note
    assert ours.system == "dense+cohere"


def test_it_is_a_system_by_name_and_live_only_when_told(monkeypatch):
    c = Collection("toy", {"a": Document("", "ba ce"), "b": Document("", "ba di")})
    monkeypatch.setenv("CO_API_KEY", "a-key")
    assert not lk.system("bm25+cohere", c).reranker.live
    assert lk.system("bm25+cohere", c, live=True).reranker.live


# Keys


def test_live_needs_a_key_and_says_what_to_set():
    with pytest.raises(lk.LabError, match=r"set CO_API_KEY \(or COHERE_API_KEY\), or pass api_key="):
        lk.CohereReranker(live=True, api_key=" ")


@pytest.mark.parametrize("name", ["CO_API_KEY", "COHERE_API_KEY"])
def test_live_takes_a_key_from_the_environment_and_is_live_only_when_told(name, monkeypatch):
    monkeypatch.setenv(name, KEY)
    assert (lk.CohereReranker(live=True).scale, lk.CohereReranker(live=True).model) == ("relevance", "rerank-v3.5")
    assert lk.CohereReranker().scale == "stand-in"
    assert KEY not in repr(vars(lk.CohereReranker(api_key=KEY)))


def test_without_live_nothing_leaves_this_machine():
    with pytest.raises(lk.LabError, match="live=False sends nothing beyond this machine"):
        lk.CohereReranker(base_url="https://api.cohere.com").rerank("q", TEXTS)


def test_a_stand_in_behind_a_live_client_is_still_called_one():
    with reranker(live=True, api_key=KEY) as cohere_reranker:
        assert "a stand-in answered, not Cohere" in cohere_reranker.rerank("q", TEXTS).note


class Telltale:
    """A scorer that repeats the key in the reply's warnings, or in its error."""

    how = f"scorer {KEY}"

    def __call__(self, query, texts):
        if query == "fail":
            raise ValueError(f"no such key: {KEY}")
        return by_number(query, texts)


def shown(error):
    """The error with its traceback, its causes and every frame's locals."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("fault", [*FAULTS, "ok"])
def test_a_key_is_never_in_errors_or_tracebacks(fault):
    with reranker([fault], Telltale(), live=True, api_key=KEY, timeout=0.3) as cohere_reranker:
        with pytest.raises(ServiceError) as caught:
            cohere_reranker.rerank("fail" if fault in ("ok", "slow:60", "drip:0.2") else "q", TEXTS)
        assert KEY not in shown(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("behind", "timeout", "message"),
    [
        ("\nx", 5, r"connection to the stand-in failed \(LocalProtocolError"),
        ("é", 5, r"could not be sent \(UnicodeEncodeError"),
        ("", -1, "timeout must be"),
    ],
)
def test_a_key_is_not_in_errors_of_this_side(behind, timeout, message, monkeypatch):
    monkeypatch.setenv("CO_API_KEY", KEY + behind)
    with pytest.raises(lk.LabError, match=message) as caught, reranker(live=True, timeout=timeout) as cohere_reranker:
        cohere_reranker.rerank("q", TEXTS)
    assert KEY not in shown(caught.value)


def test_a_key_is_not_in_what_can_be_printed():
    with reranker(scorer=Telltale(), live=True, api_key=KEY) as cohere_reranker:
        ranking = cohere_reranker.rerank("q", TEXTS)
        printed = (ranking, vars(ranking), cohere_reranker, vars(cohere_reranker), cohere_reranker.configuration)
        assert KEY not in repr(printed)
        assert "scorer ***" in ranking.note


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lk.CohereReranker(model=""), "model must be the id of a model"),
        (lambda: lk.CohereReranker(live="yes"), "live must be True or False"),
        (lambda: lk.CohereReranker(timeout=0), "timeout must be seconds above 0; got 0"),
        (lambda: lk.CohereReranker(timeout=float("nan")), "timeout must be seconds above 0; got nan"),
        (lambda: lk.CohereReranker(max_tokens_per_doc=0), "max_tokens_per_doc must be a whole number of at least 1"),
        (lambda: lk.CohereReranker().rerank(" ", TEXTS), "query must have a word in it"),
        (lambda: lk.CohereReranker().rerank("q", ["a"] * 1_001), "at most 1,000 passages can be reranked; got 1,001"),
        (lambda: lk.CohereReranker().rerank("q", TEXTS, top_n=0), "top_n must be a whole number"),
        (lambda: lk.CohereReranker().rerank("q", ["\ud800"]), "candidate 0 must be valid Unicode"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(lk.LabError, match=message):
        make()


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, "labkit.ranking.cohere_client", raising=False)
    monkeypatch.setitem(sys.modules, "cohere", None)
    with pytest.raises(lk.LabError, match=r"needs cohere, .* pip install 'late-interaction-lab\[cohere\]'"):
        lk.CohereReranker(base_url="http://127.0.0.1:9").rerank("q", TEXTS)
