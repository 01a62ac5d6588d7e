"""Traces: what a line says, what it never says, what survives, and whether a request would answer the same again."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.replay import replay
from labkit.ranking.ranking import Ranking
from labkit.ranking.redaction import RULES, Redaction
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored
from labkit.ranking.trace import read_traces
from labkit.views.timeline import overview, timeline

C = Collection("pets", {
    "a": Document("", "a cat sat on a mat"), "b": Document("", "a dog ran"), "c": Document("", "cat and dog and cat"),
})  # fmt: skip
KEY = "a-key-of-a-shape-no-rule-knows"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "trace.jsonl"


class ByLength(Reranker):
    """The longest text first."""

    name, scale, configuration = "length", "characters", {"name": "length"}

    def __init__(self, note="", cost=None, fail=None):
        self.told = {"note": note, "cost": cost or {}}
        self.fail = fail

    def score(self, query, hits):
        if self.fail:
            raise self.fail
        return Scored(np.array([float(len(hit.text)) for hit in hits]), **self.told)


def asked(trace, system, query="cat", **settings):
    """One request, and its line."""
    ranking = trace.wrap(system).search(query, **settings)
    return ranking, trace.read()[0][-1]


def bm25(collection=C, **settings):
    return lk.BM25Retriever(collection, **settings)


def test_a_request_is_one_line_with_its_stages(file):
    pipe = lk.TwoStage(bm25(), ByLength(cost={"units": 2.0}, note="as told"), k=7)
    ranking, line = asked(lk.Trace(file), pipe, top_n=1)
    assert len(file.read_text().splitlines()) == 1
    assert ranking.ids == ["c"]
    assert (line["schema"], line["outcome"], line["query"], line["system"]) == (1, "answered", "cat", "bm25+length")
    assert (line["k"], line["top_n"], line["cost"]) == (None, 1, {"units": 2.0})
    assert line["at"].endswith("+00:00")
    assert line["collection"]["name"] == "pets"
    assert line["versions"]["numpy"]
    first, second = line["stages"]
    assert (first["name"], first["k"], first["in"], [hit["id"] for hit in first["out"]]) == ("bm25", 7, [], ["c", "a"])
    assert (second["name"], second["top_n"], second["in"]) == ("length", 1, ["c", "a"])
    assert (second["note"], second["scale"]) == ("as told", "characters")
    hit = second["out"][0]
    assert (hit["id"], hit["rank"], hit["previous_rank"], hit["score"]) == ("c", 1, 1, len("cat and dog and cat"))
    assert "mat" not in file.read_text()  # no text of a document


def test_a_traced_pipeline_answers_as_the_pipeline_and_stays_one(file):
    pipe = lk.TwoStage(lk.TwoStage(bm25(), ByLength()), ByLength())
    traced = lk.Trace(file).wrap(pipe)
    assert isinstance(traced, lk.TwoStage)
    assert traced.configuration == pipe.configuration
    assert traced.search("cat dog", k=2, top_n=2).ids == pipe.search("cat dog", k=2, top_n=2).ids
    stages = read_traces(file)[0][0]["stages"]
    assert [stage.get("k", stage.get("top_n")) for stage in stages] == [50, 2, 2]  # the outer k is the inner top_n


def test_a_traced_first_stage_still_serves_a_reranker_and_a_fusion(file):
    first = lk.Trace(file).wrap(bm25())
    assert lk.TwoStage(first, ByLength()).search("cat").ids == ["c", "a"]
    assert lk.FusionRetriever([first]).search("cat").ids == ["c", "a"]
    assert len(read_traces(file)[0]) == 1  # a fusion asks its sides for scores, not for a search: wrap the fusion


def test_the_hash_of_a_text_changes_with_the_text(file):
    other = replace(C, docs={**C.docs, "a": Document("", "a cat sat on a rug")})
    old, new = (asked(lk.Trace(file), bm25(c))[1] for c in (C, other))
    one, two = ({hit["id"]: hit["texts"] for hit in line["stages"][0]["out"]} for line in (old, new))
    assert (one["a"] != two["a"], one["c"] == two["c"]) == (True, True)
    assert old["collection"]["hash"] != new["collection"]["hash"]


def test_the_hash_of_a_collection_is_that_of_its_documents_not_of_its_queries(file):
    split = replace(C, queries={"q": "cat"}, qrels={"q": {"a": 1}})
    assert len({asked(lk.Trace(file), bm25(c))[1]["collection"]["hash"] for c in (C, split)}) == 1


def test_a_request_that_raises_is_logged_as_refused_and_still_raises(file):
    trace = lk.Trace(file)
    pipe = trace.wrap(lk.TwoStage(bm25(), ByLength(fail=lk.LabError("the service answered 429"))))
    with pytest.raises(lk.LabError, match="429"):
        pipe.search("cat")
    line = trace.read()[0][-1]
    assert (line["outcome"], line["error"]) == ("refused", "LabError: the service answered 429")
    assert [stage["name"] for stage in line["stages"]] == ["bm25", "length"]


@pytest.mark.parametrize("query", [None, 7, "\ud800", "", "x" * 10_000])
def test_a_bad_query_is_logged_and_refused_as_without_a_trace(query, file):
    trace = lk.Trace(file)

    def outcome(system):
        try:
            return system.search(query).ids
        except lk.LabError as error:
            return str(error)

    assert outcome(trace.wrap(bm25())) == outcome(bm25())
    assert (len(trace.read()[0]), trace.lost) == (1, 0)


@pytest.mark.parametrize("k", ["ann@example.org", 1.5, object()])
def test_a_bad_k_is_logged_after_the_rules(k, file):
    trace = lk.Trace(file)
    with pytest.raises(lk.LabError, match="k must be a whole number"):
        trace.wrap(bm25()).search("cat", k=k)
    assert (trace.read()[0][0]["outcome"], trace.lost) == ("refused", 0)
    assert "ann@" not in file.read_text()


def test_numbers_of_numpy_are_numbers(file):
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), ByLength(cost={"units": np.float32(0.5)})), k=np.int64(2))[1]
    assert (line["k"], line["stages"][0]["k"], line["cost"]) == (2, 2, {"units": 0.5})


class Slow(lk.LateInteractionReranker):
    """One that answers after its guard has gone."""

    def score(self, query, hits):
        self.gone.wait(30)
        return super().score(query, hits)


@pytest.fixture
def fell_back(file):
    """The line of a request whose guard gave up."""
    slow = Slow()
    slow.prepare()
    slow.gone = threading.Event()
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), lk.Guard(slow, deadline=0.05)), "cat on a mat")[1]
    slow.gone.set()
    return line


def test_a_fallback_is_an_outcome_with_its_reason(fell_back):
    assert (fell_back["outcome"], fell_back["stages"][1]["fallback"]) == ("fallback", "deadline")
    assert "fallback (deadline)" in overview([fell_back])
    assert "fell back: deadline" in timeline(fell_back)


def test_a_guard_logs_its_attempts_and_is_built_again_with_its_caps(file):
    guard = lk.Guard(lk.LateInteractionReranker(), deadline=60, max_candidates=1)
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), guard), "cat dog")[1]
    assert (line["outcome"], line["stages"][1]["attempts"]) == ("answered", 1)
    again = replay(json.loads(json.dumps(line)), collection=C)
    assert (again.same, again.causes) == (True, ())


@pytest.mark.parametrize(
    ("text", "shown", "rule"),
    [
        ("mail ann.b+c@mail.example.org now", "mail [email] now", "email"),
        ("call +49 30 1234567 today", "call [phone] today", "phone"),
        ("call (555) 123-4567 today", "call [phone] today", "phone"),
        ("card 4111 1111 1111 1111", "card [number]", "number"),
        ("card 4111-1111-1111-1111", "card [number]", "number"),
        ("account 1234567890", "account [number]", "number"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [number]", "number"),
        ("from 192.168.17.4 port 80", "from [ip] port 80", "ip"),
        ("from 2001:db8::8a2e:370:7334 port", "from [ip] port", "ip"),
        ("Authorization: Bearer abcdefgh12345678.x", "Authorization: [key]", "key"),
        ("api_key=hunter2hunter2", "[key]", "key"),
        ("use sk-abcdefghijklmnop1234", "use [key]", "key"),
        ("use Ab3dEfGh1jKlMnOpQrStUvWxYz0123456789AbCd", "use [key]", "key"),
    ],
)
def test_a_default_rule_hides_and_counts(text, shown, rule):
    counts = Counter()
    assert Redaction().clean(text, counts) == shown
    assert counts == {rule: 1}


@pytest.mark.parametrize(
    "text",
    [
        "turn a wide table into a long one", "numpy 2.1.0 on python 3.12",
        "a[1::2] and x[::-1]", "12:30:45 to datetime",
        "3.14159265358979", "scipy.spatial.distance.cdist",
        "token splitting in a tokenizer", "2024-01-15 to 2024-02-15",
        "reshape (100, 200, 3)", "sklearn.metrics.pairwise_distances_argmin_min", "bearer of bad news",
    ],
)  # fmt: skip
def test_a_default_rule_leaves_an_ordinary_question_alone(text):
    assert Redaction().clean(text, Counter()) == text


@pytest.mark.parametrize("piece", ["x", "1", "eyJ-", "sk-", "token ", "a@", "1 ", "1-", "Aa1", "a:", "ab ", "(1"])
def test_no_rule_takes_more_than_linear_time(piece):
    def seconds(length):
        text, times = (piece * length)[:length], []
        for _ in range(3):
            began = time.perf_counter()
            Redaction().clean(text, Counter())
            times.append(time.perf_counter() - began)
        return min(times)

    assert seconds(160_000) < 16 * 4 * max(seconds(10_000), 1e-3)  # quadratic would be 256 times


def test_a_redacted_query_is_counted_and_said_to_be_inexact(file):
    line = asked(lk.Trace(file), bm25(), "cat of ann@example.org")[1]
    assert (line["query"], line["query_exact"], line["redacted"]) == ("cat of [email]", False, {"email": 1})
    assert "ann@" not in file.read_text()


def test_with_hashes_no_query_is_written_and_equal_ones_are_equal(file):
    trace = lk.Trace(file, queries="hash")
    one, two, other = (asked(trace, bm25(), query)[1] for query in ("cat mat", "cat mat", "cat"))
    assert "cat mat" not in file.read_text()
    assert one["query"] is None
    assert one["query_hash"] == two["query_hash"] != other["query_hash"]


def test_a_salt_is_secret_and_of_one_machine(file, home, tmp_path, monkeypatch):
    one = asked(lk.Trace(file), bm25())[1]
    salt = (home / "trace.salt").read_bytes()
    assert salt.hex() not in file.read_text()
    if os.name == "posix":
        assert (home / "trace.salt").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "elsewhere"))
    two = asked(lk.Trace(file), bm25())[1]
    assert one["query_hash"] != two["query_hash"]
    assert one["salt"] != two["salt"]


def test_own_rules_join_the_default_ones(file):
    line = asked(lk.Trace(file, rules=[*RULES, ("customer", r"C-\d+")]), bm25(), "cat of C-17, ann@example.org")[1]
    assert (line["query"], line["redacted"]) == ("cat of [customer], [email]", {"customer": 1, "email": 1})


@pytest.mark.parametrize("queries", ["text", "redacted", "hash"])
def test_a_key_reaches_no_line_wherever_it_stands(queries, file, monkeypatch):
    monkeypatch.setenv("CO_API_KEY", f" {KEY}\n")
    monkeypatch.setenv("COHERE_API_KEY", KEY[::-1])
    c = Collection(f"of {KEY}", {f"cat-{KEY}": Document("", "cat"), "b": Document("", "cat dog")})
    noted = ByLength(note=f"denied: {KEY[::-1]}")
    noted.configuration = {"name": "length", "headers": [{"Authorization": f"Bearer {KEY}"}]}
    asked(lk.Trace(file, queries=queries), lk.TwoStage(bm25(c), noted), f"cat {KEY}")
    failing = lk.Trace(file, queries=queries).wrap(lk.TwoStage(bm25(c), ByLength(fail=RuntimeError(KEY))))
    with pytest.raises(RuntimeError):
        failing.search("cat")
    written = file.read_text()
    assert len(written.splitlines()) == 2
    assert KEY not in written
    assert KEY[::-1] not in written
    assert "[key]" in written


def test_ids_and_notes_pass_the_rules_in_every_mode_and_ids_stay_apart(file):
    docs = {f"{name}@example.org": Document("", "cat") for name in ("ann", "bob")}
    pipe = lk.TwoStage(bm25(Collection("mail", docs)), ByLength(note="asked for eve@example.org"))
    line = asked(lk.Trace(file, queries="text"), pipe, "cat of zoe@example.org")[1]
    assert line["query"] == "cat of zoe@example.org"
    shown = [hit["id"] for hit in line["stages"][1]["out"]]
    assert len(set(shown)) == 2
    assert all(doc_id.startswith("[email]#") for doc_id in shown)
    assert line["stages"][1]["note"] == "asked for [email]"
    assert line["stages"][1]["in"] == [hit["id"] for hit in line["stages"][0]["out"]]


@pytest.mark.parametrize("queries", ["redacted", "hash"])
def test_a_note_that_quotes_a_hidden_query_is_left_out(queries, file):
    query = "cat of ann@example.org"
    pipe = lk.TwoStage(bm25(), ByLength(note=f"refused: {query[:15]}"))  # cut, so that no rule knows the address
    assert asked(lk.Trace(file, queries=queries), pipe, query)[1]["stages"][1]["note"].startswith("[left out")
    assert "ann@exa" not in file.read_text()


def test_a_log_that_cannot_be_written_fails_no_request_and_is_told_once(tmp_path, caplog):
    folder = tmp_path / "folder.jsonl"
    folder.mkdir()
    trace = lk.Trace(folder)
    pipe = trace.wrap(bm25())
    assert [pipe.search("cat").ids for _ in range(3)] == [["c", "a"]] * 3
    assert trace.lost == 3
    told = [record.message for record in caplog.records if record.name == "labkit.ranking.trace"]
    assert len(told) == 1
    assert told[0].startswith("a request was answered and not written to ")


def test_a_model_that_cannot_be_had_is_no_error_of_the_trace(file):
    pipe = lk.Trace(file).wrap(lk.TwoStage(bm25(), lk.CrossEncoderReranker("no/such-model")))
    with pytest.raises(lk.LabError, match="no/such-model"):
        pipe.search("cat")
    assert read_traces(file)[0][0]["configuration"] == {"name": "bm25+cross"}


def test_rotation_keeps_the_backups_and_reading_joins_them(file):
    trace = lk.Trace(file, max_bytes=3_000, backups=2)
    pipe = trace.wrap(bm25())
    for number in range(20):
        pipe.search(f"cat {number}")
    assert sorted(p.name for p in file.parent.glob("trace.jsonl*")) == [
        "trace.jsonl", "trace.jsonl.1", "trace.jsonl.2", "trace.jsonl.lock",
    ]  # fmt: skip
    assert all(p.stat().st_size <= 3_000 for p in file.parent.glob("trace.jsonl*"))
    kept = [line["query"] for line in trace.read()[0]]
    assert kept == [f"cat {number}" for number in range(20)][-len(kept) :]
    assert len(kept) > 3


def test_a_torn_line_is_skipped_and_counted_and_the_next_one_is_whole(file):
    trace = lk.Trace(file)
    pipe = trace.wrap(bm25())
    pipe.search("cat")
    with file.open("ab") as tearing:
        tearing.write(b'{"schema": 1, "id": "to')
    pipe.search("dog")
    lines, torn = trace.read()
    assert ([line["query"] for line in lines], torn) == (["cat", "dog"], 1)


WRITER = """
import sys
import labkit as lk
from labkit.corpus.collection import Collection, Document
trace = lk.Trace(sys.argv[1], max_bytes=int(sys.argv[2]), backups=1000)
pipe = trace.wrap(lk.BM25Retriever(Collection("pets", {str(i): Document("", f"cat {i}") for i in range(60)})))
for number in range(int(sys.argv[4])):
    pipe.search(f"cat {sys.argv[3]}-{number}")
    print(f"cat {sys.argv[3]}-{number}", trace.lost, flush=True)
"""


def writer(file, name, count, max_bytes):
    words = [sys.executable, "-c", WRITER, str(file), str(max_bytes), name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_rotate_one_file_and_lose_nothing(file):
    with writer(file, "one", 60, 30_000) as one, writer(file, "two", 60, 30_000) as two:
        said = [*one.stdout, *two.stdout]
    lines, torn = read_traces(file)
    lost = max(int(line.split()[-1]) for line in said)
    assert len(list(file.parent.glob("trace.jsonl.*"))) > 4  # it was rotated
    assert (torn, lost) == (0, 0)
    assert {line["query"] for line in lines} == {f"cat {name}-{i}" for name in ("one", "two") for i in range(60)}


def test_threads_share_a_traced_pipeline(file):
    pipe = lk.Trace(file).wrap(lk.TwoStage(bm25(), ByLength()))
    threads = [threading.Thread(target=pipe.search, args=(f"cat {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = read_traces(file)[0]
    assert {line["query"] for line in lines} == {f"cat {i}" for i in range(8)}
    assert all([stage["name"] for stage in line["stages"]] == ["bm25", "length"] for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_process_leaves_every_earlier_line_whole(file):
    with writer(file, "one", 1_000_000, 10_000_000) as child:
        answered = [child.stdout.readline().rsplit(" ", 1)[0] for _ in range(40)]
        child.kill()
        answered += [line.rsplit(" ", 1)[0] for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -9
    lines, torn = read_traces(file)
    found = [line["query"] for line in lines]
    assert found[: len(answered)] == answered
    assert len(found) <= len(answered) + 1  # one may be written and not yet told
    assert torn <= 1
    assert all(len(line["stages"][0]["out"]) == 50 for line in lines)


def test_reading_says_when_there_is_no_trace_or_a_newer_one(file):
    with pytest.raises(lk.LabError, match=r"there is no trace .*trace\.jsonl"):
        read_traces(file)
    file.write_text('{"schema": 2, "id": "x"}\n')
    with pytest.raises(lk.LabError, match="lines of schema 2, and this labkit reads 1"):
        read_traces(file)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"queries": "none"}, "queries must be one of redacted, hash, text; got 'none'"),
        ({"rules": [("open", "(")]}, r"rules must be \(name, regular expression\) pairs"),
        ({"rules": ["email"]}, r"rules must be \(name, regular expression\) pairs"),
        ({"max_bytes": 0}, "max_bytes must be a whole number of at least 1"),
        ({"backups": 0}, "backups must be a whole number of at least 1"),
    ],
)
def test_bad_parameters_are_told(settings, message, file):
    with pytest.raises(lk.LabError, match=message):
        lk.Trace(file, **settings)


def test_a_timeline_is_read_stage_by_stage_and_shows_no_control_character(file):
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), ByLength(cost={"search_units": 1.0})), "cat \x1b[2J")[1]
    told = timeline(line)
    assert "bm25 (k=50): 2 out in " in told
    assert "length (top_n=5): 2 in, 2 out in " in told
    assert "1 search units" in told
    assert "\x1b" not in told + overview([line])


def test_a_replay_is_the_same_when_nothing_changed(file):
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), lk.LateInteractionReranker()), "cat on a mat")[1]
    again = replay(json.loads(json.dumps(line)), collection=C)
    assert (again.same, again.causes, again.effects) == (True, (), ())
    assert "The answer is the same." in again.to_text()


@pytest.mark.parametrize("system", ["bm25", "dense", "fusion", "fusion+late", "dense+late+fusion"])
def test_every_named_system_is_built_again_from_its_trace(system, file):
    again = replay(asked(lk.Trace(file), lk.system(system, C), "cat dog")[1], collection=C)
    assert (again.same, again.causes) == (True, ())


def test_settings_and_the_standin_are_built_again_too(file):
    inner = lk.TwoStage(bm25(k1=0.4), lk.CohereReranker(max_tokens_per_doc=64))
    again = replay(asked(lk.Trace(file), inner, "cat", k=2, top_n=1)[1], collection=C)
    assert (again.same, again.causes) == (True, ())


def test_a_replay_tells_the_cause_before_the_effect(file):
    line = asked(lk.Trace(file), bm25(), "cat")[1]
    line["versions"]["numpy"], line["code"] = "1.0", "another"
    changed = replace(C, docs={**C.docs, "c": Document("", "cow"), "d": Document("", "cat cat cat")})
    again = replay(line, collection=changed)
    assert not again.same
    assert again.causes[0].startswith("the documents of pets changed: hash ")
    assert again.causes[1].startswith("version of numpy: 1.0 → ")
    assert again.causes[2].startswith("code: another → ")
    assert again.effects[:2] == ("bm25: d entered", "bm25: c left")
    changed = replace(C, docs={**C.docs, "c": Document("", "cat cat cat")})
    assert "the text of c changed" in replay(line, collection=changed).causes


def test_a_replay_names_the_ranks_that_moved_and_the_largest_score_difference(file):
    line = asked(lk.Trace(file), bm25(), "cat")[1]
    one, two = line["stages"][0]["out"]
    one["id"], two["id"] = two["id"], one["id"]
    again = replay(line, collection=C)
    assert again.effects[0] == "bm25: a 1 → 2, c 2 → 1 moved"
    assert again.effects[1].startswith("bm25: largest score difference at ")


def test_a_score_within_the_tolerance_is_the_same_and_beyond_it_is_not(file):
    pipe = lk.TwoStage(bm25(), lk.LateInteractionReranker())
    line = asked(lk.Trace(file), pipe, "cat on a mat")[1]  # four tokens: 4e-6 is allowed
    hit = line["stages"][1]["out"][0]
    hit["score"] += 3e-6
    assert replay(line, collection=C).same
    hit["score"] += 3e-6
    assert "MaxSim, 4e-06 allowed" in replay(line, collection=C).effects[0]


def test_another_model_behind_the_same_name_is_a_cause(file):
    line = asked(lk.Trace(file), lk.system("bm25+late", C), "cat")[1]
    line["configuration"]["reranker"]["encoder"] = "sentence-transformers/all-MiniLM-L6-v2 000000000000"
    assert replay(line, collection=C).causes[0].startswith("reranker.encoder: sentence-transformers/all-MiniLM-L6-v2 0")


def test_a_logged_fallback_is_the_first_cause(fell_back):
    again = replay(fell_back, collection=C)
    assert again.causes == ("the logged order is the first stage's: deadline",)
    assert "late: scores are MaxSim now, BM25 then" in again.effects


def test_a_refused_request_is_the_same_when_it_is_refused_again(file):
    trace = lk.Trace(file)
    with pytest.raises(lk.LabError):
        trace.wrap(bm25()).search("cat", k=0)
    line = trace.read()[0][-1]
    assert replay(line, collection=C).same
    line["k"] = 5
    assert replay(line, collection=C).effects[0].startswith("logged: LabError: k must be a whole number")


@pytest.mark.parametrize(("queries", "why"), [("hash", "only its hash"), ("redacted", "cannot be replayed exactly")])
def test_a_hidden_query_must_be_given_to_the_letter(queries, why, file, tmp_path, monkeypatch):
    query = "cat of ann@example.org"
    line = asked(lk.Trace(file, queries=queries), bm25(), query)[1]
    with pytest.raises(lk.LabError, match=f"{why}.*--query TEXT"):
        replay(line, collection=C)
    with pytest.raises(lk.LabError, match="its hash differs"):
        replay(line, query + " ", C)
    assert replay(line, query, C).same
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(lk.LabError, match="hashed with the salt"):
        replay(line, query, C)


def test_redacted_ids_are_compared_whatever_rule_hid_them(file):
    docs = {f"C-{number}": Document("", "cat " * number) for number in (1, 2)}
    c = Collection("customers", docs)
    line = asked(lk.Trace(file, rules=[("customer", r"C-\d+")]), bm25(c), "cat")[1]
    assert replay(line, collection=c).same


def test_what_cohere_answered_is_not_asked_again_without_live(file):
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), ByLength()), "cat")[1]
    line["configuration"]["reranker"] = {"name": "cohere", "model": "rerank-v3.5", "max_tokens_per_doc": None}
    with pytest.raises(lk.LabError, match="costs money: pass --live"):
        replay(line, collection=C)
    with pytest.raises(lk.LabError, match="live=True needs a key"):
        replay(line, collection=C, live=True)


def test_a_system_that_a_trace_does_not_tell_cannot_be_replayed(file):
    line = asked(lk.Trace(file), lk.TwoStage(bm25(), ByLength()), "cat")[1]
    with pytest.raises(lk.LabError, match="does not say how 'length' was built"):
        replay(line, collection=C)
    with pytest.raises(lk.LabError, match="no collection 'pets'"):
        replay(line)


def test_a_ranking_without_a_fallback_is_answered(file):
    assert getattr(Ranking("", ()), "fallback", "") == ""
    assert asked(lk.Trace(file), bm25())[1]["outcome"] == "answered"
