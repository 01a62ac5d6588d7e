"""Relevance that runs: a query's proof shows that a judged document's function does what the query asks."""

import ast

import pytest

import labkit as lk

C = lk.load_collection("pydocs")
PROOFS = {q: info for q, info in C.query_info.items() if "proof" in info}


def test_there_are_at_least_forty_in_both_halves():
    assert len(PROOFS) >= 40
    assert min(sum(q in C.splits[half] for q in PROOFS) for half in ("dev", "test")) >= 15


@pytest.mark.parametrize("query", PROOFS)
def test_a_proof_is_short_names_a_right_document_and_holds(query):
    info = PROOFS[query]
    tree = ast.parse(info["proof"])
    assert len(info["proof"].splitlines()) <= 4
    assert isinstance(tree.body[-1], ast.Assert)
    assert C.qrels[query][info["proof_doc"]] == 3
    exec(compile(tree, query, "exec"), {"__name__": query})  # noqa: S102 (shipped with the project)
