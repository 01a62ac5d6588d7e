"""The store: two writers, a killed process, a file cut in half. Nothing is lost but time."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest

from labkit.encoding.store import Entry, Store

DIM = 4


def entry(seed: int, length: int = 3) -> Entry:
    rng = np.random.default_rng(seed)
    pooled = rng.normal(size=DIM).astype(np.float32)
    return Entry(
        rng.normal(size=(length, DIM)).astype(np.float16),
        np.arange(length, dtype=np.int32),
        np.arange(2 * length, dtype=np.int32).reshape(-1, 2),
        pooled / np.linalg.norm(pooled),
        seed,
    )


def assert_same(found: Entry, expected: Entry) -> None:
    for name in ("vectors", "ids", "spans", "pooled"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert found.lost == expected.lost


def write_many(path, first):
    store = Store(path)
    for number in range(first, first + 20):
        store.put("recipe", [(f"text-{number}", entry(number))])


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "vectors.sqlite")


def test_what_goes_in_comes_out(store):
    store.put("recipe", [("a", entry(1)), ("b", entry(2, length=0))])
    found = store.get("recipe", ["b", "a", "unknown"], DIM)
    assert set(found) == {"a", "b"}
    assert_same(found["a"], entry(1))
    assert found["b"].vectors.shape == (0, DIM)


def test_another_recipe_is_another_vector(store):
    store.put("one", [("a", entry(1))])
    assert store.get("two", ["a"], DIM) == {}


def test_pooled_vectors_come_alone(store):
    store.put("recipe", [("a", entry(1)), ("b", Entry(None, None, None, entry(2).pooled, 0))])
    found = store.get("recipe", ["a", "b"], DIM, pooled_only=True)
    assert np.array_equal(found["a"].pooled, entry(1).pooled)
    assert found["a"].vectors is None
    assert store.missing("recipe", ["a", "b", "c", "c"]) == ["b", "c"]


def test_more_keys_than_a_statement_takes(store):
    store.put("recipe", [(f"t{n}", entry(n)) for n in range(950)])
    assert len(store.get("recipe", [f"t{n}" for n in range(950)], DIM)) == 950
    assert store.count("recipe") == 950


def test_two_processes_write_at_once(tmp_path):
    path = tmp_path / "vectors.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, first)) for first in (0, 10)]  # they overlap
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = Store(path).get("recipe", [f"text-{n}" for n in range(30)], DIM)
    assert len(found) == 30
    assert_same(found["text-15"], entry(15))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_process_leaves_what_it_had_committed(tmp_path):
    path = tmp_path / "vectors.sqlite"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from tests.encoding.test_store import entry
        from labkit.encoding.store import Store
        store = Store(Path({str(path)!r}))
        store.put("recipe", [("kept", entry(1))])
        connection = store._connection()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO vectors VALUES ('recipe', 'half', 1, 0, NULL, 0, NULL, NULL, NULL)")
        print("ready", flush=True)
        import time
        while True:
            time.sleep(0.05)
    """)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    store = Store(path)
    assert set(store.get("recipe", ["kept", "half"], DIM)) == {"kept"}
    store.put("recipe", [("after", entry(2))])
    assert store.count("recipe") == 2


def test_a_file_cut_in_half_is_kept_aside_and_a_new_one_begun(tmp_path):
    path = tmp_path / "vectors.sqlite"
    store = Store(path)
    store.put("recipe", [(f"t{n}", entry(n, length=500)) for n in range(50)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
    keys = [f"t{n}" for n in range(50)]
    with pytest.warns(UserWarning, match=r"store was damaged .* kept as vectors\.sqlite\.damaged-1"):
        found = Store(path).get("recipe", keys, DIM)
    assert found == {}
    assert (tmp_path / "vectors.sqlite.damaged-1").stat().st_size == size // 2
    again = Store(path)
    again.put("recipe", [("t1", entry(1))])
    assert_same(again.get("recipe", ["t1"], DIM)["t1"], entry(1))


def test_a_file_that_is_no_database_is_kept_aside_too(tmp_path):
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.warns(UserWarning, match="store was damaged"):
        assert Store(path).get("recipe", ["a"], DIM) == {}
    assert (tmp_path / "vectors.sqlite.damaged-1").read_bytes().startswith(b"not a database")


def test_a_damaged_row_counts_as_missing(store):
    store.put("recipe", [("a", entry(1)), ("b", entry(2))])
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE vectors SET tokens = zeroblob(length(tokens)) WHERE text = 'a'")
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(store.get("recipe", ["a", "b"], DIM)) == {"b"}
    assert store.damaged_rows == 1


def test_a_damaged_pooled_vector_counts_as_missing(store):
    store.put("recipe", [("a", entry(1))])
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE vectors SET pooled = zeroblob(16)")
    connection.close()
    assert store.get("recipe", ["a"], DIM, pooled_only=True) == {}


def test_many_may_open_a_new_store_at_the_same_moment(tmp_path):
    for attempt in range(20):
        path, together, failures = tmp_path / f"{attempt}.sqlite", threading.Barrier(12), []

        def open_it(path=path, together=together, failures=failures):
            together.wait()
            try:
                Store(path).count("recipe")
            except sqlite3.OperationalError as error:
                failures.append(str(error))

        threads = [threading.Thread(target=open_it) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
