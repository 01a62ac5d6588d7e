"""The command line: what people type, what they read, and one line instead of a traceback."""

import json
import os
import subprocess
import sys

import pytest

import labkit as lk

TOY = [
    {"_id": "melt", "title": "melt", "text": "Unpivot a table from wide to long format."},
    {"_id": "pivot", "title": "pivot", "text": "Spread a long table into a wide one."},
    {"_id": "sort", "title": "sort", "text": "Sort the rows of a table."},
    {"_id": "void", "title": "", "text": ""},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy")
    (path / "corpus.jsonl").write_text("\n".join(map(json.dumps, TOY)))
    (path / "queries.jsonl").write_text('{"_id": "q", "text": "turn a wide table into a long one"}\n')
    (path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tmelt\t3\n")
    return path


def labkit(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "labkit", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=300,
        env={**os.environ, "COLUMNS": "140", "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip


def test_ask_shows_both_lists_the_times_and_the_receipt(folder):
    done = labkit("ask", "turn a wide table into a long one", "--collection", folder, "--explain")
    assert done.returncode == 0, done.stderr
    assert "bm25 (BM25)" in done.stdout
    assert "bm25+late (MaxSim)" in done.stdout
    assert "first stage " in done.stdout
    assert " passages encoded, " in done.stdout
    assert "why " in done.stdout
    assert "total" in done.stdout
    assert "note: 1 documents have neither title nor text" in done.stderr


def test_the_first_stage_is_printed_before_any_model_is_loaded(folder):
    script = (
        "import sys; sys.argv = ['labkit', 'ask', 'wide table', '--collection', sys.argv[1]]\n"
        "import labkit.encoding.checkpoints as checkpoints\n"
        "def refuse(*a, **k): raise SystemExit('torch' in sys.modules and 9 or 8)\n"
        "checkpoints.load_encoder = refuse\n"
        "from labkit.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 8, done.stderr  # the model was asked for, and torch was not loaded until then
    assert "bm25 (BM25)" in done.stdout


def test_ask_json_has_the_contract_and_nothing_else_on_stdout(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--json", "--explain", "-k", "10", "-n", "2")
    answer = json.loads(done.stdout)
    assert set(answer) == {
        "query", "collection", "retriever", "reranker", "k", "n", "before", "after", "latency_ms", "encoded", "cached",
        "receipt", "models", "warnings",
    }  # fmt: skip
    assert set(answer["latency_ms"]) == {"first_stage", "rerank", "total"}
    hit = answer["after"][0]
    assert set(hit) == {"doc_id", "rank", "previous_rank", "score", "reason", "title", "text", "truncated"}
    assert (hit["rank"], len(answer["after"])) == (1, 2)
    assert answer["receipt"]["score"] == pytest.approx(hit["score"], abs=1e-4)
    assert answer["encoded"] + answer["cached"] == 3  # three documents share a word with the question
    assert len(answer["warnings"]) == 1


def test_ask_without_a_reranker(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--reranker", "none", "--json")
    answer = json.loads(done.stdout)
    assert answer["before"] == answer["after"]
    assert answer["models"]["reranker"] is None


def test_a_question_that_matches_nothing_is_answered_with_nothing(folder):
    done = labkit("ask", "zebra", "--collection", folder, "--explain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no document matches: none has a word of the question, stop words left out") == 1
    assert "model ready" not in done.stderr  # there is nothing to rerank, so nothing is loaded for it


def test_an_infinite_score_is_null_with_a_reason(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--retriever", "dense", "--json")
    last = json.loads(done.stdout)["after"][-1]
    assert (last["doc_id"], last["score"], last["reason"]) == ("void", None, "the document has no tokens to match")


def test_evaluate_json_is_the_contract(folder):
    done = labkit("evaluate", "--collection", folder, "--json")
    result = json.loads(done.stdout)
    assert list(result) == ["collection", "system", "queries", "metrics", "latency_ms", "failures"]
    assert list(result["metrics"]) == ["nDCG@10", "RR@10", "R@100", "Judged@10"]
    assert result["system"] == "bm25+late"
    assert (result["queries"], result["failures"]) == (1, 0)


def test_evaluating_cohere_without_live_gives_no_quality(folder):
    done = labkit("evaluate", "--collection", folder, "--reranker", "cohere", "--json")
    assert set(json.loads(done.stdout)["metrics"].values()) == {None}
    assert (
        "note: no quality figure: a stand-in scored, not the service. Run it with live=True and a key." in done.stderr
    )


def test_cohere_without_live_says_whose_scores_they_are(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--reranker", "cohere", "--json", "--explain")
    answer = json.loads(done.stdout)
    assert answer["models"]["reranker"] == "stand-in for rerank-v3.5"
    assert any("stand-in" in warning for warning in answer["warnings"])
    assert answer["receipt"] is None
    assert "note: cohere gives no score of a token, so there is no receipt." in done.stderr


def test_live_without_a_key_is_refused(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--reranker", "cohere", "--live", CO_API_KEY="")
    assert done.returncode == 2
    assert "live=True needs a key" in done.stderr


def test_the_offline_cross_encoder_answers(folder):
    done = labkit("ask", "wide table", "--collection", folder, "--reranker", "cross", "--json")
    answer = json.loads(done.stdout)
    assert answer["models"]["reranker"].startswith("labkit-cross-minilm ")
    assert (answer["encoded"], answer["cached"]) == (3, 0)  # each passage is read with the question


@pytest.fixture(scope="module")
def traced(folder, tmp_path_factory):
    """A trace of three requests over the folder, and the pipeline's answer to the first."""
    file = tmp_path_factory.mktemp("traced") / "trace.jsonl"
    pipe = lk.TwoStage(lk.BM25Retriever(lk.load_collection(str(folder))), lk.CohereReranker())
    answer = lk.Trace(file).wrap(pipe).search("wide table")
    lk.Trace(file, queries="hash").wrap(lk.system("bm25+late", pipe.collection)).search("long table", k=2)
    lk.Trace(file).wrap(lk.BM25Retriever(pipe.collection)).search("table for ann@example.org")
    return file, answer, [json.loads(line)["id"] for line in file.read_text().splitlines()]


def test_trace_list_has_a_line_a_request(traced):
    file, _, ids = traced
    lines = labkit("trace", "list", file).stdout.splitlines()
    assert [line.split()[1] for line in lines] == [i[:8] for i in ids]
    assert "'wide table'" in lines[0]
    assert "bm25+cohere" in lines[0]
    assert "answered, 1 search units" in lines[0]
    assert "long table" not in lines[1]
    assert "'table for [email]'" in lines[2]
    assert [line["id"] for line in json.loads(labkit("trace", "list", file, "--json").stdout)] == ids


def test_trace_show_tells_the_stages_of_one_request(traced):
    file, answer, ids = traced
    told = labkit("trace", "show", file, "--request", ids[0][:6]).stdout
    assert "bm25 (k=50): 3 out in " in told
    assert "cohere (top_n=5): 3 in, 3 out in " in told
    assert "note: a stand-in answered" in told
    assert f"   1   ({answer[0].previous_rank})" in told
    assert "table for [email]" in labkit("trace", "show", file).stdout  # the last one


def test_trace_replay_of_an_unchanged_request_is_0(traced):
    file, answer, ids = traced
    done = labkit("trace", "replay", file, "--request", ids[0], "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["same"], result["causes"], result["effects"]) == (0, True, [], [])
    assert result["logged"] == result["now"] == answer.ids


def test_trace_replay_of_a_hidden_query_needs_its_text(traced):
    file, _, ids = traced
    without = labkit("trace", "replay", file, "--request", ids[1])
    wrong = labkit("trace", "replay", file, "--request", ids[1], "--query", "a long table")
    right = labkit("trace", "replay", file, "--request", ids[1], "--query", "long table")
    assert (without.returncode, wrong.returncode, right.returncode) == (2, 2, 0)
    assert "logged only its hash. Give the text that was asked: --query TEXT" in without.stderr
    assert "its hash differs" in wrong.stderr
    assert "The answer is the same." in right.stdout
    assert "cannot be replayed exactly" in labkit("trace", "replay", file, "--last").stderr


def test_trace_replay_over_changed_documents_is_1_and_says_why(traced, tmp_path):
    file, _, ids = traced
    changed = [{**row, "text": row["text"].replace("wide", "broad")} for row in TOY]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, changed)))
    done = labkit("trace", "replay", file, "--request", ids[0], "--collection", tmp_path)
    assert done.returncode == 1
    assert "cause:  the documents of " in done.stdout
    assert "cause:  the text of " in done.stdout
    assert "effect: " in done.stdout
    assert done.stdout.index("cause:") < done.stdout.index("effect:")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "nope.jsonl"], "labkit: there is no trace "),
        (["show", "{file}", "--request", "nope"], "labkit: no request begins with 'nope'"),
        (["show", "{file}", "--request", "1", "--last"], "labkit: give --request ID or --last, not both"),
    ],
)
def test_a_trace_that_cannot_be_read_is_one_line_and_2(words, message, traced):
    done = labkit("trace", *[word.format(file=traced[0]) for word in words])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("A clean text of some words.", [], 0),
        ("See :func:`sort` for more words.", [], 0),  # a note
        ("Then [SEP] comes in the text.", [], 1),
        ("Then [SEP] comes in the text.", ["--fail-on", "error"], 0),
        ("Our cafÃ© opens at nine.", ["--fail-on", "error"], 3),
        ("Our cafÃ© opens at nine.", ["--fail-on", "never"], 0),
    ],
)
def test_lint_ends_with_a_code_by_severity(text, options, code, tmp_path):
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "a", "text": text}))
    done = labkit("lint", tmp_path, "--encoder", "none", *options)
    assert done.returncode == code, done.stderr
    assert "not run: truncated, long-query (what is cut) (needs encoder=lk.load_encoder())" in done.stdout


def test_lint_json_reads_past_bad_lines_and_knows_the_encoders_cut(folder, tmp_path):
    long = {"_id": "long", "text": f"Sort {'the rows ' * 300}of a table."}
    (tmp_path / "corpus.jsonl").write_text("\n".join([*map(json.dumps, TOY), json.dumps(long), "{oops"]))
    (tmp_path / "queries.jsonl").write_text((folder / "queries.jsonl").read_text())
    done = labkit("lint", tmp_path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 3
    assert report["counts"] == {
        "unreadable": {"error": 1}, "empty": {"error": 1}, "truncated": {"warning": 1}
    }  # fmt: skip
    assert (report["worst"], report["not_run"]) == ("error", {})
    assert report["unseen"][1]["worst"][0][0] == "long"
    cut = report["findings"][-1]
    assert long["text"][: cut["start"]].count("rows") + long["text"][: cut["start"]].count("the") == 253
    assert set(cut) == {
        "rule", "severity", "kind", "id", "field", "start", "end", "places", "evidence", "effect", "fix"
    }  # fmt: skip


def test_an_interrupted_lint_prints_what_it_found(folder):
    script = (
        "import sys; sys.argv = ['labkit', 'lint', sys.argv[1], '--encoder', 'none']\n"
        "from labkit.ranking.first_stage import BM25Retriever\n"
        "def stop(*a): raise KeyboardInterrupt\n"
        "BM25Retriever.search = stop\n"
        "from labkit.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 130
    assert "PARTIAL: interrupted; not finished: hub, vague-query" in done.stdout
    assert "void: neither title nor text" in done.stdout
    assert "labkit: interrupted; this is what was found so far." in done.stderr


def test_warm_encodes_once(folder, tmp_path):
    first = labkit("warm", "--collection", folder, LABKIT_CACHE=str(tmp_path))
    again = labkit("warm", "--collection", folder, LABKIT_CACHE=str(tmp_path))
    assert "4 passages encoded" in first.stderr
    assert "0 passages encoded" in again.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lint", "nope"], "labkit: no collection 'nope': give pydocs"),
        (["lint", "{folder}", "--fail-on", "notes"], "labkit: --fail-on must be error, warning, never; got 'notes'"),
        (["ask", " "], "labkit: the question must have a word; got an empty text."),
        (["ask", "x", "-k", "0"], "labkit: k must be a whole number of at least 1; got 0"),
        (["ask", "x", "-n", "-1"], "labkit: n must be a whole number of at least 1; got -1"),
        (["ask", "x", "--collection", "nope"], "labkit: no collection 'nope': give pydocs"),
        (["ask", "x", "--retriever", "bm26"], "labkit: no retriever 'bm26'; there is bm25, dense, fusion"),
        (["ask", "x", "--reranker", "magic"], "labkit: no reranker 'magic'; there is late"),
        (["evaluate", "--collection", "{folder}", "--split", "test"], "labkit: toy0 has no split 'test'; there is all"),
        (["ask", "wide table", "--collection", "{folder}", "--encoder", "{folder}"], "must hold safetensors weights"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, words, message):
    done = labkit(*[str(word).format(folder=folder) for word in words])
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_malformed_folder_names_file_and_line(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "text": "x"}\n{broken\n')
    done = labkit("ask", "x", "--collection", tmp_path)
    assert done.returncode == 2
    assert "labkit: corpus.jsonl line 2 must be JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_import_labkit_loads_neither_numpy_nor_torch():
    script = "import sys, labkit; print(sorted({'numpy', 'torch', 'pandas', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(AttributeError, match="has no attribute 'nope'; it has BM25Retriever"):
        _ = lk.nope


def test_every_public_name_loads():
    for name in lk.__all__:
        assert getattr(lk, name) is not None
