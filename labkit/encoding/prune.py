"""Pruning: which tokens of documents stay, as boolean masks over all tokens of a pack. True keeps a token."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError

# English function words: they carry grammar, not topic.
FUNCTION_WORDS = frozenset(
    """a about after all am an and any are as at be because been before being between both but by can could did do
    does doing during each for from further had has have having he her here hers him his how i if in into is it its
    itself just me more most my no nor not of off on once one only or other our out over own same she should so some
    such than that the their them then there these they this those through to too under until up us very was we were
    what when where which while who whom why will with would you your""".split()  # noqa: SIM905
)
WORD_STARTS = "▁Ġ"  # how sentencepiece and byte-level vocabularies mark a word's first piece
MASKS = {"function words": FUNCTION_WORDS}


def kept(packed: PackedTokens, mask: np.ndarray | None, cap: int | None = None) -> PackedTokens:
    """The same texts with the tokens of a mask [T], and at most ``cap`` of each, the first ones."""
    keep = np.ones(len(packed.vectors), bool) if mask is None else np.asarray(mask)
    if keep.shape != (len(packed.vectors),) or keep.dtype != bool:
        raise LabError(f"a mask must be [T = {len(packed.vectors)}] bool; got {keep.dtype} {keep.shape}.")
    if keep.all() and cap is None:
        return packed
    running = np.concatenate([[0], np.cumsum(keep)])
    if cap is not None:
        begins = np.repeat(running[packed.offsets[:-1]], packed.lengths)
        keep = keep & (running[:-1] - begins < cap)
        running = np.concatenate([[0], np.cumsum(keep)])
    return packed.take(keep, running[packed.offsets])


def content_words(packed: PackedTokens, dropped: Collection[str] = FUNCTION_WORDS) -> np.ndarray:
    """[T] bool: tokens that are none of the words ``dropped``; needs a pack that came from an encoder.

    Case does not count. A piece of a longer word stays, whatever it spells: the "a" of "a ##ardvark" is no article.

    >>> from dataclasses import replace
    >>> from labkit.encoding.tokens import pack
    >>> packed = pack([np.eye(4)], ids=[np.array([0, 1, 2, 3])])
    >>> words = ["the", "a", "##ardvark", "of"]
    >>> content_words(replace(packed, to_strings=lambda ids: [words[i] for i in ids]))
    array([False,  True,  True, False])
    """
    if packed.ids is None or packed.to_strings is None:
        raise LabError("this pack carries no tokens; encode texts with an encoder to have them.")
    numbers, places = np.unique(packed.ids, return_inverse=True)
    names = packed.to_strings(numbers.tolist())
    marked = any(name[:1] in WORD_STARTS for name in names if name)
    inside = [name[:1] not in WORD_STARTS and name.isalnum() if marked else name.startswith("##") for name in names]
    listed = [name.lstrip(WORD_STARTS).lower() in dropped for name in names]
    goes_on = np.array(inside, bool)[places]
    followed = np.append(goes_on[1:], False)
    followed[packed.offsets[1:][packed.lengths > 0] - 1] = False
    return ~np.array(listed, bool)[places] | goes_on | followed
