"""Facts with their sources: the tables of data/."""

from .catalog import Fact as Fact
from .catalog import accelerators as accelerators
from .catalog import base_case as base_case
from .catalog import data_dir as data_dir
from .catalog import fact as fact
from .catalog import load_table as load_table
from .catalog import measured as measured
from .catalog import provenance as provenance
from .catalog import provisioned_power as provisioned_power
from .catalog import rate as rate
from .catalog import reset_used as reset_used
from .catalog import used_tables as used_tables
from .checking import check_all as check_all
from .selection import DataError as DataError
from .selection import NoSuchRow as NoSuchRow
from .selection import rows_where as rows_where
