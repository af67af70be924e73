"""`tokcost data add`: rows from a file, checked, with the headlines that they move, before anything is written."""

from __future__ import annotations

from pathlib import Path

import click

from tokcost.evidence.command import data


@data.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "table", required=True, metavar="TABLE", help="The table that the rows belong to; `tokcost data list` names them.")
@click.option("--source", "source_id", required=True, metavar="ID", help="Their source: a source_id of sources.csv, or a new one.")
@click.option(
    "--source-is", multiple=True, metavar="FIELD=TEXT", help="Of a new source: title, publisher, locator, date, grade, licence ..."
)
@click.option("--set", "given", multiple=True, metavar="COLUMN=TEXT", help="What FILE does not say, the same for all rows; repeatable.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE=LABEL", help="How people write a new name, such as accelerator=x100=X100."
)
@click.option("--dry-run", is_flag=True, help="Say everything, write nothing.")
@click.option("--headlines/--no-headlines", default=True, help="Whether to work out which headlines move; it takes ten to twenty seconds.")
@click.option("--calibrate/--no-calibrate", default=True, help="Whether new runs also fit the constants of the estimate (half a minute).")
def add(file: Path, table: str, source_id: str, source_is, given, labels, dry_run: bool, headlines: bool, calibrate: bool) -> None:
    """Add the rows of FILE to a table of data/.

    FILE is a CSV of the table's columns (a price list, chips, labels). The table inference also takes operating points: an
    InferenceX export or artefact, any file of `tokcost import`, or the table that it wrote. mlperf_inference takes the
    summary_results.json of a round, power_measurements a power log, token_energy a model's file of the ML.ENERGY leaderboard.

    Rows that are there already are left out; measured rows that cannot be true, or repeat another capture, go to
    excluded_rows.csv with the reason. The lists of sources and captures are brought up to date with them, and what is derived
    from the rows: how far repeated runs lie apart and, where chips were run that throughput is estimated for, the constants of
    that estimate. Undo: git checkout data.

    \b
      tokcost data add october.csv --as hourly_rates --source my_price_list --dry-run    what would change
      tokcost data add mine.csv --as inference --source our_runs        what `tokcost import` wrote
    """
    from tokcost.evidence.catalog import data_dir
    from tokcost.evidence.schema import TABLES
    from tokcost.evidence.selection import DataError
    from tokcost.quantities import nearest
    from tokcost.renew import adding
    from tokcost.renew.rows import rows_of_file

    if table not in TABLES:
        raise click.UsageError(f"there is no table `{table}`{nearest(table, TABLES)}")
    fixed = _pairs(given, "--set")
    note = fixed.pop("comparability_note", "") if table == "inference" else ""
    for name in fixed:
        if name not in TABLES[table].columns:
            raise click.UsageError(f"--set {name}: no column of `{table}`{nearest(name, TABLES[table].columns)}")
    source = {"source_id": source_id} | _pairs(source_is, "--source-is")
    new_labels = [_label(text) for text in labels]
    try:
        with adding.with_labels(new_labels):
            rows = rows_of_file(file, table, fixed)
        found = adding.addition(rows, table, source=source, labels=new_labels, note=note, file=file.name)
        adding.check(found, file.name)
        adding.derive(found, calibrate=calibrate)
    except DataError as error:
        *several, last = (
            error.problems if len(error.problems) == 1 else [*error.problems, f"{len(error.problems)} problems with {file.name}"]
        )
        for problem in several:
            click.echo(problem, err=True)
        raise click.UsageError(f"{last}; nothing was written") from None
    for line in _said(found):
        click.echo(line)
    if not found.n_added and not found.excluded:
        return
    if found.is_calibration_due:
        how = "fitted again, to these runs as well" if calibrate else "not fitted to these runs; `tokcost calibrate` does it"
        click.echo(f"constants of the estimate: {how}")
    if headlines:
        _show_moved(found, data_dir())
    if dry_run:
        click.echo("dry run: nothing was written")
        return
    written = adding.write(found)
    click.echo(f"written: {', '.join(written)}; undo: git checkout {' '.join(f'data/{name}' for name in written)}")


def _pairs(texts, option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise click.UsageError(f"{option} takes NAME=TEXT, got {text!r}")
        found[name] = value
    return found


def _label(text: str) -> dict[str, str]:
    parts = text.split("=")
    if len(parts) not in (3, 4) or not all(parts[:3]):
        raise click.UsageError(f"--label takes NAME=VALUE=LABEL, such as accelerator=x100=X100, got {text!r}")
    return dict(zip(("name", "value", "label", "served_as"), [*parts, ""][:4], strict=True))


def _said(found):
    also = [f"{n} {what}" for n, what in ((found.n_there, "there already"), (found.n_twice, "twice in the file")) if n]
    yield ", ".join([f"{found.n_added} {'row' if found.n_added == 1 else 'rows'} for {found.table}.csv", *also])
    for place, why in found.excluded:
        yield f"excluded: {place}: {why}"


def _show_moved(found, before: Path) -> None:
    from tokcost.renew.adding import staged
    from tokcost.renew.headlines import moved

    with staged(found) as after:
        changes = moved(before, after, {name.removesuffix(".csv") for name in found.files} - {"sources", "labels", "captures"})
    if not changes:
        click.echo("no headline moves")
    for name, old, new in changes:
        click.echo(f"headline {name}: {new['label']}: {_value(old)} -> {_value(new)}{_change(old, new)}")


def _change(old: dict, new: dict) -> str:
    """By how much a headline moves, where it was and is a number other than zero."""
    from tokcost.renew.headlines import LEAST_FRAC

    if not old.get("value") or not new.get("value"):
        return ""
    share = (new["value"] - old["value"]) / abs(old["value"])
    return f" ({share:+.1%})" if abs(share) >= LEAST_FRAC else " (only its range)"


def _value(headline: dict) -> str:
    value, low, high = (headline.get(name) for name in ("value", "low", "high"))
    span = "" if low is None or high is None else f" ({low:.4g} to {high:.4g})"
    return "none" if value is None else f"{value:.4g}{span}"
