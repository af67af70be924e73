"""Facts with their sources: the tables of data/, and importers for the files of benchmark tools."""

from tokcost.evidence.catalog import (
    DataError,
    Fact,
    accelerators,
    data_dir,
    fact,
    load,
    measured,
    provenance,
    provisioned_power,
    rate,
    reset_used,
    used_tables,
)
from tokcost.evidence.checking import check_all

__all__ = [
    "DataError",
    "Fact",
    "accelerators",
    "check_all",
    "data_dir",
    "fact",
    "load",
    "measured",
    "provenance",
    "provisioned_power",
    "rate",
    "reset_used",
    "used_tables",
]
