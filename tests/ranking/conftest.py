"""A tiny cross-encoder of each kind, for every test that asks for one."""

import pytest

import labkit as lk
from tests import tiny


@pytest.fixture(scope="module", params=tiny.CROSS_WRITERS)
def folder(request, tmp_path_factory):
    return tiny.CROSS_WRITERS[request.param](tmp_path_factory.mktemp(request.param) / "cross")


@pytest.fixture(scope="module")
def cross(folder):
    return lk.CrossEncoderReranker(str(folder))
