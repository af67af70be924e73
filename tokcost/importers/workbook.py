"""One sheet of an .xlsx workbook as rows; only plain cells, as benchmark tools write them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tokcost.importers.point import ImportProblem

LARGEST_BYTES = 64 * 2**20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def is_workbook(path: Path) -> bool:
    """Is this an .xlsx file, by its content?"""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04" and path.suffix.lower() == ".xlsx"


def rows(path: Path, sheet: str) -> Iterator[dict[str, str]]:
    """The rows of a sheet by its header; an ImportProblem where it has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            texts = ["".join(item.itertext()) for item in _xml(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]
            header: dict[str, str] = {}
            for row in _xml(archive, _place(archive, sheet)).iter(f"{_MAIN}row"):
                cells = {re.sub(r"\d", "", cell.get("r", "")): _text(cell, texts) for cell in row.iter(f"{_MAIN}c")}
                if header:
                    yield {name: cells.get(column, "") for column, name in header.items()}
                else:
                    header = cells
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ImportProblem(f"the workbook cannot be read ({type(error).__name__}); save its sheet `{sheet}` as CSV") from None


def header(path: Path, sheet: str) -> str:
    """The header of a sheet as a line of CSV, empty where there is none."""
    try:
        return ",".join(next(rows(path, sheet), {}))
    except ImportProblem:
        return ""


def _place(archive: zipfile.ZipFile, sheet: str) -> str:
    """Where the sheet of this name is in the archive."""
    wanted = next(item.get(_RELATION) for item in _xml(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet") if item.get("name") == sheet)
    for relation in _xml(archive, "xl/_rels/workbook.xml.rels"):
        if relation.get("Id") == wanted:
            return f"xl/{relation.get('Target', '').removeprefix('/xl/')}"
    raise KeyError(sheet)


def _xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if name == "xl/sharedStrings.xml" and name not in archive.namelist():
        return ElementTree.Element("none")
    if archive.getinfo(name).file_size > LARGEST_BYTES:
        raise ImportProblem("a sheet of the workbook is larger than any result; it was not read")
    content = archive.read(name)
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
        raise ImportProblem("the workbook holds definitions that no spreadsheet writes; it was not read")
    return ElementTree.fromstring(content)


def _text(cell: ElementTree.Element, texts: list[str]) -> str:
    value = cell.find(f"{_MAIN}v")
    if value is None or value.text is None:
        return "".join(cell.itertext())
    return texts[int(value.text)] if cell.get("t") == "s" else value.text
