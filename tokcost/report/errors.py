"""The two ways in which a report does not come to be."""

from tokcost.errors import InputError


class ReportError(InputError):
    """What was asked for is wrong; nothing has run, nothing was written. One sentence says what to change."""


class ReportFailed(RuntimeError):
    """A report was started and did not succeed; the sentence says where. `notebook` is what there is of it, or None."""

    def __init__(self, sentence: str, notebook=None):
        super().__init__(sentence)
        self.notebook = notebook
