"""HTML as a browser would read it: which elements there are, with which attributes, and the text a reader sees."""

import re
from html.parser import HTMLParser

# All that a static view may hold. Values of attributes come from the views alone: nobody's text is ever in one.
TAGS = {
    "section", "style", "p", "h3", "h4", "div", "span", "b", "i", "small", "sup", "bdi", "mark", "article", "details",
    "summary", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
VALUES = {
    "class": re.compile(r"[a-z0-9_ -]*"),
    "style": re.compile(r"(width:\d+(\.\d+)?%|--s:\d\.\d\d|--s:1)"),
    "dir": re.compile("auto"),
    "role": re.compile("img"),
    "tabindex": re.compile("0"),
}


class Parsed(HTMLParser):
    """The elements and the text of a page, without the small numbers."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.parts, self.open = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, attributes))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["sup"]):
            self.parts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:40]}")

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def text(self):
        return "".join(self.parts)


def assert_only_ours(page):
    """Every element and attribute is one that the views make; returns the parsed page."""
    parsed = Parsed(page)
    assert parsed.open == []
    for tag, attributes in parsed.elements:
        assert tag in TAGS, tag
        for name, value in attributes:
            assert name in VALUES, f"{tag} {name}"
            assert VALUES[name].fullmatch(value or ""), f"{tag} {name}={value}"
    return parsed
