"""The alignment under load: how long an answer takes (printed, not judged), and that the kernel does not grow."""

from functools import partial
from itertools import cycle
from statistics import median

import psutil
import pytest

from tests.browser.notebook import write

pytestmark = pytest.mark.browser

LONG = """
import os, time
import labkit as lk
from labkit.encoding.encoders import Encoder

model = lk.load_encoder(store=False).model
model[0].document_length = 512
encoder = Encoder(model, "documents of up to 512 tokens")
words = "turn the many columns of a wide table into rows and sort them by the values of an axis".split()
texts = [" ".join(words[i % (len(words) - n)] for i in range(600)) for n in range(3)]
queries = [" ".join(words[n:] + words[:n]) for n in range(10)]
view = lk.show_alignment(queries[0], texts, lk.LateInteractionReranker(encoder))

def computed(name, value):
    start = time.perf_counter()
    view.set_trait(name, value)
    return 1000 * (time.perf_counter() - start)

view
"""
SHORT = """
small = lk.show_alignment(queries[0], [text[:400] for text in texts], encoder)
small
"""
INTERACTIONS = 500
WARM = 100
TIMES = 20
# Bytes. A picture left behind each time would be 400 times 20 KB or more; malloc's pools move by less.
GROWTH = 8e6

# Act once and wait for the next painting: the time in ms from the act to the painted page.
TIMED = """async (view, [selector, value]) => {
    const painted = new Promise((done, late) => {
        new MutationObserver((_, watch) => { watch.disconnect(); done(); })
            .observe(view.querySelector('.lk-body'), {childList: true});
        setTimeout(() => late(new Error(`nothing was painted within 20 s of ${selector} ${value}`)), 20000);
    });
    const target = view.querySelector(selector);
    const start = performance.now();
    if (value === null) target.click();
    else { target.value = value; target.dispatchEvent(new Event('change', {bubbles: true})); }
    await painted;
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""
TOGGLE, EDIT, OTHER = "[data-kind]", "[data-name=query]", "[data-doc][aria-pressed=false]"


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "long.ipynb", LONG, SHORT))
    notebook.run()
    notebook.output(0)
    return notebook


@pytest.fixture(scope="module")
def acts(notebook):
    """Of an output, each kind of interaction as a function that does it once and returns how many ms it took."""
    texts = notebook.evaluate("queries")

    def of(area):
        view, queries = area.locator(".lk"), cycle([*texts[1:], texts[0]])
        act = partial(view.evaluate, TIMED)
        for _ in texts:
            act([EDIT, next(queries)])  # from now on all are encoded
        return {
            "a toggle": lambda: act([TOGGLE, None]),
            "an edited query": lambda: act([EDIT, next(queries)]),
            "another candidate": lambda: act([OTHER, None]),
        }

    return of


def test_the_documents_are_512_tokens_long(notebook):
    assert notebook.evaluate("[len(match.document) for match in view.picture.matches]") == [510] * 3  # and two specials


def test_interactions_are_timed_in_the_kernel_and_from_the_click_to_the_painted_page(notebook, acts, capsys):
    changes = {
        "a toggle": "('without', [['function word'], []][n % 2])",
        "an edited query": "('query', queries[n % 10])",
        "another candidate": "('shown', n % 3)",
    }
    size = notebook.evaluate("len(__import__('json').dumps(view.scene))")
    lines = [
        f"three documents of 512 tokens, a query of {notebook.evaluate('len(view.picture.query)')}, {size:,} bytes"
    ]
    for name, act in acts(notebook.output(0)).items():
        painted = sorted(act() for _ in range(TIMES))
        computed = sorted(notebook.evaluate(f"[computed(*{changes[name]}) for n in range({TIMES})]"))
        assert painted[0] > 0 < computed[0]
        lines.append(
            f"{name}: {median(computed):.0f} ms in the kernel, {median(painted):.0f} ms from click to painted page"
        )
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert size < 200_000


def test_the_kernel_does_not_grow_over_500_interactions(notebook, acts, capsys):
    kernel = psutil.Process(notebook.evaluate("os.getpid()"))
    used, every = [], list(acts(notebook.output(1)).values())
    for n in range(INTERACTIONS + 1):
        if n in (WARM, INTERACTIONS):
            notebook.evaluate("__import__('gc').collect()")
            used.append(kernel.memory_info().rss)
        every[n % len(every)]()
    with capsys.disabled():
        print(
            f"\nkernel: {used[0] / 1e6:.1f} MB after {WARM} interactions, {used[1] / 1e6:.1f} MB after {INTERACTIONS}"
        )
    assert used[1] - used[0] < GROWTH
