"""Draw docs/slope.png for the README: T2, where reranking finds the answer, above T1, where it loses it.

python tools/readme_picture.py
"""

import io
from pathlib import Path

import numpy as np
from matplotlib import image

import labkit as lk

TARGET = Path(__file__).resolve().parent.parent / "docs" / "slope.png"


def main() -> None:
    parts = [image.imread(io.BytesIO(chart(ticket).to_png())) for ticket in ("T2", "T1")]
    width = max(part.shape[1] for part in parts)
    padded = [np.pad(part, ((0, 20), (0, width - part.shape[1]), (0, 0)), constant_values=1) for part in parts]
    TARGET.parent.mkdir(exist_ok=True)
    image.imsave(TARGET, np.concatenate(padded), metadata={"Software": None})


def chart(ticket: str):
    """The slope chart of a ticket: BM25's fifty, reranked by MaxSim."""
    c = lk.load_collection("pydocs")
    query = next(q for q, info in c.query_info.items() if info.get("ticket") == ticket)
    before = lk.system("bm25", c).search(c.queries[query], k=50)
    after = lk.LateInteractionReranker().rerank(c.queries[query], before, top_n=50)
    return lk.slope_chart(before, after, {doc for doc, grade in c.qrels[query].items() if grade == 3})


if __name__ == "__main__":
    main()
