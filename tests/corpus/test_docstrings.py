"""A docstring becomes sections without markup, and sections become passages that an encoder reads whole."""

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.corpus.docstrings import Sections, parse
from labkit.corpus.markup import clean
from labkit.corpus.passages import PASSAGE_LIMIT, split_passages
from labkit.corpus.resolve import docstring, resolve, short_signature

NUMPYDOC = """
    Sort the rows of a table.

    The sort is stable, see :func:`~tables.order` and ``order="up"``.

    .. versionadded:: 1.2
       Also for empty tables.

    Parameters
    ----------
    table : array_like, shape (n, d)
        The table.

        It is not changed.
    axis, kind : int, optional
        Along which axis.

    Returns
    -------
    out : ndarray
        Not searched.

    Examples
    --------
    >>> sort_rows([[2], [1]])
    """

GOOGLE = """cat(tensors, dim=0, *, out=None) -> Tensor

Concatenates :attr:`tensors` of size :math:`(N, C_{\\text{in}})`.

.. math::
    out_i = in_i

.. note::
    Nothing is copied.

Args:
    tensors (sequence of Tensors): non-empty tensors,
        all of one type
    dim (int, optional): the axis

Keyword args:
    out (Tensor, optional): the output tensor.

Example::

    >>> torch.cat((x, x))
"""


def words(text: str) -> int:
    return len(text.split())


def count_words(texts) -> list[int]:
    return [words(text) for text in texts]


def test_numpydoc_keeps_summary_description_and_parameters():
    assert parse(NUMPYDOC, "sort_rows") == Sections(
        "",
        ("Sort the rows of a table.", 'The sort is stable, see order and order="up".'),
        (
            "table: array_like, shape (n, d). The table. It is not changed.",
            "axis, kind: int, optional. Along which axis.",
        ),
    )


def test_google_style_keeps_notes_and_both_lists_of_arguments():
    assert parse(GOOGLE, "cat") == Sections(
        "cat(tensors, dim=0, *, out=None)",
        ("Concatenates tensors of size (N, C_in).", "Nothing is copied."),
        (
            "tensors (sequence of Tensors): non-empty tensors, all of one type.",
            "dim (int, optional): the axis.",
            "out (Tensor, optional): the output tensor.",
        ),
    )


def test_a_plain_docstring_is_all_description():
    text = "Return the words.\n\nsep\n  The separator.\n\n  - None: white space\n  - other: itself\n"
    assert parse(text, "split").description == (
        "Return the words.",
        "sep The separator.",
        "None: white space.",
        "other: itself.",
    )


def test_leading_c_signatures_are_cut_but_what_they_say_stays():
    text = (
        "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nReturn an object.\n"
        "range(3) has three."
    )
    sections = parse(text, "range")
    assert sections.signature == "range(stop)"
    assert sections.description == ("Return an object. range(3) has three.",)
    said = parse("zip(*iterables) --> Yield tuples until one is exhausted.\nThen stop.", "zip")
    assert said.description == ("Yield tuples until one is exhausted. Then stop.",)


def test_the_signature_of_introspection_wins():
    assert parse("f(a)\n\nDo it.", "f", "f(a, b=1)").signature == "f(a, b=1)"


def test_the_body_is_the_text_without_the_signature():
    sections = parse(GOOGLE, "cat")
    assert sections.text == f"{sections.signature}\n{sections.body}"


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        (":class:`~torch.nn.Conv1d` and :meth:`DataFrame.drop`", "Conv1d and DataFrame.drop"),
        ("the :ref:`guide to it <a.target>`", "the guide to it"),
        ("``x_`` and `y` and *z* and **bold**", "x_ and y and z and bold"),
        ("pass *args and **kwargs, or 2*x*y", "pass *args and **kwargs, or 2*x*y"),
        (r"*align*\ment of :math:`\frac{1}{N} \times \sqrt{d}`", "alignment of 1 / N * sqrt(d)"),
        ("as in [1]_ and [CIT2002]_.", "as in and."),
        ("`the page <https://example.org/a>`_ says", "the page says"),
        ("default=<object object at 0x7f00aa>", "default=..."),
        ("Fit it. Read more in the :ref:`User Guide <fit>`.", "Fit it."),
    ],
)
def test_markup_goes_and_words_stay(marked, plain):
    assert clean(marked) == plain


def test_blocks_that_are_no_prose_are_dropped():
    code = "Do it::\n\n    code()\n\nThen see::\n\n    more()\n\n"
    text = code + "=====  ====\nname   size\n=====  ====\n\n>>> f()\n1\n\nEnd."
    assert parse(text, "f").description == ("name size.", "End.")


def test_the_table_of_artist_properties_is_cut():
    listed = "x : float\n    Where.\n**kwargs : `.Patch` properties\n\nProperties:\n    alpha: float\n"
    text = f"Draw.\n\nParameters\n----------\n{listed}"
    assert parse(text, "draw").parameters == ("x: float. Where.", "**kwargs: Patch properties.")


def test_a_short_document_is_one_passage():
    sections = Sections("f(a)", ("Do it.",), ("a: int. What.",))
    assert split_passages("m.f", sections, count_words) == ["m.f. f(a). Do it. a: int. What."]


def test_a_long_parameter_is_cut_between_sentences_and_carries_its_name_on():
    sentences = " ".join(f"{'word ' * 58}end{i}." for i in range(5))
    sections = Sections("f(a, b)", ("Do it.",), (f"a: int. {sentences}", "b: int. Other."))
    first, *rest = split_passages("m.f", sections, count_words)
    assert first == "m.f. f(a, b). Do it."
    assert all(passage.startswith("m.f. a: ") for passage in rest)
    assert rest[-1].endswith("end4. b: int. Other.")
    assert max(count_words(rest)) <= PASSAGE_LIMIT


@given(
    st.lists(st.text("ab .", min_size=1, max_size=900).map(str.strip).filter(bool), min_size=1, max_size=4),
    st.lists(st.text("cd .", min_size=1, max_size=900).map("p: int. {}".format), max_size=4),
)
def test_passages_fit_carry_the_name_and_lose_no_word(description, parameters):
    sections = Sections("f(p)", tuple(description), tuple(parameters))
    passages = split_passages("m.f", sections, count_words)
    assert all(words(passage) <= PASSAGE_LIMIT and passage.startswith("m.f. ") for passage in passages)
    kept = re.sub(r"\bp: ", "", " ".join(passage.removeprefix("m.f. ") for passage in passages)).split()
    told = re.sub(r"\bp: ", "", " ".join(["f(p).", *description, *parameters])).split()
    assert kept == told


def test_names_resolve_through_modules_classes_and_builtins():
    assert resolve("str.split") is str.split
    assert resolve("xml.etree.ElementTree.indent").__name__ == "indent"
    assert docstring(resolve("pathlib.Path.glob")).startswith("Iterate over")


@pytest.mark.parametrize("name", ["json.nothing", "str.nothing.more", "no_such_package_at_all.f"])
def test_a_name_that_is_not_here_is_a_lookup_error(name):
    with pytest.raises(LookupError, match=f"{name} is not in this installation"):
        resolve(name)


def test_signatures_are_short_and_say_nothing_about_the_machine():
    nothing = object()

    def wide(first, /, second: "int" = 3, *rest, flag=nothing, name="x", **more):
        """Do it."""

    assert short_signature(wide, "wide") == "wide(first, /, second=3, *rest, flag=…, name='x', **more)"
    assert short_signature(str.split, "split") == "split(sep=None, maxsplit=-1)"
    assert short_signature(dict, "dict") == ""

    def many():
        """Do it."""

    kind = inspect.Parameter.KEYWORD_ONLY
    many.__signature__ = inspect.Signature([inspect.Parameter(f"rather_long_{i}", kind) for i in range(40)])
    assert short_signature(many, "many").endswith(", ...)")
    assert len(short_signature(many, "many")) <= 180
