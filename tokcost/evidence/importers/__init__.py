"""Importers: files of benchmark tools, servers, power meters and bills, read into tidy tables."""

from tokcost.evidence.importers.collect import Imported, import_benchmarks
from tokcost.evidence.importers.point import ImportProblem, Problem

__all__ = ["ImportProblem", "Imported", "Problem", "import_benchmarks"]
