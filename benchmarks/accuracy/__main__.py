"""``python -m benchmarks.accuracy [TRANSFERS [PUPILS]]``: print the table; exit 1 when a demand is missed.

100,000 labelled transfers of 20,000 pupils unless told otherwise, always of the same seed. Demanded of our matcher: no
money on a wrong child, 99 % of whole references matched alone, 95 % of single damages with the right child suggested
first. The mix is checked before anything is counted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from random import Random

from benchmarks.accuracy.judging import Tallies, Tally, faults_of_mix, missed, score, ways
from benchmarks.accuracy.labelled import Kind, Labelled, Maker
from benchmarks.accuracy.world import World, build

TRANSFERS = 100_000
PUPILS = 20_000
SEED = 2025
_COLUMNS = ("alone", "first", "within", "otherwise", "unmatched", "wrong")
_HEADS = ("alone", "rank 1", "rank <=3", "other", "unmatched", "WRONG")


def made(transfers: int, pupils: int) -> tuple[World, list[Labelled]]:
    """Return the world and its labelled transfers, the same each time."""
    random = Random(SEED)  # noqa: S311  test data
    world = build(pupils, random)
    return world, Maker(world, random).make(transfers)


def main(words: Sequence[str]) -> int:
    """Make, check, judge and print."""
    transfers = int(words[0]) if words else TRANSFERS
    pupils = int(words[1]) if len(words) > 1 else PUPILS
    world, labelled = made(transfers, pupils)
    faults = faults_of_mix(labelled)
    print(f"{len(labelled):,} labelled transfers, {len(world.pupils):,} pupils, {len(world.requests):,} requests")
    for name, way in ways(world).items():
        tallies = score(labelled, way)
        _print(name, tallies)
        if name == "hocphi":
            faults += missed(tallies)
    for fault in faults:
        print(f"MISSED: {fault}")
    return int(bool(faults))


def _print(name: str, tallies: Tallies) -> None:
    print(f"\n{name:<38}{'transfers':>10}" + "".join(f"{head:>11}" for head in _HEADS))
    for kind in Kind:
        _print_line(kind, tallies[kind])
    whole = Tally()
    for tally in tallies.values():
        for column in ("transfers", *_COLUMNS):
            setattr(whole, column, getattr(whole, column) + getattr(tally, column))
    _print_line("all", whole)


def _print_line(name: str, tally: Tally) -> None:
    cells = "".join(f"{_cell(getattr(tally, column), tally.transfers):>11}" for column in _COLUMNS)
    print(f"  {name:<36}{tally.transfers:>10,}{cells}")


def _cell(count: int, of: int) -> str:
    """Show a share in percent; never round a few down to nothing or nearly all up to all."""
    if count in (0, of):
        return f"{count:,}" if count == 0 else "100 %"
    return f"{count:,}" if count < of / 1000 else f"{min(count * 100 / of, 99.99):.2f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
