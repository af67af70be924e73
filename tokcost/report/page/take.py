"""What `tokcost report --tables` writes beside a report: the rows of each table and figure as CSV, and all in one workbook."""

from __future__ import annotations

from tokcost import quantities, workbook
from tokcost.report.execution.run import Run
from tokcost.report.page.contents import Contents

_RESULT = ("name", "label", "value", "low", "high", "unit", "note")


def tables(run: Run, contents: Contents) -> dict[str, str | bytes]:
    """The files of one report: name -> content."""
    name, shown = run.job.name, [rows for rows in contents.rows if rows]
    files: dict[str, str | bytes] = {f"{name}.tables/{rows.name}.csv": rows.csv() for rows in shown}
    sheets = [workbook.Sheet(r.name, r.about, r.header, [[workbook.number(cell) for cell in row] for row in r.rows]) for r in shown]
    if contents.results:
        sheets.insert(
            0, workbook.Sheet("Answer", contents.question, _RESULT, [[r[key] for key in _RESULT] for r in contents.results], False)
        )
    files[f"{name}.xlsx"] = workbook.to_xlsx(_inputs(run), sheets, made=run.started.replace(tzinfo=None))
    return files


def _inputs(run: Run) -> workbook.Sheet:
    """The parameters of the run: formulas lead here where a table does not hold what they need."""
    rows = [
        [s.parameter.name, _cell(s.value), quantities.UNITS.get(quantities.unit(s.parameter.name) or "", ("",))[0], s.parameter.meaning]
        for s in run.settings
    ]
    return workbook.Sheet("Inputs", "What this report was run with", ["name", "value", "unit", "meaning"], rows, False)


def _cell(value: object) -> object:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
