"""Ranking what a transfer without an exact reference may pay, for a person to choose from (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from billing.money import ZERO
from reconciliation.match_case import MAX_CANDIDATES, Case, belongs, share
from reconciliation.matching import BillShare, Decision, IncomingTransfer, OpenRequest, Outcome
from reconciliation.weak_signs import AMOUNT, CORRECTED, Signed, bits_of, signs_among, weight_of

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

_SUGGESTED: Final = Outcome.SUGGESTED
_UNMATCHED: Final = Outcome.UNMATCHED
_ELSEWHERE: Final = 1 << 41
_NOT_PAYABLE: Final = 1 << 40
_PER_WEIGHT: Final = 1 << 32  # no pupil has as many bills
_MOST_WEIGHT: Final = 64


class _Listed:
    """A bill on the list that a person is shown, why, and how weak that is: one number, the least is the strongest."""

    __slots__ = ("entry", "kinds", "told", "turn", "weakness")

    def __init__(self, entry: OpenRequest, kinds: i64, told: list[dict[str, object]]) -> None:
        self.entry: OpenRequest = entry
        self.kinds: i64 = kinds
        self.told: list[dict[str, object]] = told
        self.turn: i64 = 0
        self.weakness: i64 = 0


def suggest_by_signs(case: Case) -> Decision:
    """Move nothing; list the bills that a corrected reference or a weaker sign leads to, the strongest first.

    Each has its signs as evidence. Equally strong ones have the same rank: a person chooses between them unaided.
    """
    allowed = bits_of(case.book.suggest_by())
    listed: list[_Listed] = []
    if allowed & CORRECTED and case.corrected:
        _list_corrected(case, listed)
    rule = "corrected_reference" if listed else "weaker_signs"
    for lead in case.book.leads(case.transfer, case.memo):
        signs = signs_among(case.memo, lead, allowed)
        if signs.told:
            _lead_on(case, listed, lead.pupil, signs)
    if not listed:
        return Decision(_UNMATCHED, (), case.because("nothing_found"))
    _weigh(case.transfer, listed, by_amount=allowed & AMOUNT != 0)
    _sort(listed)
    return _suggested(case, rule, listed)


def _suggested(case: Case, rule: str, listed: list[_Listed]) -> Decision:
    """Show each reference once, with the strongest of its bills."""
    bills: list[BillShare] = []
    candidates: list[dict[str, object]] = []
    shown: list[str] = []
    rank = 0
    last: i64 = -1
    for each in listed:
        reference = each.entry.reference
        if reference in shown:
            continue
        shown.append(reference)
        if each.weakness != last:
            rank = len(shown)
            last = each.weakness
        candidates.append({"reference": reference, "rank": rank, "signs": each.told})
        bills.append(share(each.entry, ZERO))
        if len(shown) == MAX_CANDIDATES:
            break
    return Decision(_SUGGESTED, tuple(bills), (*case.because(rule), {"candidates": candidates}))


def _list_corrected(case: Case, listed: list[_Listed]) -> None:
    for place, claim in enumerate(case.corrected):
        told: dict[str, object] = {"sign": "corrected", **case.edits[place]}
        listed += [_Listed(entry, CORRECTED, [told]) for entry in claim.entries]


def _lead_on(case: Case, listed: list[_Listed], pupil: str, signs: Signed) -> None:
    """Put a pupil's open bills on the list with some signs, or add these to what is on it already."""
    before: i64 = len(listed)
    for each in listed:
        if each.entry.pupil == pupil:
            each.kinds |= signs.kinds
            each.told += signs.told
    for entry in case.book.open_of_pupil(pupil, case.transfer.account):
        if not _stands_in(listed, before, entry):
            listed.append(_Listed(entry, signs.kinds, signs.told[:]))


def _stands_in(listed: list[_Listed], before: i64, entry: OpenRequest) -> bool:
    place: i64 = 0
    while place < before:
        each = listed[place].entry
        # To compare all of two bills takes as long as all the rest; few have the same reference.
        if each is entry or (each.reference == entry.reference and each == entry):
            return True
        place += 1
    return False


def _weigh(transfer: IncomingTransfer, listed: list[_Listed], *, by_amount: bool) -> None:
    """Weigh by place, state and signs; inside one pupil's equally strong bills the oldest is the strongest."""
    amount = transfer.amount.dong
    place: i64 = 0
    while place < len(listed):
        each = listed[place]
        entry = each.entry
        due = entry.due.dong
        if by_amount and due == amount:
            each.kinds |= AMOUNT
            each.told.append({"sign": "amount", "due": amount})
        each.turn = _turn(listed, place)
        each.weakness = (_MOST_WEIGHT - weight_of(each.kinds)) * _PER_WEIGHT + each.turn
        if not entry.payable:
            each.weakness += _NOT_PAYABLE
        if not belongs(entry, transfer):
            each.weakness += _ELSEWHERE
        place += 1


def _turn(listed: list[_Listed], place: i64) -> i64:
    """Return how many bills of the same pupil stand before a place; most stand side by side."""
    pupil = listed[place].entry.pupil
    before: i64 = place - 1
    while before >= 0:
        if listed[before].entry.pupil == pupil:
            return listed[before].turn + 1
        before -= 1
    return 0


def _sort(listed: list[_Listed]) -> None:
    """Sort by weakness, equal ones as they stand: there are few, and they are nearly sorted."""
    place: i64 = 1
    while place < len(listed):
        each = listed[place]
        to: i64 = place
        while to > 0 and listed[to - 1].weakness > each.weakness:
            listed[to] = listed[to - 1]
            to -= 1
        listed[to] = each
        place += 1
