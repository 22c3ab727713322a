"""Whether statements of one account follow each other: each begins with the balance that ended the one before (pure).

A bank prints balances that no movement has to be believed for. Where two files do not meet, even with all that was told
of the days between, movements are missing, and their sum is known though nobody told of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from billing.money import ZERO, Money, total

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A statement as its balances tell it: days it covers, balances, and signed movements by day, the oldest first."""

    first: date
    last: date
    opening: Money
    closing: Money
    moved: Mapping[date, Sequence[Money]]

    def moved_on(self, day: date) -> Money:
        """Return what came in less what went out on a day."""
        return total(self.moved.get(day, ()))

    def points(self, day: date) -> list[Money]:
        """Return the balance with which a day began in this file, and the balance after each of its movements."""
        began = self.opening + total(self.moved_on(each) for each in self.moved if each < day)
        return list(accumulate(self.moved.get(day, ()), initial=began))


@dataclass(frozen=True, slots=True)
class Gap:
    """Two statements that do not meet: ``opening`` is ``missing`` more than ``closing`` and what was told between.

    ``after`` is the last day of the earlier one, ``before`` the first of the later one.
    """

    after: date
    before: date
    closing: Money
    opening: Money
    told: Money

    @property
    def missing(self) -> Money:
        """What came in less what went out without anybody telling of it."""
        return self.opening - self.closing - self.told


def gaps(spans: Iterable[Span], told: Mapping[date, Money]) -> list[Gap]:
    """Return where statements do not meet, the earliest first; nothing for fewer than two.

    ``told`` is by day what all feeds told, each movement once. Files that overlap, or are parts of one day brought in
    any order, meet where one begins with a balance that the other shows on that day.
    """
    ordered = sorted(spans, key=lambda each: (each.first, each.last))
    group = list(range(len(ordered)))
    apart: list[tuple[int, int, Gap]] = []
    for later, earlier in _neighbours(ordered):
        tried = list(_tried(ordered[earlier], ordered[later], told))
        if any(not gap.missing for gap in tried):
            one, other = group[earlier], group[later]
            group = [one if each == other else each for each in group]
        else:
            apart += [(earlier, later, gap) for gap in tried]
    return sorted(_between(group, apart), key=lambda gap: (gap.before, gap.after))


def _between(group: Sequence[int], apart: Sequence[tuple[int, int, Gap]]) -> Iterator[Gap]:
    """Yield for each group of files that meet, but the first, by how much it misses what came before, at the least."""
    seen = set(group[:1])
    for place, of in enumerate(group):
        if of in seen:
            continue
        seen.add(of)
        found = [gap for one, other, gap in apart if group[other] == of and other >= place and group[one] != of]
        if found:
            first = min(gap.before for gap in found)
            yield min((gap for gap in found if gap.before == first), key=lambda gap: abs(gap.missing.dong))


def _neighbours(ordered: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield for each file the earlier ones on its first day, and those that ended last before it: (later, earlier)."""
    running: list[int] = []
    ended: list[int] = []
    for later, span in enumerate(ordered):
        ended += [each for each in running if ordered[each].last < span.first]
        running = [each for each in running if ordered[each].last >= span.first]
        latest = max((ordered[each].last for each in ended), default=None)
        ended = [each for each in ended if ordered[each].last == latest]
        yield from ((later, each) for each in (*running, *ended))
        running.append(later)


def _tried(earlier: Span, later: Span, told: Mapping[date, Money]) -> Iterator[Gap]:
    """Yield the ways in which a file may go on from an earlier one; they meet if one of them misses nothing."""
    if earlier.last < later.first:
        days = range(1, (later.first - earlier.last).days)
        between = total(told.get(earlier.last + each * _DAY, ZERO) for each in days)
        rest = told.get(earlier.last, ZERO) - earlier.moved_on(earlier.last)
        for known in (between, between + rest):  # the rest of its last day, where it ended in the middle of it
            yield Gap(earlier.last, later.first, earlier.closing, later.opening, known)
        return
    day = later.first
    for point in earlier.points(day):
        yield Gap(day, day, point, later.opening, ZERO)
    if earlier.first == day:  # which of the two came first that day is not known
        for point in later.points(day):
            yield Gap(day, day, point, earlier.opening, ZERO)
    if earlier.last == day:
        rest = told.get(day, ZERO) - earlier.moved_on(day) - later.moved_on(day)
        yield Gap(day, day, earlier.closing, later.opening, rest)
