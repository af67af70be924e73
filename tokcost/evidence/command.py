"""`tokcost data`: check the tables of data/, list them, look one up."""

from __future__ import annotations

import click


@click.group()
def data():
    """The facts behind every number: check them, list them, look one up."""


@data.command()
def check():
    """List every problem of every table; exit status 2 if there is one."""
    from tokcost.evidence.checking import check_all

    problems = check_all()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise SystemExit(2)
    click.echo("data/ is in order: every row valid, every source known and cited, every captured row kept or listed as left out")


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
    """Print the rows of TABLE with their sources."""
    from tokcost.evidence.catalog import DataError, load
    from tokcost.quantities import nearest

    try:
        rows = load(table)
    except DataError as error:
        raise click.UsageError(str(error)) from None
    for condition in filters:
        column, equals, wanted = condition.partition("=")
        if not equals or column not in rows:
            raise click.UsageError(f"--where takes COLUMN=TEXT, got {condition!r}{nearest(column, rows.columns)}")
        kept = rows[rows[column].astype(str) == wanted]
        if kept.empty:
            raise click.UsageError(f"no row of {table} has {column} {wanted!r}{nearest(wanted, rows[column].astype(str).unique())}")
        rows = kept
    if as_csv:
        click.echo(rows.to_csv(index=False), nl=False)
        return
    for row in rows.to_dict("records"):
        said = {name: value for name, value in row.items() if value == value and value != ""}
        click.echo(
            "\n".join(f"{name:28} {value:.10g}" if isinstance(value, float) else f"{name:28} {value}" for name, value in said.items())
            + "\n"
        )
