"""`tokcost calibrate`: fit the constants of the estimate again, and work out again how far off it is."""

from __future__ import annotations

import csv
import datetime as dt

import click
import pandas as pd

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
    from tokcost.serving import accuracy, bands, calibration

    date = dt.date.today().isoformat()
    before = evidence.load_table(calibration.TABLE).set_index("constant")["value"]
    errors = accuracy.all_errors()
    tables = {"calibration": calibration.renewed(date, accuracy.fitted_kept_frac(errors))}
    dated = {**_TAIL, "date": date}
    tables["estimate_errors"] = bands.error_quantiles(errors).assign(**dated)
    kept = accuracy.peers()
    tables["estimate_accuracy"] = pd.concat([accuracy.accuracy_table(errors).round(3).assign(**dated), kept], ignore_index=True)
    for name, value in tables["calibration"].set_index("constant")["value"].items():
        click.echo(f"{name:38} {before[name]:>10.4g} -> {value:.4g}")
    for name, table in tables.items():
        if not dry_run:
            path = data_dir() / f"{name}.csv"
            table[list(evidence.load_table(name).columns)].to_csv(path, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        click.echo(f"{name}.csv: {len(table)} rows{', not written' if dry_run else ''}")
