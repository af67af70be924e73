"""Damage real files at random and import them: a file gives rows, or sentences, and never anything else.

    python tests/importers/fuzz.py [SECONDS] [--seed N] [--files N]

Prints a table of what was tried. Exit status 1 if an input ended in anything but rows and sentences, or took too long.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tokcost import importers
from tokcost.quantities import QuantityError

SAMPLES = Path(__file__).parents[1] / "samples"
#: longer than any small file may take (seconds)
LONGEST_S = 5.0
#: larger files say nothing new and slow the search
LARGEST_BYTES = 300_000
_ODD = (
    None, True, -1, 0, 1e308, 1e-320, float("nan"), float("inf"), 10**400, "", "x", "1e999", "=1+1", "\ud800", "\x00", [], {}, [1],
    {"a": 1}, "24", "٣", -0.0, [[]], {"value": "many"}, 2**63,
)  # fmt: skip


def files() -> list[Path]:
    """Every small sample of a tool, a meter, a server or a bill."""
    return sorted(path for path in SAMPLES.rglob("*.*") if path.is_file() and path.suffix != ".md" and path.stat().st_size < LARGEST_BYTES)


def damaged(content: bytes, dice: random.Random) -> bytes:
    """A file as a crash, a bad disk or a bad hand leaves it."""
    if dice.random() < 0.5:
        try:
            return json.dumps(_edited(json.loads(content), dice)).encode()
        except (ValueError, RecursionError):
            pass
    data = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        if not data:
            break
        at, n = dice.randrange(len(data)), dice.choice((1, 2, 8, 200, len(data)))
        what = dice.randrange(5)
        if what == 0:
            del data[at : at + n]
        elif what == 1:
            data[at : at + n] = data[at : at + n] * 2
        elif what == 2:
            data[at] = dice.randrange(256)
        elif what == 3:
            data[at:at] = dice.choice((b"\n", b",", b'"', b"}", b"[", b"\x00", b"\xff\xfe", b"9" * 400, b"-", b"NaN", b"\t=cmd"))
        else:
            del data[at:]
    return bytes(data)


def _edited(content, dice: random.Random):
    """The same document with a few values replaced, left out or moved."""
    places = []

    def walk(node):
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            places.append((node, key))
            if len(places) < 5000:
                walk(node[key])

    walk(content)
    for node, key in dice.sample(places, min(len(places), dice.randint(1, 5))):
        if dice.random() < 0.3 and isinstance(node, dict):
            node.pop(key, None)
        elif isinstance(node, dict) or key < len(node):
            node[key] = dice.choice(_ODD)
    return content


def readers(path: Path, other: Path):
    """Every way to read the file."""
    yield "points", lambda: importers.benchmarks([path], n_gpus=8).points
    yield "power", lambda: importers.power_logs([path]).points
    yield "billing", lambda: importers.bills([path], instance_gpus={"g5.4xlarge": 1}).points
    yield "server", lambda: importers.server_metrics([path, other], seconds=5).points
    yield "requests", lambda: importers.requests(path)


def check(seed: int, found: Counter) -> list[str]:
    """Try one damaged file in every way; what was not rows or a sentence."""
    dice, wrong = random.Random(seed), []
    source = dice.choice(files())
    content = damaged(source.read_bytes(), dice)
    with tempfile.TemporaryDirectory() as folder:
        path, other = Path(folder, source.name), Path(folder, f"other_{source.name}")
        path.write_bytes(content)
        other.write_bytes(source.read_bytes())
        for kind, read in readers(path, other):
            begin = time.perf_counter()
            try:
                table = read()
                found[f"{kind}: {'rows' if len(table) else 'no rows'}"] += 1
                numbers = table.select_dtypes("number").to_numpy(dtype=float)
                if np.isinf(numbers).any():
                    wrong.append(f"seed {seed}, {source.name} as {kind}: an infinite number")
            except QuantityError as error:
                found[f"{kind}: refused"] += 1
                if "\n" in str(error):
                    wrong.append(f"seed {seed}, {source.name} as {kind}: more than one sentence")
            except Exception as error:
                wrong.append(f"seed {seed}, {source.name} as {kind}: {type(error).__name__}: {error}")
            if time.perf_counter() - begin > LONGEST_S:
                wrong.append(f"seed {seed}, {source.name} as {kind}: took {time.perf_counter() - begin:.1f} s")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, help="stop after so many")
    asked = parser.parse_args()
    end, seed, found, wrong = time.monotonic() + asked.seconds, asked.seed, Counter(), []
    while time.monotonic() < end and (asked.files is None or seed < asked.seed + asked.files):
        wrong += check(seed, found)
        seed += 1
    print(f"{seed - asked.seed} damaged files of {len(files())} samples, each read in 5 ways")
    print(f"{len(wrong)} ended in anything but rows or a sentence")
    for what, count in sorted(found.items()):
        print(f"  {count:7} {what}")
    print("\n".join(wrong[:20]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
