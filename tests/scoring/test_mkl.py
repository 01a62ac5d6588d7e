"""The product that torch carries: it is found where it should be, it multiplies, and it leaves no trace."""

import ctypes
import platform
import sys

import numpy as np
import pytest

import labkit as lk
from labkit.scoring import mkl
from labkit.scoring.reductions import multiply

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="torch exports MKL on Linux and x86-64 alone"
)


def test_torch_still_exports_what_the_fast_path_calls():
    assert mkl.functions() is not None


def test_rows_that_stand_apart_are_multiplied_as_numpy_multiplies_them():
    rng = np.random.default_rng(0)
    vectors, right = rng.normal(size=(20, 3)).astype(np.float32), rng.normal(size=(3, 5)).astype(np.float32)
    starts, stops = np.array([4, 7, 15, 0]), np.array([7, 9, 20, 1])
    products = np.full((11, 5), np.nan, np.float32)
    multiply(mkl.functions(), vectors, right, starts, stops, np.array([0, 3, 5, 10, 11]), 0, 4, products)
    rows = np.r_[4:9, 15:20, 0:1]
    np.testing.assert_allclose(products, vectors[rows] @ right, rtol=1e-5, atol=1e-6)


def test_the_callers_thread_keeps_its_number_of_mkl_threads():
    set_threads = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(int(mkl.functions()[1]))
    before = set_threads(2)
    try:
        lk.maxsim(np.ones((3, 4), np.float32), lk.pack([np.ones((5, 4), np.float32)]))
        assert set_threads(2) == 2
    finally:
        set_threads(before)
