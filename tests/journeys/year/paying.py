"""How families pay a round (pure): early, on time, late, in parts, too much, twice, in cash, without a code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.journeys.year.events import Pay, moment

# How often of a hundred a family pays in each way; the rest pays nothing this time.
WAYS = {
    "on time": 38,
    "early": 9,
    "late": 9,
    "late with the new code": 5,
    "partly": 11,
    "twice": 7,
    "too much": 6,
    "cash": 5,
    "without a code": 3,
    "together": 3,
}


def payments(random: Random, school: str, pupils: Sequence[str], issued: date) -> Iterator[Pay]:
    """Yield what families pay after a round was issued on a day."""
    for place, pupil in enumerate(pupils):
        way = random.choices([*WAYS, "nothing"], [*WAYS.values(), 100 - sum(WAYS.values())])[0]
        yield from _Family(random, school, pupil, issued).pay(way, pupils[place - 1])


@dataclass(frozen=True, slots=True)
class _Family:
    """Who pays after which day."""

    random: Random
    school: str
    pupil: str
    issued: date

    def pay(self, way: str, other: str) -> Iterator[Pay]:
        if way in {"on time", "nothing", "early", "late", "late with the new code"}:
            yield from self._at_a_time(way)
        elif way == "partly":
            yield replace(self._on(0, 17), percent=self.random.randint(5, 95))
            if self.random.randrange(100) < 70:
                yield self._on(18, 40)
        elif way == "together":
            if other != self.pupil:
                extra = self.random.choice((0, 0, 0, 5_000))
                yield replace(self._on(0, 17), pupils=(self.pupil, other), way="both", extra=extra, told=1)
        else:
            yield replace(self._on(0, 17), **self._oddly(way))

    def _at_a_time(self, way: str) -> Iterator[Pay]:
        if way == "on time":
            yield self._on(0, 17)
        elif way == "early":  # with the last code, before the next round is there
            yield replace(self._on(-2, -1), percent=0, extra=self.random.randint(50_000, 700_000))
        elif way != "nothing":
            yield replace(self._on(31, 45), older=way == "late")

    def _oddly(self, way: str) -> dict[str, Any]:
        oddly: dict[str, dict[str, Any]] = {
            "twice": {"times": 2},
            "too much": {"extra": self.random.randint(1, 400_000)},
            "cash": {"way": "cash", "extra": self.random.choice((0, 0, 20_000))},
            "without a code": {"way": "nocode"},
        }
        return oddly[way]

    def _on(self, first: int, last: int) -> Pay:
        """Return a payment of what is asked for, so many days after the issue; some are told of twice."""
        day = self.issued + timedelta(days=self.random.randint(first, last))
        told = 2 if self.random.randrange(100) < 8 else 1
        at = moment(day, self.random.randint(7, 23), self.random.randrange(60))
        return Pay(at, self.school, (self.pupil,), told=told)
