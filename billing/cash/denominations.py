"""Notes of đồng in a till, by face value (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from billing.money import Money, total

# The notes in circulation, the largest first; coins are not used any more.
DENOMINATIONS = (500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100)
MOST_NOTES = 100_000


def counted(notes: Mapping[int, int]) -> Money:
    """Return what notes come to, by face value and how many; raises ``ValueError`` for what is no note or number."""
    for face, number in notes.items():
        if face not in DENOMINATIONS or not 0 <= number <= MOST_NOTES:
            raise ValueError(f"{number} notes of {face} đ")
    return total(Money(face * number) for face, number in notes.items())
