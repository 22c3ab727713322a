"""Numbers that are missing in a book, as runs (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers one after another, both ends included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1


def missing_runs(first: int, used: Iterable[int]) -> list[Run]:
    """Return the numbers from ``first`` up to the highest used one that are not used, as runs, in order."""
    runs, expected = [], first
    for number in sorted(set(used)):
        if number > expected:
            runs.append(Run(expected, number - 1))
        expected = max(expected, number + 1)
    return runs
