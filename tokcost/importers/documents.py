"""Open a file and parse it: JSON (plain, line by line, or several in a row), YAML, CSV or text, gzipped or not.

A file of gigabytes is never turned into Python objects as a whole: logs of one request
a line stream (see `records`), and a large JSON document is decoded key by key on demand.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mmap
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokcost.importers.point import ImportProblem
from tokcost.quantities import QuantityError

HEAD_BYTES = 65536
LARGE_BYTES = 64 * 2**20
PIECE_BYTES = 4 * 2**20
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SPACE = re.compile(r"\s*")
#: results are nested a dozen deep
DEEPEST = 500
_BRACKET = re.compile(r"[\[\]{}]")
_DEEP = re.compile(rf"(?:[-?] +){{{DEEPEST}}}")


@dataclass
class Document:
    """One parsed file.

    `form` says what `content` is: `object` (a mapping), `rows` (a list of mappings, from
    lines or an array), `text` (the whole text of a CSV or metrics file), `records` (a log of
    one request a line that is left on disk).
    """

    path: Path
    form: str
    content: object
    #: sentence about a part that could not be read, while the rest could
    damage: str | None = None


def sha256(path: Path) -> str:
    """SHA-256 of the file as it lies on disk.

    In large pieces: beside a reader at work, each piece may wait its turn once.
    """
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(piece):
            digest.update(piece[:count])
    return digest.hexdigest()


def open_bytes(path: Path):
    """The file's bytes as a stream, unpacked if it is gzipped (by content, not by name)."""
    if path.is_dir():
        raise QuantityError(f"{path} is a directory; give its files")
    if path.exists() and not path.is_file():
        raise ImportProblem("it is no regular file but a pipe or a device; save the result to a file first")
    try:
        with open(path, "rb") as file:
            is_packed = file.read(2) == GZIP
    except OSError as error:
        what = "where the link leads" if path.is_symlink() else "its permissions"
        raise ImportProblem(f"the file cannot be opened ({error.strerror}); check {what}") from None
    return gzip.open(path, "rb") if is_packed else open(path, "rb")


def head(path: Path) -> bytes:
    """The first bytes without a byte order mark."""
    try:
        with open_bytes(path) as file:
            return file.read(HEAD_BYTES).removeprefix(BOM)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportProblem(f"the gzip file cannot be unpacked ({error}); it is truncated or damaged, copy it again") from None


def read_text(path: Path) -> str:
    """The whole text, without a byte order mark."""
    try:
        with open_bytes(path) as file:
            return file.read().removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise ImportProblem("the file is not text in UTF-8; give the tool's JSON, JSONL, YAML or CSV output") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportProblem(f"the gzip file cannot be unpacked ({error}); it is truncated or damaged, copy it again") from None


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
    if re.match(rb"(?:#.*\n|---\s*\n)*[\w.\"-]+:(?:\s|$)", start) and b"{" not in start.split(b"\n", 1)[0]:
        return _read_yaml(path)
    return Document(path, "text", read_text(path))


def is_request_log(start: bytes) -> bool:
    """Is this the start of a log with one AIPerf request a line?"""
    return re.match(rb'\s*\{\s*"metadata"\s*:\s*\{[^{}\n]*"request_start_ns"', start) is not None


def _read_yaml(path: Path) -> Document:
    import yaml

    text = read_text(path)
    if _DEEP.search(text) or _depth(text) > DEEPEST:
        raise ImportProblem("the YAML is nested too deeply for a benchmark result; it is damaged")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ImportProblem(f"the YAML cannot be parsed{line}; the file is truncated or damaged") from None
    if not isinstance(content, Mapping):
        return Document(path, "text", text)
    return Document(path, "object", content)


def _depth(text: str) -> int:
    """How deeply brackets are nested, at the most; libyaml itself ends the process where they are nested by the ten thousand."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _read_json(path: Path, large_bytes: int) -> Document:
    if path.stat().st_size > large_bytes:
        content = _lazily(path)
        if content is not None:
            return Document(path, "object", content)
    text = read_text(path)
    document = Document(path, "rows", [])
    document.content += _each_json(text, document)
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


def _each_json(text: str, document: Document) -> Iterator[object]:
    """Every JSON document of `text`, whatever stands between them: new lines, blank lines, nothing."""
    decoder = json.JSONDecoder(object_pairs_hook=_unambiguous)
    at = SPACE.match(text, 0).end()
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
        at = SPACE.match(text, end).end()


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", "a number of too many digits")


def _unambiguous(items: list[tuple]) -> dict:
    """An object whose keys stand once; JSON allows a key twice, but then its value is anyone's guess."""
    found = dict(items)
    if len(found) != len(items):
        for key, value in items:
            if value != found[key]:
                raise ImportProblem(
                    f"key `{key}` stands twice with different values, so that it is not known which one holds; mend the file"
                )
    return found


def _lazily(path: Path) -> Mapping | None:
    """A large JSON object whose values are decoded when asked for; None if that is not possible."""
    import msgspec

    with open(path, "rb") as file:
        if file.read(2) == GZIP:
            return None
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return LazyObject(memoryview(data)[len(BOM) :] if data[:3] == BOM else data)
    except (msgspec.MsgspecError, RecursionError):
        return None


class LazyObject(Mapping):
    """A JSON object over a buffer. Only what is asked for becomes Python objects."""

    def __init__(self, raw):
        import msgspec

        self._values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])

    def __getitem__(self, key):
        return _unpacked(self._values[key])

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


def _unpacked(raw):
    import msgspec

    first = bytes(memoryview(raw)[:1])
    if first == b"{":
        return LazyObject(raw)
    if first == b"[":
        return [_unpacked(item) for item in msgspec.json.decode(raw, type=list[msgspec.Raw])]
    return msgspec.json.decode(raw)
