"""A bill in dated parts: how it is split, and what of it is asked for on a day (pure).

Money pays the first part first. A credit note takes from the last part first, so that what is due soon stays known.
A bill without parts is one part, due on the bill's day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

from billing.errors import Refused
from billing.money import ZERO, Money, total

WHOLE = 100


@dataclass(frozen=True, slots=True)
class Share:
    """A part that every bill of a round is split into: whole hundredths of the bill, due on a day."""

    due_on: date
    percent: int


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of one bill, numbered from 1."""

    number: int
    amount: Money
    due_on: date


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a bill is to be paid now: up to part ``number`` of ``parts``, by a day; ``later`` comes after that."""

    amount: Money
    number: int
    parts: int
    due_on: date
    later: Money


def check_shares(shares: Sequence[Share]) -> tuple[Share, ...]:
    """Return the shares in the order of their days; raises ``Refused`` unless they make up the whole."""
    ordered = tuple(sorted(shares, key=lambda share: share.due_on))
    if not ordered:
        return ()
    if len(ordered) == 1 or any(share.percent < 1 for share in ordered):
        raise Refused("Chia đợt nộp cần từ hai đợt, mỗi đợt từ 1 %.")
    if sum(share.percent for share in ordered) != WHOLE:
        raise Refused(f"Các đợt nộp cộng lại phải là 100 %, đang là {sum(share.percent for share in ordered)} %.")
    if any(earlier.due_on == later.due_on for earlier, later in pairwise(ordered)):
        raise Refused("Hai đợt nộp không được cùng hạn nộp.")
    return ordered


def shares_from(stored: Iterable[Mapping[str, Any]]) -> tuple[Share, ...]:
    """Return the shares that a round keeps as JSON."""
    return tuple(Share(date.fromisoformat(each["due_on"]), int(each["percent"])) for each in stored)


def shares_as_json(shares: Iterable[Share]) -> list[dict[str, Any]]:
    """Return shares as a round keeps them."""
    return [{"due_on": share.due_on.isoformat(), "percent": share.percent} for share in shares]


def split_due(due: Money, shares: Sequence[Share]) -> tuple[Instalment, ...]:
    """Split what a family owes by the shares, to the đồng; nothing for 0 đ. A part of 0 đ is left out."""
    if not due or not shares:
        return ()
    parts = due.split([share.percent for share in shares])
    kept = [(amount, share.due_on) for amount, share in zip(parts, shares, strict=True) if amount]
    return tuple(Instalment(number, amount, due_on) for number, (amount, due_on) in enumerate(kept, 1))


def asked_on(parts: Sequence[Instalment], credited: Money, paid: Money, today: date) -> Asked:
    """Return what of a bill is asked for: all parts due by today that are not yet paid, or else the next open one.

    ``credited`` and ``paid`` are of the whole bill, together at most the sum of the parts.
    """
    lowered = _lowered(parts, credited)
    rest = total(part.amount for part in lowered) - paid
    reached = [part for part in lowered if part.due_on <= today]
    if total(part.amount for part in reached) <= paid:
        reached = _up_to_next_open(lowered, paid)
    last = reached[-1] if reached else lowered[-1]
    amount = total(part.amount for part in reached) - paid if rest else ZERO
    return Asked(amount, last.number, len(parts), last.due_on, rest - amount)


def coming_after(parts: Sequence[Instalment], credited: Money, paid: Money, today: date) -> tuple[Instalment, ...]:
    """Return the parts that come after what is asked for on a day; together they are ``Asked.later``."""
    asked = asked_on(parts, credited, paid, today)
    return tuple(part for part in _lowered(parts, credited) if part.number > asked.number and part.amount)


def _lowered(parts: Sequence[Instalment], credited: Money) -> list[Instalment]:
    """Take a credit from the last parts first."""
    left, lowered = credited, []
    for part in reversed(parts):
        off = min(left, part.amount)
        left -= off
        lowered.append(replace(part, amount=part.amount - off))
    return lowered[::-1]


def _up_to_next_open(parts: Sequence[Instalment], paid: Money) -> list[Instalment]:
    """Return the first parts up to the first that is not fully paid; none when all are."""
    before = ZERO
    for place, part in enumerate(parts, 1):
        before += part.amount
        if before > paid:
            return list(parts[:place])
    return []
