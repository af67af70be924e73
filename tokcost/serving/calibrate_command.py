"""`tokcost calibrate`: fit the constants of the estimate again, and work out again how far off it is."""

from __future__ import annotations

import csv
import datetime as dt

import click
import pandas as pd

from tokcost.evidence.schema import TABLES

#: what the derived tables of accuracy say of themselves
_TAIL = {"source_id": "tokcost_derived", "locator": "data/inference.csv, each chip and each model left out in turn", "kind": "modelled"}


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
def calibrate(dry_run: bool):
    """Fit the constants of the throughput estimate to the measured runs of data/, and renew its bands and accuracy.

    Writes calibration.csv, estimate_errors.csv and estimate_accuracy.csv. Run it after a change of inference.csv; half a minute.
    """
    from tokcost import evidence
    from tokcost.evidence import data_dir
    from tokcost.evidence.replacing import replace_files
    from tokcost.quantities import QuantityError
    from tokcost.serving import calibration

    try:
        before = evidence.load_table(calibration.TABLE).set_index("constant")["value"]
        tables = fitted_again()
    except QuantityError as error:
        raise click.ClickException(f"{error}; nothing was written") from None
    for name, value in tables[calibration.TABLE].set_index("constant")["value"].items():
        click.echo(f"{name:38} {before[name]:>10.4g} -> {value:.4g}")
    if not dry_run:
        replace_files(data_dir(), as_csv(tables))
    for name, table in tables.items():
        click.echo(f"{name}.csv: {len(table)} rows{', not written' if dry_run else ''}")


def fitted_again() -> dict[str, pd.DataFrame]:
    """The constants of the estimate, its bands and its accuracy, fitted to the runs that the data has now, by table."""
    from tokcost.serving import accuracy, bands, calibration, extrapolation

    date = dt.date.today().isoformat()
    errors = accuracy.all_errors()
    dated = {**_TAIL, "date": date}
    own = pd.concat([accuracy.accuracy_table(errors), extrapolation.extrapolation_table(errors)])
    accuracies = [own.round(3).assign(**dated), accuracy.peers()]
    return {
        calibration.TABLE: calibration.renewed(date, accuracy.fitted_kept_frac(errors)),
        "estimate_errors": bands.error_quantiles(errors).assign(**dated),
        "estimate_accuracy": pd.concat(accuracies, ignore_index=True),
    }


def as_csv(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Tables as the files of data/, by their names, the columns in the order of the schema."""
    return {
        f"{name}.csv": table[list(TABLES[name].columns)].to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        for name, table in tables.items()
    }
