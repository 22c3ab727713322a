"""By how much an item falls when a pupil's time ends, whatever was changed since it was billed (pure)."""

from __future__ import annotations

from typing import NamedTuple

from billing.money import ZERO, Money


class Shares(NamedTuple):
    """What an item comes to: before anybody's share is taken off, and what family and State carry."""

    gross: Money = ZERO
    family: Money = ZERO
    state: Money = ZERO


def fallen(family: Money, state: Money, was: Shares, now: Shares) -> tuple[Money, Money]:
    """Return what of the family's and the State's share, as billed and not yet given back, was not used.

    ``was``: what would be charged today if the pupil stayed, ``now``: with the end. As long as today's charge is what
    was billed, the difference of the two is exact. Where a reduction or a price was changed since, it would tell of
    that as well; then the part of the gross that falls is the part of each share that was not used, half a đồng up.
    """
    if (was.family, was.state) == (family, state):
        return max(was.family - now.family, ZERO), max(was.state - now.state, ZERO)
    unused = was.gross.dong - now.gross.dong
    if unused <= 0:
        return ZERO, ZERO
    return _part(family, unused, was.gross.dong), _part(state, unused, was.gross.dong)


def _part(share: Money, unused: int, whole: int) -> Money:
    return Money((2 * share.dong * unused + whole) // (2 * whole))
