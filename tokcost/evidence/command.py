"""`tokcost data`: check the tables of data/, list them, look one up."""

from __future__ import annotations

from pathlib import Path

import click


class Facts(click.Group):
    """A group in which a problem with the data is a wrong request, said in one sentence."""

    def invoke(self, context):
        from tokcost.evidence.selection import DataError

        try:
            return super().invoke(context)
        except DataError as error:
            first, *others = error.problems
            more = f" (and {len(others)} more; tokcost data check lists all)" if others else ""
            raise click.UsageError(f"{first}{more}", context) from None


@click.group(cls=Facts)
def data():
    """The facts behind every number: check them, list them, look one up.

    \b
      tokcost data check                                            are all tables in order?
      tokcost data list                                             which tables there are
      tokcost data show hourly_rates --where accelerator=h200       their rows, each with its source
    """


@data.command()
@click.option("--age", is_flag=True, help="Say how old each table is, the stalest first, and how old it may be.")
def check(age: bool):
    """List every problem of every table; exit status 2 if there is one. Old rows are no problem, but are said with --age."""
    if age:
        _show_ages()
        return
    from tokcost.evidence.catalog import data_dir
    from tokcost.evidence.checking import check_all

    problems = check_all()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise SystemExit(2)
    click.echo(
        f"{_said(data_dir())} is in order: every row valid, every source known and cited, every captured row kept or listed as excluded"
    )


def _show_ages() -> None:
    from tokcost.evidence.ageing import ages
    from tokcost.evidence.base_values import newer_lists
    from tokcost.evidence.catalog import base_case, examined

    for one in ages():
        told = "STALE" if one.is_stale else "fresh"
        click.echo(f"{told}  {one.table:20} newest {one.newest:10}  {one.months:3} months old, may be {one.lasts_months}")
    base, tables = base_case(), {name: rows for name in ("hourly_rates", "provisioned_power") if (rows := examined(name)[0]) is not None}
    for name, newest in newer_lists(base, tables).items():
        what = f"{name} {base[name]}, and that of {newest} has both systems too; move it there and in the notebooks' parameter cells"
        click.echo(f"older  {'base_case':20} {what}")


def _said(directory: Path) -> str:
    """A directory as the user would type it: from here, where it lies below."""
    here = Path.cwd()
    return f"{directory.relative_to(here) if directory.is_relative_to(here) else directory}/"


@data.command("list")
def list_tables():
    """The tables, how many rows they have, what they hold."""
    from tokcost.evidence.catalog import examined
    from tokcost.evidence.schema import TABLES

    for name, table in TABLES.items():
        rows, _ = examined(name)
        click.echo(f"{name:20} {'?' if rows is None else len(rows):>6}  {table.about}")


@data.command()
@click.argument("table")
@click.option("--where", "filters", multiple=True, metavar="COLUMN=TEXT", help="Only rows with this text in this column; repeatable.")
@click.option("--csv", "as_csv", is_flag=True, help="All columns as CSV instead of one block a row.")
def show(table, filters, as_csv):
    """Print the rows of TABLE with their sources; `tokcost data list` names the tables.

    \b
      tokcost data show hourly_rates --where accelerator=h200 --where rate_vintage=2026-09
    """
    from tokcost.evidence.catalog import load_table
    from tokcost.evidence.schema import TABLES
    from tokcost.evidence.selection import rows_where
    from tokcost.quantities import nearest
    from tokcost.spreadsheet import to_csv

    if table not in TABLES:
        raise click.UsageError(f"there is no table `{table}`{nearest(table, TABLES) or '; tokcost data list names them all'}")
    rows = load_table(table)
    where = {}
    for condition in filters:
        column, equals, text = condition.partition("=")
        if not equals:
            raise click.UsageError(f"--where takes COLUMN=TEXT, got {condition!r}")
        where[column] = _as_in(rows[column], text) if column in rows else text
    rows = rows_where(rows, where, table=table)
    if as_csv:
        click.echo(to_csv(rows), nl=False)
        return
    for row in rows.to_dict("records"):
        said = {name: value for name, value in row.items() if value == value and value != ""}
        click.echo(
            "\n".join(f"{name:28} {value:.10g}" if isinstance(value, float) else f"{name:28} {value}" for name, value in said.items())
            + "\n"
        )


def _as_in(column, text: str):
    """What was typed, as the column holds it: a number in a column of numbers, true or false in one of flags."""
    if column.dtype == bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return text if column.dtype == object else float(text)
    except ValueError:
        return text
