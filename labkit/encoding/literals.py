"""A text may say "[SEP]" or "</s>". That must stay text and never become the token of that name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from labkit.errors import LabError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

UNREACHABLE = "\0"  # put before a piece's name: no text's pieces begin with it


def keep_literals(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Make a tokenizer read the names of its special tokens in a text as text, whatever kind it is.

    Splitting special tokens is enough for WordPiece and BPE. A unigram vocabulary (XLM-R, BGE) lists ``</s>`` as a
    piece like any other, with the best score of all, and finds it in the text again: those pieces are renamed.

    Raises a `LabError` if a special token still comes out of its name, or the tokenizer is not one of the tokenizers
    library.
    """
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise LabError(f"{name} must have a fast tokenizer (a tokenizer.json); it has {type(tokenizer).__name__}.")
    tokenizer.split_special_tokens = True
    _hide_unigram_pieces(tokenizer)
    for token in tokenizer.all_special_tokens:
        found = set(tokenizer(f"{token} a{token}a", add_special_tokens=False, verbose=False)["input_ids"])
        if found & (set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}):
            raise LabError(f"{name} cannot be used: its tokenizer takes {token!r} in a text for that token.")


def _hide_unigram_pieces(tokenizer: PreTrainedTokenizerBase) -> None:
    """Rename a unigram model's special pieces; the numbers and scores of all pieces stay."""
    from tokenizers import models

    backend = tokenizer.backend_tokenizer
    if not isinstance(backend.model, models.Unigram):
        return
    state = json.loads(backend.to_str())["model"]
    special = set(tokenizer.all_special_ids)
    vocabulary = [
        (UNREACHABLE + piece if i in special else piece, score) for i, (piece, score) in enumerate(state["vocab"])
    ]
    backend.model = models.Unigram(vocabulary, state["unk_id"], state.get("byte_fallback", False))
