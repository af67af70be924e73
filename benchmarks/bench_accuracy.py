"""`make accuracy`: how far off estimates of throughput are on runs that no constant was fitted to, beside others on the same runs.

python -m benchmarks.bench_accuracy [rows]     rows of the sample that aiconfigurator is asked (300; it takes a second each)
"""

import datetime as dt
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost.errors import SentenceError
from tokcost.evidence import data_dir, load_table
from tokcost.evidence.replacing import replace_files
from tokcost.serving import accuracy, extrapolation
from tokcost.serving.calibrate_command import as_csv
from tokcost.serving.calibration import mean_length_frac

VERSION = "0.12.0"
PEER = Path(".venv/aiconfigurator/bin/python")
METHOD = f"aiconfigurator {VERSION}"
ASKED = ["model", "accelerator", "precision", "framework", "concurrency", "n_gpus", "tensor_parallel", "expert_parallel", "isl", "osl"]


def peer_errors(runs: pd.DataFrame) -> pd.Series | None:
    """Logarithm of measured over what aiconfigurator says, of the runs that it answers; None where it is not installed."""
    if not PEER.exists():
        return None
    share = runs["campaign"].map(mean_length_frac)
    asked = runs[ASKED].assign(isl=runs["isl"] * share, osl=runs["osl"] * share).rename_axis("row")
    script = Path(__file__).with_name("aiconfigurator_rows.py")
    print(f"aiconfigurator {VERSION} is asked {len(runs)} runs, a second or two each.", flush=True)
    done = subprocess.run([PEER, script], input=asked.to_csv(), capture_output=True, text=True, check=False)
    said = pd.read_csv(io.StringIO(done.stdout), index_col="row")["output_tok_per_s_per_gpu"] if done.stdout else pd.Series(dtype=float)
    if said.empty:
        sys.exit(f"aiconfigurator {VERSION} answered none of them, and nothing was written; its last words: {done.stderr[-500:]}")
    print(f"It answered {len(said)}; the others it has no data for.")
    return np.log(runs.loc[said.index, "output_tok_per_s_per_gpu"] / said)


def same_rows(errors: pd.DataFrame, n_rows: int) -> pd.DataFrame | None:
    """Rows of data/estimate_accuracy.csv of aiconfigurator and of others on the runs that it answers, and of the mean of both."""
    plain = errors[errors["basis"].isin([accuracy.DENSE, accuracy.EXPERTS]) & (errors["left_out"] == "accelerator")]
    plain = plain.sort_values([*accuracy.CURVE, "concurrency"]).reset_index(drop=True)
    sample = plain.iloc[:: max(1, len(plain) // n_rows)]
    peer = peer_errors(sample)
    if peer is None:
        return None
    ours = plain.loc[peer.index]
    logs = {METHOD: peer, "estimate, its chip left out": ours["at_load"], "textbook formulas": ours["textbook"]}
    logs["geometric mean of both"] = (peer + ours["at_load"]) / 2
    rows = []
    for method, of in logs.items():
        for held_out, one in [("all", of), *of.groupby(ours["accelerator"])]:
            rows.append((f"same runs: {method}", "nothing", held_out, "at a load", *accuracy.error_of(one), *[np.nan] * 3))
    tail = {"source_id": "tokcost_derived", "locator": f"make accuracy, {len(sample)} runs asked", "date": dt.date.today().isoformat()}
    return pd.DataFrame(rows, columns=accuracy.ACCURACY).assign(**tail, kind="modelled")


def main() -> int:
    errors = accuracy.all_errors()
    own = pd.concat([accuracy.accuracy_table(errors), extrapolation.extrapolation_table(errors)]).round(3)
    kept = load_table("estimate_accuracy")
    tail = kept[kept["method"].str.startswith(accuracy.OWN_METHODS)].iloc[0][["source_id", "locator", "date", "kind"]]
    peers = same_rows(errors, int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    if peers is None:
        print(f"aiconfigurator {VERSION} could not be installed ({PEER}); its rows stay as they are in data/estimate_accuracy.csv.")
        peers = accuracy.peers()
    table = pd.concat([own.assign(**tail), peers], ignore_index=True)[list(kept.columns)]
    replace_files(data_dir(), as_csv({"estimate_accuracy": table}))
    shown = table[(table["held_out"] == "all") | (table["method"] == extrapolation.BEYOND)]
    print(shown.drop(columns=list(tail.index)).to_string(index=False, na_rep=""))
    print(f"data/estimate_accuracy.csv: {len(table)} rows, with those of each chip and model.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SentenceError as error:
        sys.exit(f"{error}; nothing was written")
