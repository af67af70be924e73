"""Open a file and parse it: JSON (plain, line by line, or several in a row), YAML, CSV or text, gzipped or not.

Every reading is bounded, so that no file, however made, takes the memory or the time of the machine: logs of one
request a line and tables stream, a large JSON document is decoded key by key on demand, what unpacks to a hundred
times its size or expands by references is refused, and pipes, devices and files of the kernel are not opened.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import json
import mmap
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from tokcost.importers import workbook
from tokcost.importers.lazy import LazyObject, check_marks, each_line, unpacked
from tokcost.importers.point import ImportProblem
from tokcost.importers.yaml_bounds import check_yaml

HEAD_BYTES = 65536
#: a JSON document larger than this is decoded on demand; a smaller one at once, with a look for keys that stand twice
LARGE_BYTES = 4 * 2**20
#: text that must be held as a whole, beyond any result of a tool
LARGEST_BYTES = 64 * 2**20
#: nor is any record of a log, or any line of a table, as long
LARGEST_LINE_BYTES, LARGEST_TABLE_LINE_BYTES = 2**24, 2**20
#: so many lines in one piece of a file are hardly ever the same few
MANY_LINES = 10_000
PIECE_BYTES = 4 * 2**20
#: results pack to a tenth or a thirtieth of their size
MOST_TIMES_PACKED = 100
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
#: first bytes -> what such a file is
_PACKED = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"\xfd7zXZ": "packed by xz",
    b"BZh": "packed by bzip2",
}
SPACE = re.compile(r"\s*")
#: numbers that Python writes and JSON does not know
_NOT_JSON = re.compile(rb"([:,\[]\s*)(-?Infinity|NaN)\b")


@dataclass
class Document:
    """One parsed file.

    `form` says what `content` is: `object` (a mapping), `rows` (a list of mappings, from
    lines or an array), `text` (the beginning of a table or metrics file, to tell what it is; `lines` has it whole),
    `records` (a log of one request a line that is left on disk).
    """

    path: Path
    form: str
    content: Any
    #: sentence about a part that could not be read, while the rest could
    damage: str | None = None


def sha256(path: Path) -> str:
    """SHA-256 of the file as it lies on disk.

    In large pieces: while a reader is at work, each piece may wait its turn once.
    """
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(piece):
            digest.update(piece[:count])
    return digest.hexdigest()


class _Unpacked(gzip.GzipFile):
    """A gzip file that ends in one sentence where it is damaged or unpacks without end."""

    def __init__(self, path: Path):
        super().__init__(path, "rb")
        self._most = MOST_TIMES_PACKED * path.stat().st_size + PIECE_BYTES

    def read(self, size=-1):
        return self._bounded(super().read, size)

    def readinto(self, buffer):
        return self._bounded(super().readinto, buffer)

    def _bounded(self, read, argument):
        try:
            found = read(argument)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Cut(f"the gzip file cannot be unpacked ({error}); it is truncated or damaged, copy it again") from None
        if self.tell() > self._most:
            raise ImportProblem(f"the gzip file unpacks to over {MOST_TIMES_PACKED} times its size, which no result does")
        return found


class Cut(ImportProblem):
    """A packed file that ends or is damaged in the middle."""


def open_bytes(path: Path) -> BufferedIOBase:
    """The file's bytes as a stream, unpacked if it is gzipped (by content, not by name)."""
    try:
        if path.is_dir():
            raise ImportProblem(f"{path} is a directory; give its files")
        if path.exists() and not path.is_file():
            raise ImportProblem("it is no regular file but a pipe or a device; save the result to a file first")
        if path.exists() and path.stat().st_size == 0:  # so are the files of /proc, some of which never end
            raise ImportProblem("the file is empty; run the benchmark again or leave the file out")
        with open(path, "rb") as file:
            is_packed = file.read(2) == GZIP
    except OSError as error:
        what = "where the link leads" if path.is_symlink() else "its permissions"
        raise ImportProblem(f"the file cannot be opened ({error.strerror}); check {what}") from None
    return _Unpacked(path) if is_packed else open(path, "rb")


def head(path: Path) -> bytes:
    """The first bytes without a byte order mark."""
    with open_bytes(path) as file:
        return file.read(HEAD_BYTES).removeprefix(BOM)


def read_bytes(path: Path, largest: int = LARGEST_BYTES) -> bytes:
    """All bytes without a byte order mark, of a file that is not larger than any result."""
    with open_bytes(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ImportProblem(f"the file holds more than {largest // 2**20} MiB of text, more than any result of this kind; it was not read")
    return content.removeprefix(BOM)


def read_text(path: Path, largest: int = LARGEST_BYTES) -> str:
    """The whole text, without a byte order mark."""
    return _decoded(read_bytes(path, largest))


def lines(path: Path) -> Iterator[str]:
    """The lines of a text, each with its end, as a stream."""
    with open_bytes(path) as file:
        rest, start = b"", BOM
        while piece := file.read(2**19):
            whole, newline, rest = (rest + piece.removeprefix(start)).rpartition(b"\n")
            start = b""
            if len(rest) > LARGEST_TABLE_LINE_BYTES:
                raise ImportProblem("a line of the file is longer than any line of a log or a table; the file is damaged")
            if newline:
                found = _decoded(whole).split("\n")
                if len(found) > MANY_LINES and len(set(found)) * MANY_LINES < len(found) * 10:
                    raise ImportProblem("the file repeats the same few lines without end; it is damaged")
                yield from (f"{line}\n" for line in found)
        if rest:
            yield _decoded(rest)


def table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV with a header, as a stream: the line at which each ends, and its cells by column."""
    rows = csv.DictReader(lines(path), strict=True)
    try:
        twice = [name for name, times in Counter(rows.fieldnames or ()).items() if times > 1 and name]
        if twice:
            raise ImportProblem(f"column `{twice[0][:40]}` stands twice, so that it is not known which one holds; take one of them out")
        for row in rows:
            if None in row or None in row.values():
                raise ImportProblem(f"line {rows.line_num} has another number of cells than the header; mend that line")
            yield rows.line_num, row
    except csv.Error as error:
        raise ImportProblem(f"line {rows.reader.line_num} is no line of a CSV table: {error}") from None


def _decoded(content: bytes, is_whole: bool = True) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=is_whole)
    except UnicodeDecodeError:
        kind = next((what for first, what in _PACKED.items() if content.startswith(first)), None)
        if kind:
            raise ImportProblem(f"the file is {kind}; unpack it, or save it as the tool's JSON or CSV, first") from None
        raise ImportProblem("the file is not text in UTF-8; give the tool's JSON, JSONL, YAML or CSV output") from None


def read(path: Path, large_bytes: int = LARGE_BYTES) -> Document:
    """Parse `path`; an ImportProblem says in one sentence why that is not possible."""
    start = head(path)
    if not start.strip():
        raise ImportProblem("the file is empty; run the benchmark again or leave the file out")
    if start.startswith(UTF_16):
        raise ImportProblem("the file is text in UTF-16, as some shells write it; save it in UTF-8")
    if start.lstrip()[:1] in (b"{", b"["):
        if is_request_log(start):
            return Document(path, "records", None)
        return _read_json(path, large_bytes)
    if {".json", ".jsonl"} & set(path.suffixes[-2:]):
        raise ImportProblem(f"the file starts with {start.lstrip()[:12]!r}, which is no JSON object or list; it is damaged or misnamed")
    if workbook.is_workbook(path):
        return Document(path, "text", workbook.header(path, "Raw data"))
    is_yaml = not {".txt", ".csv", ".prom", ".log", ".md"} & set(path.suffixes[-2:])
    if is_yaml and re.match(rb"(?:#.*\n|---\s*\n)*[\w.\"-]+:(?:\s|$)", start.lstrip()) and b"{" not in start.split(b"\n", 1)[0]:
        content = read_yaml(path)
        if isinstance(content, Mapping):
            return Document(path, "object", content)
    return Document(path, "text", _decoded(start, is_whole=len(start) < HEAD_BYTES))


def companion(path: Path, name: str) -> Any:
    """What the JSON or YAML file `name` next to a result says; None where there is none that can be read."""
    neighbour = path.with_name(name)
    try:
        if neighbour == path or not neighbour.exists():
            return None
        return read_yaml(neighbour) if neighbour.suffix == ".yaml" else read(neighbour).content
    except (OSError, ImportProblem):
        return None


def is_request_log(start: bytes) -> bool:
    """Is this the start of a log with one AIPerf request a line?"""
    return re.match(rb'\s*\{\s*"metadata"\s*:\s*\{[^{}\n]*"request_start_ns"', start) is not None


def read_yaml(path: Path) -> Any:
    """The content of a YAML file that is neither larger, deeper nor more entangled than a result."""
    import yaml

    text = read_text(path)
    try:
        check_yaml(text)
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, ImportProblem):
            raise
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ImportProblem(f"the YAML cannot be parsed{line}; the file is truncated or damaged") from None


def _read_json(path: Path, large_bytes: int) -> Document:
    document = Document(path, "rows", [])
    raw = _raw(path, large_bytes)
    if len(raw) > large_bytes:
        check_marks(raw)
        content = unpacked(raw)
        if not isinstance(content, (LazyObject, list)) and _NOT_JSON.search(raw):
            raw = _NOT_JSON.sub(rb'\1"\2"', bytes(raw))
            content = unpacked(raw)
        if isinstance(content, LazyObject):
            return Document(path, "object", content)
        document.content, document.damage = (content, None) if isinstance(content, list) else each_line(raw)
    else:
        document.content += _each_json(_decoded(bytes(raw)), document)
    if not document.content and document.damage:
        raise ImportProblem(document.damage)
    if len(document.content) == 1:
        only = document.content[0]
        if isinstance(only, Mapping):
            document.form, document.content = "object", only
        elif isinstance(only, list) and only:
            document.content = only
        else:
            raise ImportProblem(f"the JSON document is {'an empty list' if only == [] else json.dumps(only)[:20]}, not a benchmark result")
    return document


def _raw(path: Path, large_bytes: int):
    """The bytes, of a large plain file as they lie on disk."""
    if path.stat().st_size <= large_bytes:
        return read_bytes(path)
    with open(path, "rb") as file:
        if file.read(2) == GZIP:
            return read_bytes(path)
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return memoryview(data)[len(BOM) :] if data[:3] == BOM else memoryview(data)


def _each_json(text: str, document: Document) -> Iterator[object]:
    """Every JSON document of `text`, whatever stands between them: new lines, blank lines, nothing."""
    decoder = json.JSONDecoder(object_pairs_hook=unambiguous)
    at = _after_space(text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        try:
            content, end = decoder.raw_decode(text, at)
        except ImportProblem as problem:
            document.damage = str(problem)
            return
        except (ValueError, RecursionError) as error:  # a ValueError without a position: a number of thousands of digits
            is_cut = getattr(error, "pos", 0) >= len(text.rstrip()) - 1 or "Unterminated" in str(error)
            state = "ends in the middle: it is truncated" if is_cut else f"is not valid JSON ({_why(error)})"
            document.damage = f"the JSON document that starts at line {line} {state}; copy the file again or run the benchmark again"
            return
        yield content
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    space = SPACE.match(text, at)
    return space.end() if space else at


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", "a number of too many digits")


def unambiguous(items: list[tuple]) -> dict:
    """An object whose keys stand once; JSON allows a key twice, but then its value is anyone's guess."""
    found = dict(items)
    if len(found) != len(items):
        for key, value in items:
            if value != found[key]:
                raise ImportProblem(
                    f"key `{key[:40]}` stands twice with different values, so that it is not known which one holds; mend the file"
                )
    return found
