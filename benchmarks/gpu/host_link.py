"""Measure how fast your card reads from its host's memory: what a prefix cache that was moved there is read back with.

    python benchmarks/gpu/host_link.py

Pinned memory, one direction, nothing else on the link: the median of copies as large as that, and in smaller pieces, for engines may move
a cache block by block and layer by layer. `kv_read_gb_per_s` of notebook 17 takes the figure. Needs what measure.py needs.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.gpu.measure import captured, timed, why_not

#: bytes of the buffer, larger than any cache of a processor, and of the pieces that it is copied in
BUFFER = 1 << 30
PIECES = {"1 GiB": BUFFER, "2 MiB": 2 << 20, "256 KiB": 256 << 10, "32 KiB": 32 << 10}
#: so many copies are captured at a time, and everything is repeated
MOST_AT_A_TIME, REPEATS = 2048, 15


def measure(torch) -> dict[str, list[float]]:
    """GB/s of each repeat, by the size of the pieces."""
    host = torch.randint(0, 256, (BUFFER,), dtype=torch.uint8, pin_memory=True)
    there = torch.empty(BUFFER, dtype=torch.uint8, device="cuda")
    found = {}
    for size, n_bytes in PIECES.items():
        n = min(BUFFER // n_bytes, MOST_AT_A_TIME)
        places = range(0, BUFFER, BUFFER // n)  # small pieces lie apart

        def copy(n_bytes=n_bytes, places=places) -> None:
            for place in places:
                there[place : place + n_bytes].copy_(host[place : place + n_bytes], non_blocking=True)

        graph = captured(torch, copy)
        timed(torch, graph.replay)
        found[size] = [n * n_bytes / timed(torch, graph.replay) / 1e9 for _ in range(REPEATS)]
    if not torch.equal(there.cpu(), host):
        raise SystemExit("the card did not get what the host holds: these figures are none")
    return found


def main() -> int:
    if reason := why_not():
        print(f"nothing is measured: {reason}")
        return 0
    import torch

    print(torch.cuda.get_device_name(0))
    for size, found in measure(torch).items():
        print(f"in pieces of {size}: {statistics.median(found):.1f} GB/s ({min(found):.1f} to {max(found):.1f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
