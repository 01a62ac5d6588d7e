"""A live view as a page of JupyterLab shows it, and three short documents to make views of."""

TEXTS = """
import labkit as lk
texts = {
    "pandas.melt": "Unpivot a table from wide to long: its many columns become rows. " * 2,
    "pandas.pivot": "Reshape the rows of a long table into columns, one for each value.",
    "numpy.sort": "Return a sorted copy of an array. The axis along which to sort; the default is the last one.",
}
"""


class Shown:
    """One of the views as the page shows it."""

    def __init__(self, notebook, name, index):
        self.notebook, self.page, self.name = notebook, notebook.page, name
        self.area = notebook.output(index)

    def key(self, key):
        return self.area.locator(f'[data-key="{key}"]')

    def lit(self):
        """The names that the nodes which are lit share."""
        lit = self.area.locator(".lk-lit").evaluate_all("all => all.map(one => one.dataset.lit)")
        return set(" ".join(lit).split())

    def status(self):
        return self.area.locator(".lk-status").text_content()

    def python(self, what):
        """A value of the picture that the widget shows now, which is the truth here."""
        return self.notebook.evaluate(f"{self.name}.widget().picture.{what}")

    def follows(self):
        """Wait until the page shows the headline that Python has now."""
        self.area.locator("h3").get_by_text(self.python("headline()"), exact=True).wait_for()
