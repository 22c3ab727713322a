"""Money in whole đồng (pure): add, compare, multiply by a count, split without losing a đồng."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """A whole number of đồng; may be negative where a difference is meant.

    The đồng has no decimals (ISO 4217 exponent 0). Floats, bools and strings are refused when built:
    an amount that cannot be read is an error and never a guess.
    """

    dong: int

    def __post_init__(self) -> None:
        if type(self.dong) is not int:
            raise TypeError(f"Money takes a whole number of đồng, not {self.dong!r}")

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.dong + other.dong)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.dong - other.dong)

    def __neg__(self) -> Money:
        return Money(-self.dong)

    def __mul__(self, count: int) -> Money:
        if type(count) is not int:
            return NotImplemented
        return Money(self.dong * count)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return self.dong != 0

    def __str__(self) -> str:
        """Return the amount as families read it: ``1.250.000 đ``."""
        return f"{self.dong:,} đ".replace(",", ".")

    def percent(self, percent: int) -> Money:
        """Return ``percent`` hundredths of this amount, half a đồng rounded up (away from zero)."""
        if type(percent) is not int:
            raise TypeError(f"a percentage is a whole number, not {percent!r}")
        sign = -1 if self.dong * percent < 0 else 1
        return Money(sign * ((abs(self.dong * percent) * 2 + 100) // 200))

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Split by weights so that the parts add up to the whole; the largest remainders get the last đồng.

        Raises ``ValueError`` when there is no weight, a negative one, or only zeros.
        """
        total = sum(weights)
        if not weights or min(weights) < 0 or total == 0:
            raise ValueError("weights must be at least one, none negative, not all zero")
        sign = -1 if self.dong < 0 else 1
        shares = [divmod(abs(self.dong) * weight, total) for weight in weights]
        missing = abs(self.dong) - sum(whole for whole, _ in shares)
        by_remainder = sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))
        extra = set(by_remainder[:missing])
        return [Money(sign * (whole + (i in extra))) for i, (whole, _) in enumerate(shares)]


ZERO = Money(0)


def total(amounts: Iterable[Money]) -> Money:
    """Add up amounts; nothing adds up to 0 đ."""
    return Money(sum([amount.dong for amount in amounts]))  # a list: a third faster, and added up millions of times
