"""Export notebooks as HTML pages that can be read without JupyterLab: ``make pages`` writes them to site/.

Nothing is loaded from elsewhere. Links are underlined, code has colours of enough contrast, and a table's empty corner
is no heading.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
STYLE = """<style>
.jp-RenderedMarkdown a { text-decoration: underline !important; }
.highlight .ow, .highlight .k, .highlight .kn, .highlight .kc { color: #006400; }
.highlight .mi, .highlight .mf { color: #005f00; }
.highlight .c1 { color: #2f5f5f; }
</style>"""


def page(notebook: Path) -> str:
    """A stored notebook as one HTML page in the light theme, with its outputs."""
    exporter = HTMLExporter(theme="light", exclude_input_prompt=True, exclude_output_prompt=True)
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    stored = nbformat.read(notebook, as_version=4)
    html, _ = exporter.from_notebook_node(stored)
    html = html.replace("</head>", f"{STYLE}</head>", 1).replace("<th></th>", "<td></td>")
    soup = BeautifulSoup(html, "html.parser")
    for image, words in zip(soup.select(".jp-RenderedImage img"), alts(stored), strict=True):
        image["alt"] = words or image["alt"]
    return str(soup)


def alts(notebook: nbformat.NotebookNode) -> list[str]:
    """What each picture of a notebook shows, in words, from its output's or its cell's metadata; nbconvert drops it."""
    return [
        output.metadata.get("image/png", {}).get("alt") or cell.metadata.get("alt", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {}) and "text/html" not in output.data
    ]


def main() -> None:
    """Export every learner's notebook."""
    target = ROOT / "site"
    target.mkdir(exist_ok=True)
    for notebook in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        (target / f"{notebook.stem}.html").write_text(page(notebook), encoding="utf-8")
        print(f"site/{notebook.stem}.html")


if __name__ == "__main__":
    sys.exit(main())
