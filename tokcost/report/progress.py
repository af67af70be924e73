"""What a run says while it runs: a live line on a terminal, one plain line per report in a log, nothing when quiet."""

from __future__ import annotations

import contextlib
import sys

from tokcost.show.text import visible


class Progress:
    """Progress on stderr; stdout is for the paths of what was written."""

    def __init__(self, *, quiet: bool):
        self.quiet = quiet
        self.live = None
        self.task = None
        self.is_terminal = sys.stderr.isatty() and not quiet

    @contextlib.contextmanager
    def report(self, name: str):
        """Around the making of one report."""
        if not self.is_terminal:
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        name_and_bar = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
        with Bar(
            *name_and_bar, MofNCompleteColumn(), TextColumn("cells"), TimeElapsedColumn(), console=Console(stderr=True), transient=True
        ) as self.live:
            self.task = self.live.add_task(name, total=None)
            try:
                yield
            finally:
                self.live, self.task = None, None

    def cell(self, number: int, of: int) -> None:
        if self.live is not None and self.task is not None:
            self.live.update(self.task, completed=number, total=of)

    def done(self, name: str, cells: int, seconds: float, path) -> None:
        self.note(f"{name}: {cells} cells in {seconds:.1f} s, {path}")

    def note(self, sentence: str) -> None:
        """Something worth knowing; not shown when quiet."""
        if not self.quiet:
            self.error(sentence)

    def error(self, sentence: str) -> None:
        sentence = visible(sentence)  # a name in it must neither colour the terminal nor begin a line of its own
        with contextlib.suppress(OSError):  # a log that is full or closed is no reason to lose a report
            if self.live is not None:
                self.live.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
            else:
                print(sentence, file=sys.stderr, flush=True)
