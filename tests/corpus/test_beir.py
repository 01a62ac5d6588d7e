"""Collections from folders: both BEIR layouts, and each kind of bad line named by file and number."""

import json

import pytest

import labkit as lk
from labkit.corpus.collection import Document


def write(folder, corpus=(), queries=(), qrels=None):
    folder.mkdir(exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, rows in (qrels or {}).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return folder


CORPUS = [{"_id": "d1", "title": "One", "text": "first"}, {"_id": "d2", "text": "second"}]
QUERIES = [{"_id": "q1", "text": "which is first"}, {"_id": "q2", "text": "which is second"}]


def test_the_flat_layout(tmp_path):
    c = lk.load_collection(str(write(tmp_path, CORPUS, QUERIES, {"qrels.tsv": ["q1\td1\t2", "q2\td2\t1"]})))
    assert c.docs == {"d1": Document("One", "first"), "d2": Document("", "second")}
    assert c.docs["d1"].passages == ("One. first",)
    assert c.docs["d2"].passages == ("second",)
    assert c.qrels == {"q1": {"d1": 2}, "q2": {"d2": 1}}
    assert c.split_names == ["all"]
    assert c.warnings == ()


def test_the_beir_layout_has_a_split_a_file(tmp_path):
    qrels = {"qrels/dev.tsv": ["q1\td1\t1"], "qrels/test.tsv": ["q2\td2\t1"]}
    c = lk.load_collection(str(write(tmp_path, CORPUS, QUERIES, qrels)))
    assert c.split_names == ["dev", "test", "all"]
    assert list(c.split("test").queries) == ["q2"]
    assert c.split("test").qrels == {"q2": {"d2": 1}}
    with pytest.raises(lk.LabError, match="no split 'train'; there is dev, test, all"):
        c.split("train")


def test_a_split_field_in_the_queries(tmp_path):
    queries = [{**QUERIES[0], "split": "dev"}, {**QUERIES[1], "split": "test"}]
    c = lk.load_collection(str(write(tmp_path, CORPUS, queries, {"qrels.tsv": ["q1\td1\t1", "q2\td2\t1"]})))
    assert list(c.split("dev").queries) == ["q1"]


def test_documents_alone_can_be_searched(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(json.dumps(CORPUS[0]), encoding="utf-8")
    c = lk.load_collection(str(tmp_path))
    assert (len(c.docs), c.queries, c.qrels) == (1, {}, {})


def test_numbers_as_ids_and_a_byte_order_mark_are_read(tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(b"\xef\xbb\xbf" + b'{"_id": 7, "text": "seven"}\n')
    assert list(lk.load_collection(str(tmp_path)).docs) == ["7"]


def test_what_is_skipped_or_repaired_is_counted(tmp_path):
    corpus = [*CORPUS, {"_id": "d3", "title": " ", "text": ""}, {"_id": "d4", "text": "bad \ud800 half"}]
    qrels = {"qrels.tsv": ["q1\td1\t1", "q1\tgone\t1", "nobody\td1\t1", "q2\td2\t-1"]}
    c = lk.load_collection(str(write(tmp_path, corpus, QUERIES, qrels)))
    assert c.docs["d4"].text == "bad \ufffd half"
    assert c.qrels == {"q1": {"d1": 1}, "q2": {"d2": 0}}
    assert [sentence.split(" ", 1) for sentence in c.warnings] == [
        ["1", "documents have neither title nor text; late interaction ranks them last."],
        ["1", "texts held lone surrogates, replaced by U+FFFD."],
        ["1", "judgments name unknown documents and were skipped."],
        ["1", "judgments name unknown queries and were skipped."],
        ["1", "judgments below 0 were read as 0."],
    ]


@pytest.mark.parametrize(
    ("corpus", "qrels", "message"),
    [
        ([CORPUS[0], "{oops"], [], r"corpus\.jsonl line 2 must be JSON; .*: '{oops'"),
        ([CORPUS[0], "[1]"], [], r"corpus\.jsonl line 2 must be an object with an _id"),
        ([{"text": "no id"}], [], r"corpus\.jsonl line 1 must be an object with an _id"),
        ([CORPUS[0], "", {"_id": "d2", "text": 5}], [], r"corpus\.jsonl line 3 must have 'text' as a string; got int"),
        ([{"_id": "d1"}], [], r"line 1 must have 'text' as a string; got NoneType"),
        ([CORPUS[0], CORPUS[1], CORPUS[0]], [], r"line 3 repeats the id 'd1' of line 1"),
        (CORPUS, ["q1\td1"], r"qrels\.tsv line 2 must be query-id, corpus-id and score.*got 2 cells"),
        (CORPUS, ["q1\td1\t1", "q1\td2\t0.5"], r"qrels\.tsv line 3 must have a whole number as score; got '0\.5'"),
        (CORPUS, ["q1\td1\t1", "q1\td1\t2"], r"line 3 judges 'q1', 'd1' as 2; another line says 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path, corpus, qrels, message):
    with pytest.raises(lk.LabError, match=message):
        lk.load_collection(str(write(tmp_path, corpus, QUERIES, {"qrels.tsv": qrels})))


def test_bytes_that_are_no_utf8_are_named(tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "x"}\n{"_id": "b", "text": "caf\xe9"}\n')
    with pytest.raises(lk.LabError, match=r"corpus\.jsonl line 2 must be UTF-8; byte 25 is not"):
        lk.load_collection(str(tmp_path))


def test_a_folder_without_a_corpus_and_an_unknown_name_say_what_there_is(tmp_path):
    with pytest.raises(lk.LabError, match=r"must hold corpus\.jsonl"):
        lk.load_collection(str(tmp_path))
    with pytest.raises(lk.LabError, match="no collection 'nope': give pydocs, pydocs-raw, a folder"):
        lk.load_collection("nope")


def test_ir_datasets_is_asked_for_only_where_it_is_installed():
    try:
        import ir_datasets  # noqa: F401
    except ImportError:
        with pytest.raises(lk.LabError, match="pip install ir-datasets"):
            lk.load_collection("ir_datasets:vaswani")
    else:
        with pytest.raises(lk.LabError, match="no dataset 'no-such-set'"):
            lk.load_collection("ir_datasets:no-such-set")
