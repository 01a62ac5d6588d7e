"""An index on disk: what is read is what was written, a stopped build goes on, and damage is named."""

import errno
import multiprocessing
import os
import random
import time

import numpy as np
import pytest

import labkit as lk
from labkit import paths
from labkit.encoding import index_build
from labkit.encoding.index_files import LEARNED, MANIFEST
from tests.encoding.toy_index import SMALL, TEXTS, ToyEncoder, build_small, contents

STORAGES = [lk.Compression(), lk.Compression(storage="int8"), lk.Compression(dim=6), SMALL]


def vectors(index, texts):
    """The vectors of each text, whatever shard they are in."""
    found = [None] * len(texts)
    for pack, numbers, at in index.parts(texts):
        for number, place in zip(numbers.tolist(), at.tolist(), strict=True):
            found[place] = np.asarray(pack[number])
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "index"


@pytest.mark.parametrize("compression", STORAGES, ids=lambda c: f"{c.storage}-{c.dim}")
def test_what_is_read_is_what_the_compression_left(folder, compression):
    index = lk.build_index(folder, TEXTS[:60], ToyEncoder(), compression, shard=25)
    expected = index.compressor.documents(ToyEncoder().encode_documents(TEXTS[:60]))
    asked = [TEXTS[i] for i in (59, 3, 24, 25, 3)]
    for text, found in zip(asked, vectors(index, asked), strict=True):
        np.testing.assert_array_equal(found, expected[TEXTS.index(text)])


def test_equal_texts_are_stored_once_and_no_text_gives_an_empty_index(folder):
    assert len(lk.build_index(folder, ["a", "b", "a"], ToyEncoder())) == 2
    empty = lk.build_index(folder.with_name("none"), [], ToyEncoder())
    assert (len(empty), empty.parts([])) == (0, [])


def test_an_open_index_reads_no_vectors_and_says_what_it_is(folder):
    lk.build_index(folder, TEXTS[:10], ToyEncoder(), lk.Compression(storage="int8"))
    index = lk.open_index(folder, ToyEncoder())
    assert repr(index) == "Index('index', 10 texts, 0.0 MB of vectors)"
    assert index.bytes == 10 * 5 * (12 + 4)
    assert isinstance(index.parts(TEXTS[:1])[0][0].vectors.base, np.memmap)


def test_a_reranker_over_an_index_ranks_as_one_over_the_store(folder):
    texts = ["Drop duplicate rows of a table.", "Read a file.", "Sort the rows.", ""]
    encoder = lk.load_encoder()
    late = lk.LateInteractionReranker(encoder, index=lk.build_index(folder, texts, encoder, shard=3))
    plain, named = lk.LateInteractionReranker(encoder), lk.LateInteractionReranker(encoder, index=str(folder))
    for query in ("remove repeated rows", "open a file"):
        assert late.rerank(query, texts, top_n=4) == plain.rerank(query, texts, top_n=4)
        assert named.rerank(query, texts, top_n=4) == late.rerank(query, texts, top_n=4)
    assert late.rerank("rows", texts).cached == 4


def test_an_encoder_may_be_named(folder):
    lk.build_index(folder, ["Sort the rows."], "labkit-late-minilm").require(lk.load_encoder("labkit-late-minilm"))
    with pytest.raises(lk.LabError, match="encoder"):
        lk.open_index(folder).require(lk.load_encoder())


def test_a_second_build_of_the_same_encodes_nothing(folder):
    class Counting(ToyEncoder):
        calls = 0

        def encode_documents(self, texts):
            self.calls += 1
            return super().encode_documents(texts)

    lk.build_index(folder, TEXTS[:30], ToyEncoder(), SMALL, shard=10)
    before, again = contents(folder), Counting()
    lk.build_index(folder, TEXTS[:30], again, SMALL, shard=10)
    assert again.calls == 0
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["vectors-00001.safetensors", LEARNED])
def test_a_flipped_byte_is_named_and_a_second_build_mends_it(folder, name):
    lk.build_index(folder, TEXTS[:60], ToyEncoder(), SMALL, shard=25)
    before = contents(folder)
    damaged = bytearray(before[name])
    damaged[-3] ^= 1
    (folder / name).write_bytes(damaged)
    with pytest.raises(lk.LabError, match=f"{name} has changed since"):
        lk.open_index(folder)
    lk.build_index(folder, TEXTS[:60], ToyEncoder(), SMALL, shard=25).verify()
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": TEXTS[:9]}, "index with other texts"),
        ({"compression": lk.Compression(storage="int8")}, "another compression"),
        ({"encoder": type("Other", (ToyEncoder,), {"identity": "toy 2", "key": "other"})()}, "another encoder"),
        ({"shard": 3}, "another number of texts a shard"),
        ({"compression": lk.Compression().fit(ToyEncoder().encode_documents(TEXTS[:3]))}, "fitted on something else"),
    ],
)
def test_an_index_of_something_else_is_never_overwritten(folder, change, message):
    lk.build_index(folder, TEXTS[:10], ToyEncoder())
    before = contents(folder)
    with pytest.raises(lk.LabError, match=message):
        lk.build_index(folder, **{"texts": TEXTS[:10], "encoder": ToyEncoder(), **change})
    assert contents(folder) == before


def test_a_folder_with_other_files_is_left_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(lk.LabError, match="give a new or an empty folder"):
        lk.build_index(folder, TEXTS[:3], ToyEncoder())
    assert os.listdir(folder) == ["thesis.txt"]


def test_a_full_disk_is_told_and_the_build_goes_on_later(folder, monkeypatch):
    real, writes = paths.write_atomic, []

    def full(path, content):
        writes.append(path)
        if len(writes) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, content)

    monkeypatch.setattr(paths, "write_atomic", full)
    with pytest.raises(lk.LabError, match="No space left on device"):
        lk.build_index(folder, TEXTS[:60], ToyEncoder(), SMALL, shard=10)
    with pytest.raises(lk.LabError, match=r"half built, 10 of 60 texts. Run build_index again"):
        lk.open_index(folder)
    monkeypatch.setattr(paths, "write_atomic", real)
    lk.build_index(folder, TEXTS[:60], ToyEncoder(), SMALL, shard=10)
    lk.build_index(folder.with_name("whole"), TEXTS[:60], ToyEncoder(), SMALL, shard=10)
    assert contents(folder) == contents(folder.with_name("whole"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / MANIFEST).unlink(), "holds no index"),
        (lambda f: (f / MANIFEST).write_text("{"), "is damaged"),
        (lambda f: (f / "vectors-00000.safetensors").unlink(), "is missing"),
        (lambda f: os.truncate(f / "vectors-00000.safetensors", 700), "vectors-00000.safetensors has changed"),
        (lambda f: (f / MANIFEST).write_text("[]"), "is damaged"),
        (lambda f: (f / MANIFEST).write_text('{"version": 2, "complete": true}'), "does not have the sha256"),
        (lambda f: (f / MANIFEST).write_text('{"version": 1}'), "of version 1, and this labkit reads 2"),
    ],
)
def test_an_index_that_cannot_be_read_says_what_to_do(folder, spoil, message):
    lk.build_index(folder, TEXTS[:10], ToyEncoder())
    spoil(folder)
    with pytest.raises(lk.LabError, match=message):
        lk.open_index(folder)


@pytest.mark.parametrize("size", [0, 5, 700])
def test_a_shard_that_is_cut_off_is_named_even_where_no_hash_is_compared(folder, size):
    lk.build_index(folder, TEXTS[:10], ToyEncoder())
    os.truncate(folder / "vectors-00000.safetensors", size)
    with pytest.raises(lk.LabError, match=r"vectors-00000.safetensors is cut off or has changed"):
        lk.open_index(folder, verify=False)


def test_a_flipped_bit_is_found_wherever_it_is(folder):
    lk.build_index(folder, TEXTS[:40], ToyEncoder(), SMALL, shard=25)
    rng = random.Random(1)
    for name, content in contents(folder).items():
        for place in rng.sample(range(len(content)), min(40, len(content))):
            damaged = bytearray(content)
            damaged[place] ^= 1 << rng.randrange(8)
            (folder / name).write_bytes(damaged)
            with pytest.raises(lk.LabError, match=f"{name}|holds an index of version"):
                lk.open_index(folder)
        (folder / name).write_bytes(content)


def test_texts_and_encoders_that_it_does_not_know_are_refused(folder):
    index = lk.build_index(folder, TEXTS[:10], ToyEncoder())
    with pytest.raises(lk.LabError, match="does not hold the text 'another text'"):
        index.parts(["another text"])
    with pytest.raises(lk.LabError, match=r"was built with toy 1, and the encoder here is sentence-transformers"):
        lk.LateInteractionReranker(index=index).rerank("rows", TEXTS[:3])


def test_an_index_takes_a_collection_and_a_compressor_that_was_fitted_elsewhere(folder):
    elsewhere = SMALL.fit(ToyEncoder().encode_documents(TEXTS[300:400]))
    c = lk.Collection("toy", {text: lk.Document("", text) for text in TEXTS[:60]})
    index = lk.build_index(folder, c, ToyEncoder(), elsewhere, shard=25)
    assert index.compressor.configuration == elsewhere.configuration
    expected = elsewhere.documents(ToyEncoder().encode_documents(TEXTS[:2]))
    np.testing.assert_array_equal(vectors(index, TEXTS[:2]), [expected[0], expected[1]])
    with pytest.raises(lk.LabError, match="fitted on something else"):
        lk.build_index(folder, c, ToyEncoder(), SMALL, shard=25)


def test_a_compression_learns_from_texts_all_over_the_collection(folder, monkeypatch):
    monkeypatch.setattr(index_build, "SAMPLE", 40)
    index = lk.build_index(folder, TEXTS[:60], ToyEncoder(), SMALL)
    every = [text for number, text in enumerate(TEXTS[:60]) if number % 3 < 2]
    assert index.compressor.configuration == SMALL.fit(ToyEncoder().encode_documents(every)).configuration


def test_a_compression_that_cannot_be_fitted_does_not_claim_the_folder(folder):
    with pytest.raises(lk.LabError, match="dim must be at most the encoder's 12"):
        lk.build_index(folder, TEXTS[:3], ToyEncoder(), lk.Compression(dim=13))
    assert len(lk.build_index(folder, TEXTS[:3], ToyEncoder(), lk.Compression(dim=6))) == 3


def test_a_bare_string_is_refused(folder):
    with pytest.raises(lk.LabError, match="not a bare string"):
        lk.build_index(folder, "one text", ToyEncoder())
    with pytest.raises(lk.LabError, match="not a mapping, of which only the keys would count"):
        lk.build_index(folder, {"d1": "one text"}, ToyEncoder())
    assert not folder.exists()


def test_a_build_killed_before_its_manifest_leaves_nothing_in_the_way(folder):
    folder.mkdir()
    (folder / f".{MANIFEST}.half").write_text("{")
    assert len(lk.build_index(folder, TEXTS[:3], ToyEncoder())) == 3
    assert not (folder / f".{MANIFEST}.half").exists()


def test_two_builds_in_one_folder_do_not_meet(folder):
    class Meeting(ToyEncoder):
        def encode_documents(self, texts):
            with pytest.raises(lk.LabError, match="another build is at work"):
                lk.build_index(folder, TEXTS[:3], ToyEncoder())
            return super().encode_documents(texts)

    assert len(lk.build_index(folder, TEXTS[:3], Meeting())) == 3


def test_a_disk_that_is_really_full_is_told_and_leaves_no_part(folder):
    """Every byte is written through a file of limited size, as a full disk would have it."""
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    lk.build_index(folder.with_name("whole"), TEXTS[:60], ToyEncoder(), shard=60)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    try:
        with pytest.raises(lk.LabError, match="could not be written"):
            lk.build_index(folder, TEXTS[:60], ToyEncoder(), shard=60)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [name for name in contents(folder) if name.startswith("vectors")] == []
    lk.build_index(folder, TEXTS[:60], ToyEncoder(), shard=60)
    assert contents(folder) == contents(folder.with_name("whole"))


@pytest.mark.slow
def test_a_build_killed_at_twenty_moments_ends_with_the_same_bytes(folder):
    server = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        server.set_forkserver_preload([build_small.__module__])  # one import for all of them

    def start(place):
        process = server.Process(target=build_small, args=(place,))
        process.start()
        return process

    start(folder.with_name("warm")).join()
    began, whole = time.monotonic(), folder.with_name("whole")
    start(whole).join()
    seconds, kills, rng = time.monotonic() - began, 0, random.Random(5)
    while kills < 20:
        child = start(folder)
        child.join(rng.uniform(0, 0.5) * seconds)
        child.kill()
        child.join()
        if child.exitcode == 0:  # it came to its end: begin another one, so that all kills hit a build
            assert contents(folder) == contents(whole)
            folder = folder.with_name(f"next-{kills}")
        else:
            kills += 1
    last = start(folder)
    last.join()
    assert last.exitcode == 0
    assert contents(folder) == contents(whole)
