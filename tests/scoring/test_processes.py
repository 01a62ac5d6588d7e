"""MaxSim in other processes: forked ones, ones that cannot keep what they compiled, and on other processors."""

import os
import platform
import subprocess
import sys

import pytest

FORKED = """
import multiprocessing, sys, torch, labkit as lk
product = torch.ones(2_000, 2_000) @ torch.ones(2_000, 200)  # torch's threads are there before the fork
assert torch.get_num_threads() > 1
if sys.argv[1] == "imported":
    import labkit.scoring.threads
def total():
    import numpy as np
    query, packed = np.ones((32, 64), np.float32), lk.pack([np.ones((90, 64), np.float32)] * 60)
    return float(lk.maxsim(query, packed).sum())
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply_async(total).get(60))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks are made on Linux")
@pytest.mark.parametrize("when", ["imported", "new"])
def test_a_forked_process_scores_with_threads_of_its_own(when):
    done = subprocess.run([sys.executable, "-c", FORKED, when], capture_output=True, text=True, timeout=120)
    assert done.stdout == f"{60 * 32 * 64.0}\n", done.stderr


UNCACHED = """
import numba.core.caching, numpy as np, labkit as lk
numba.core.caching.CacheImpl._locator_classes = []  # as where neither this folder nor the user's can be written
print(lk.maxsim(np.ones((2, 8), np.float32), lk.pack([np.ones((3, 8), np.float32)])))
"""


@pytest.mark.slow
def test_where_no_cache_can_be_written_each_process_compiles():
    done = subprocess.run([sys.executable, "-c", UNCACHED], capture_output=True, text=True, timeout=300)
    assert done.stdout == "[16.]\n", done.stderr


OTHER = """
import llvmlite.binding as binding, numpy as np, sys
binding.get_host_cpu_features = lambda: {feature: True for feature in sys.argv[2:]}
import labkit as lk
from labkit.scoring import loops
assert loops.LANES == int(sys.argv[1])
rng = np.random.default_rng(0)
packed = lk.pack([rng.normal(size=(n, 19)).astype(np.float32) for n in (1, 4, 6, 7, 13, 70)])
for width in (1, 4, 5, 8, 9, 30):
    query = rng.normal(size=(width, 19)).astype(np.float32)
    products = [np.asarray(document) @ query.T for document in packed]
    scores, winners = lk.maxsim(query, packed, argmax=True)
    np.testing.assert_allclose(scores, [each.max(axis=0).sum() for each in products], rtol=1e-5)
    assert [w.tolist() for w in winners] == [each.argmax(axis=0).tolist() for each in products]
    np.testing.assert_array_equal(lk.maxsim(query, packed), scores)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("lanes", "features", "name"), [(8, ["avx2"], "haswell"), (4, [], "nehalem")])
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are x86-64 processors")
def test_processors_with_shorter_vectors_score_alike(tmp_path, lanes, features, name):
    state = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", OTHER, str(lanes), *features]
    assert subprocess.run(command, env=state, timeout=300).returncode == 0
