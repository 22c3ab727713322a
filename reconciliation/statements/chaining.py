"""Which lines of a statement stood on an earlier one, told by running balances (pure).

The lines of two statements of one account are stretches of one row of movements. Where both run through one balance
they lie upon each other there, and a line with another balance is another movement however equal its words are. Of a
day that began with one balance in both, one is the beginning of the other, in whatever order a template shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias
from uuid import UUID

from billing.money import Money, total
from reconciliation.pairing import Evidence, Told, evidence_of

Sum: TypeAlias = tuple[str, Money]


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as a statement shows it: ``before`` is the balance it found; ``file`` which statement.

    ``row`` names it to people. ``transfer_id`` is its transfer; None on the statement that is being brought, and where
    the money was put aside since.
    """

    file: UUID | None
    row: int
    told: Told
    money: Sum
    before: Money
    transfer_id: UUID | None = None

    @property
    def day(self) -> date:
        """The day on which the bank booked it."""
        return self.told.day

    @property
    def signed(self) -> Money:
        """The amount as the balance sees it."""
        direction, amount = self.money
        return amount if direction == "in" else -amount

    @property
    def after(self) -> Money:
        """The balance it left."""
        return self.before + self.signed


@dataclass(frozen=True, slots=True)
class Doubt:
    """Rows of one day of which balances do not tell whether an earlier statement showed them."""

    day: date
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The balances of one statement on one day: with which it began, with which it ended, and all between."""

    began: Money
    ended: Money
    balances: frozenset[Money]


def seen_before(lines: Sequence[Shown], earlier: Sequence[Shown]) -> tuple[dict[int, int], list[Doubt]]:
    """Return for each line seen before, by its place, the place of the earlier one; and the days that are in doubt.

    An earlier movement that several statements show counts once.
    """
    of_day: dict[date, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        of_day[line.day].append(place)
    before: dict[date, list[int]] = defaultdict(list)
    for place, line in enumerate(earlier):
        before[line.day].append(place)
    same: dict[int, int] = {}
    doubts: list[Doubt] = []
    for day in of_day.keys() & before.keys():
        found = _same_on(lines, of_day[day], earlier, before[day])
        same |= found
        rows = _doubtful(lines, of_day[day], earlier, before[day], found)
        if rows:
            doubts.append(Doubt(day, tuple(sorted(rows))))
    return same, sorted(doubts, key=lambda each: each.day)


def _same_on(
    lines: Sequence[Shown], places: Sequence[int], earlier: Sequence[Shown], others: Sequence[int]
) -> dict[int, int]:
    """Join the lines of one day whose balances agree, the best evidence first."""
    began = lines[places[0]].before
    first: dict[UUID | None, Money] = {}
    for other in others:
        first.setdefault(earlier[other].file, earlier[other].before)
    by_money: dict[Sum, list[int]] = defaultdict(list)
    for other in others:
        if earlier[other].transfer_id is not None:
            by_money[earlier[other].money].append(other)
    ranked = []
    for place in places:
        for other in by_money.get(lines[place].money, ()):
            balanced = lines[place].before == earlier[other].before
            evidence = _of_one_day(lines[place].told, earlier[other].told)
            if evidence is not None and (balanced or first[earlier[other].file] == began):
                ranked.append((not balanced or evidence is Evidence.NOTHING, evidence, not balanced, place, other))
    found: dict[int, int] = {}
    taken: set[UUID | None] = set()
    for *_, place, other in sorted(ranked):
        if place not in found and earlier[other].transfer_id not in taken:
            found[place] = other
            taken.add(earlier[other].transfer_id)
    return found


def _of_one_day(one: Told, other: Told) -> Evidence | None:
    """Return what speaks for one line in two templates; words that differ, one with a code, are no objection here."""
    evidence = evidence_of(one, other)
    if evidence is None and bool(one.codes) != bool(other.codes) and not _numbered_apart(one, other):
        return Evidence.NOTHING
    return evidence


def _numbered_apart(one: Told, other: Told) -> bool:
    bare = [replace(each, memo="", codes=frozenset()) for each in (one, other)]
    return evidence_of(*bare) is None


def _doubtful(
    lines: Sequence[Shown],
    places: Sequence[int],
    earlier: Sequence[Shown],
    others: Sequence[int],
    found: Mapping[int, int],
) -> list[int]:
    """Return the rows of a day of which it cannot be known whether they are new."""
    mine = _stretch([lines[place] for place in places])
    stretches = _stretches([earlier[other] for other in others])
    known_to_book = _each_once(earlier[other] for other in others)
    if not any(mine.balances & each.balances for each in stretches):
        return [
            lines[place].row for place in places if any(_looks_like(lines[place], other) for other in known_to_book)
        ]
    fresh = [lines[place] for place in places if place not in found]
    if _adds_up(known_to_book, stretches) and not _adds_up([*known_to_book, *fresh], [*stretches, mine]):
        return [line.row for line in fresh]
    return _repeated(mine, [(lines[place], earlier[other]) for place, other in found.items()], earlier, others)


def _repeated(
    mine: _Stretch, joined: Sequence[tuple[Shown, Shown]], earlier: Sequence[Shown], others: Sequence[int]
) -> list[int]:
    """Return the rows that were seen before, or go on where an earlier statement came back to their balance."""
    of_file: dict[UUID | None, list[Shown]] = defaultdict(list)
    for other in others:
        of_file[earlier[other].file].append(earlier[other])
    rows: list[int] = []
    for shown in of_file.values():
        transfers = {each.transfer_id for each in shown}
        here = [(line, other) for line, other in joined if other.transfer_id in transfers]
        if mine.began == shown[-1].after and len(here) < len(shown):
            rows += [line.row for line, other in here if not _numbered_alike(line.told, other.told)]
    return rows


def _looks_like(line: Shown, other: Shown) -> bool:
    if line.money != other.money:
        return False
    return (evidence_of(line.told, other.told) or Evidence.NOTHING) is not Evidence.NOTHING


def _numbered_alike(one: Told, other: Told) -> bool:
    return evidence_of(one, other) is Evidence.REFERENCE


def _stretch(lines: Sequence[Shown]) -> _Stretch:
    balances = frozenset({lines[0].before, *(line.after for line in lines)})
    return _Stretch(lines[0].before, lines[-1].after, balances)


def _stretches(lines: Iterable[Shown]) -> list[_Stretch]:
    by_file: dict[UUID | None, list[Shown]] = defaultdict(list)
    for line in lines:
        by_file[line.file].append(line)
    return [_stretch(each) for each in by_file.values()]


def _each_once(lines: Iterable[Shown]) -> list[Shown]:
    return list({line.transfer_id: line for line in lines if line.transfer_id is not None}.values())


def _adds_up(lines: Iterable[Shown], stretches: Sequence[_Stretch]) -> bool:
    """Tell whether movements lead from the beginning of one stretch of the day to the end of one."""
    moved = total(line.signed for line in lines)
    ends = {each.ended for each in stretches}
    return any(each.began + moved in ends for each in stretches)
