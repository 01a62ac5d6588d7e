"""Centroid-pruned search against exhaustive MaxSim on 20,000 passages of installed documentation.

The passages are those of pydocs and, chunked at 100 wordpieces, docstrings of other installed packages. Encoding them
takes half an hour on two slow cores; killed, it goes on where it was.

    python data/recipes/centroid_search.py [--passages 20000]
"""

from __future__ import annotations

import random
import sys

from cross_texts import pydocs_sentences, sources

from labkit.corpus.chunks import chunk
from labkit.corpus.collection import Collection, Document
from labkit.corpus.load import load_collection
from labkit.corpus.pydocs import count_wordpieces
from labkit.encoding.checkpoints import load_encoder

PASSAGES = 20_000
WORDPIECES = 100


def collection(most: int = PASSAGES) -> Collection:
    """The passages of pydocs, each a document, and chunks of other packages' docstrings up to ``most`` passages.

    The queries are those of pydocs dev.
    """
    pydocs = load_collection("pydocs").split("dev")
    texts = dict.fromkeys(pydocs.passages)
    outside = sources(pydocs_sentences())
    random.Random(0).shuffle(outside)
    for source in outside:
        if len(texts) >= most:
            break
        pieces = chunk(source.sections.text, count_wordpieces, WORDPIECES, title=source.name)
        texts |= dict.fromkeys(piece.text for piece in pieces)
    docs = {f"{number:05}": Document("", text) for number, text in enumerate(list(texts)[:most])}
    return Collection("installed", docs, pydocs.queries)


if __name__ == "__main__":
    made = collection(int(sys.argv[1]) if len(sys.argv) > 1 else PASSAGES)
    print(made, flush=True)
    print(load_encoder().warm(made.passages, progress=True), "texts encoded", flush=True)
