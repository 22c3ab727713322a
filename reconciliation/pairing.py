"""Whether two messages tell of one movement of money, and which of many belong together (pure).

A callback and a line of a statement carry no common key. What speaks for one movement is, in this order, the bank's
own reference, the memo, and the payment references in the memo. What speaks against it is never outweighed by an
equal sum: at a school most families pay the same sum on the same day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeAlias

from billing.payments.reference import find, fold_memo

DAY_APART = timedelta(days=1)  # a bank may book in the morning what came at night
_NUMBERING = re.compile("[A-Z]*")
_Evidence: TypeAlias = str | frozenset[str] | tuple[date]
TELLING_LENGTH = 6  # a shorter one is a row's number on a page, not the bank's number of a movement


@dataclass(frozen=True, slots=True)
class Told:
    """What one message tells of a movement whose sum and direction are known to be equal.

    ``memo`` and ``bank_reference`` are folded, ``codes`` the exact payment references. ``booked`` tells that the
    bank's statement gave the day; else it is the day of the moment, which may be one day off.
    """

    day: date
    at: datetime
    memo: str
    bank_reference: str
    codes: frozenset[str]
    booked: bool


class Likeness(NamedTuple):
    """How much speaks for one movement: the smallest is the likest."""

    other_bank_reference: bool
    other_memo: bool
    other_codes: bool
    days_apart: int


def told(day: date, at: datetime, memo: str, bank_reference: str | None, *, booked: bool) -> Told:
    """Fold what a message tells, so that two spellings of one thing are equal."""
    codes = frozenset(find(memo).exact)
    return Told(day, at, fold_memo(memo), fold_memo(bank_reference or ""), codes, booked)


def likeness(one: Told, other: Told) -> Likeness | None:
    """Return how alike two messages of one sum are, or None when they cannot be about one movement.

    A day apart something must speak for it: the next day's equal sum is usually another family's.
    """
    if _speaks_against(one, other):
        return None
    same_reference = bool(one.bank_reference) and one.bank_reference == other.bank_reference
    same_memo = one.memo == other.memo
    same_codes = bool(one.codes) and one.codes == other.codes
    apart = abs(one.day - other.day)
    known = same_reference or same_codes or (same_memo and bool(one.memo))
    if apart > DAY_APART or (apart and (not known or (one.booked and other.booked))):
        return None
    return Likeness(not same_reference, not same_memo, not same_codes, apart.days)


def pair(lines: Sequence[Told], others: Sequence[Told]) -> dict[int, int]:
    """Return for each line, by its place, the place of the other message about its movement; each at most once.

    The best evidence of all goes first, whatever the order of the lines.
    """
    pairs: dict[int, int] = {}
    for evidence in _EVIDENCE:
        _pair_by(evidence, lines, others, pairs)
    return pairs


_EVIDENCE: tuple[Callable[[Told], _Evidence], ...] = (
    lambda each: each.bank_reference,
    lambda each: each.memo,
    lambda each: each.codes,
    lambda each: (each.day,),  # a tuple is never empty
)


def _pair_by(
    evidence: Callable[[Told], _Evidence], lines: Sequence[Told], others: Sequence[Told], pairs: dict[int, int]
) -> None:
    """Pair what is still alone and shares a piece of evidence, the likest first."""
    taken = set(pairs.values())
    free: dict[_Evidence, list[int]] = defaultdict(list)
    for place, other in enumerate(others):
        if place not in taken and evidence(other):
            free[evidence(other)].append(place)
    ranked = []
    for place, line in enumerate(lines):
        for candidate in free.get(evidence(line), ()) if place not in pairs else ():
            alike = likeness(line, others[candidate])
            if alike is not None:
                ranked.append((alike, others[candidate].at, place, candidate))
    for _, _, place, candidate in sorted(ranked):
        if place not in pairs and candidate not in taken:
            pairs[place] = candidate
            taken.add(candidate)


def _speaks_against(one: Told, other: Told) -> bool:
    """Tell whether two messages name different movements."""
    if one.codes and other.codes and not one.codes & other.codes:
        return True
    if one.bank_reference == other.bank_reference != "":
        return False
    if _of_one_numbering(one.bank_reference, other.bank_reference):
        return True
    # A code that one memo lacks was cut off, and then the rest is alike; or it is another family's memo.
    return one.codes != other.codes and one.memo not in other.memo and other.memo not in one.memo


def _of_one_numbering(one: str, other: str) -> bool:
    """Tell whether two bank references can be compared: feeds of one bank may each have numbers of their own."""
    return len(one) == len(other) >= TELLING_LENGTH and _letters(one) == _letters(other)


def _letters(bank_reference: str) -> str:
    found = _NUMBERING.match(bank_reference)
    return found.group() if found else ""
