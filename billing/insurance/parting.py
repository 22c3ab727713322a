"""What bought months come to when some of them are given back: amounts by payer that always add up (pure)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from billing.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts by payer; ``others`` are school and donors. May be below zero where something is taken back."""

    state: Money = ZERO
    province: Money = ZERO
    others: Money = ZERO
    family: Money = ZERO

    @property
    def gross(self) -> Money:
        """All payers together."""
        return total(getattr(self, field.name) for field in fields(self))

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))

    def part(self, months: int, of: int) -> Amounts:
        """Return what ``months`` of the ``of`` bought months come to; the part and the rest are the whole."""
        return Amounts(*(part(getattr(self, each.name), months, of) for each in fields(self)))


def part(amount: Money, months: int, of: int) -> Money:
    """Return the share of some months in an amount for ``of`` months; exact where each month costs the same."""
    if not 0 <= months <= of or not of:
        raise ValueError(f"{months} of {of} months")
    return amount.split([months, of - months])[0]


def summed(amounts: list[Amounts]) -> Amounts:
    """Return the sums by payer."""
    done = Amounts()
    for each in amounts:
        done += each
    return done
