"""Draw the README's pictures, each for light and for dark pages, into docs/.

slope: T2, where reranking finds the answer, above T1, where it loses it.

    python tools/readme_picture.py
"""

import io
from pathlib import Path

import numpy as np
from matplotlib import image, text
from matplotlib.figure import Figure

import labkit as lk

FOLDER = Path(__file__).resolve().parent.parent / "docs"
PAGES = {"": ("white", "black"), "_dark": ("#0d1117", "#e6edf3")}  # file's ending: background, text


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    for ending, (page, ink) in PAGES.items():
        parts = [picture(slope(ticket).figure(), page, ink) for ticket in ("T2", "T1")]
        width = max(part.shape[1] for part in parts)
        back = np.append(np.array(parts[0][0, 0, :3]), 1)
        save(f"slope{ending}", np.concatenate([padded(part, width, back) for part in parts]))


def slope(ticket: str) -> object:
    """The slope chart of a ticket: BM25's fifty, reranked by MaxSim."""
    c = lk.load_collection("pydocs")
    query = next(q for q, info in c.query_info.items() if info.get("ticket") == ticket)
    before = lk.system("bm25", c).search(c.queries[query], k=50)
    after = lk.LateInteractionReranker().rerank(c.queries[query], before, top_n=50)
    return lk.slope_chart(before, after, {doc for doc, grade in c.qrels[query].items() if grade == 3})


def picture(figure: Figure, page: str, ink: str) -> np.ndarray:
    """A figure as pixels [height, width, 4] in 0 to 1, its black texts in ``ink`` on ``page``."""
    for words in figure.findobj(text.Text):
        words.set_color(ink)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=144, facecolor=page)
    return image.imread(io.BytesIO(out.getvalue()))


def padded(pixels: np.ndarray, width: int, back: np.ndarray) -> np.ndarray:
    """The picture, as wide as ``width``, with a little room below."""
    larger = np.tile(back, (pixels.shape[0] + 20, width, 1))
    larger[: pixels.shape[0], : pixels.shape[1]] = pixels
    return larger


def save(name: str, pixels: np.ndarray) -> None:
    """Write ``docs/name.png``, without the time or the program."""
    image.imsave(FOLDER / f"{name}.png", pixels, metadata={"Software": None})


if __name__ == "__main__":
    main()
