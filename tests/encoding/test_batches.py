"""Which texts go through a model together."""

from hypothesis import given
from hypothesis import strategies as st

from labkit.encoding.batches import batches


@given(st.lists(st.integers(0, 300)), st.integers(1, 600))
def test_every_text_is_in_one_batch_that_fits_its_padded_tokens_longest_first(lengths, budget):
    parts = list(batches(lengths, budget))
    assert sorted(i for part in parts for i in part) == list(range(len(lengths)))
    for part in parts:
        assert len(part) == 1 or max(lengths[i] for i in part) * len(part) <= budget
    told = [lengths[i] for part in parts for i in part]
    assert told == sorted(lengths, reverse=True)


def test_the_next_text_begins_a_batch_only_when_it_does_not_fit():
    assert list(batches([4, 4, 4, 4, 4], budget=8)) == [[0, 1], [2, 3], [4]]
