"""Ranking what a transfer without an exact reference may pay, for a person to choose from (pure)."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from billing.money import ZERO
from reconciliation.match_case import MAX_CANDIDATES, Case, belongs, share
from reconciliation.matching import Decision, IncomingTransfer, OpenRequest, Outcome, decided
from reconciliation.weak_signs import Sign, Signed, ranks, signs_of

_CORRECTED: Final = Sign.CORRECTED
_AMOUNT: Final = Sign.AMOUNT
_SUGGESTED: Final = Outcome.SUGGESTED


class _Listed:
    """A bill on the list that a person is shown, why, and how strong that is (the least is the strongest)."""

    __slots__ = ("entry", "signs", "strength")

    def __init__(self, entry: OpenRequest) -> None:
        self.entry: OpenRequest = entry
        self.signs: Signed = Signed()
        self.strength: tuple[bool, bool, int, int] = (True, True, 0, 0)


def suggest_by_signs(case: Case) -> Decision:
    """Move nothing; list the bills that a corrected reference or a weaker sign leads to, the strongest first.

    Each has its signs as evidence. Equally strong ones have the same rank: a person chooses between them unaided.
    """
    allowed = case.book.suggest_by()
    listed: list[_Listed] = []
    if _CORRECTED in allowed:
        _list_corrected(case, listed)
    rule = "corrected_reference" if listed else "weaker_signs"
    for lead in case.book.leads(case.transfer, case.memo):
        signs = signs_of(case.memo, lead, allowed)
        if signs.told:
            _lead_on(case, listed, lead.pupil, signs)
    if not listed:
        return decided(Outcome.UNMATCHED, (), case.because("nothing_found"))
    chosen = _ranked(case.transfer, listed, by_amount=_AMOUNT in allowed)
    places = ranks([each.strength for each in chosen])
    candidates = [
        {"reference": each.entry.reference, "rank": places[place], "signs": each.signs.told}
        for place, each in enumerate(chosen)
    ]
    evidence = (*case.because(rule), {"candidates": candidates})
    return decided(_SUGGESTED, tuple([share(each.entry, ZERO) for each in chosen]), evidence)


def _list_corrected(case: Case, listed: list[_Listed]) -> None:
    for place, claim in enumerate(case.corrected):
        told = {"sign": "corrected", **case.edits[place]}
        for entry in claim.entries:
            each = _Listed(entry)
            each.signs.add(_CORRECTED, told)
            listed.append(each)


def _lead_on(case: Case, listed: list[_Listed], pupil: str, signs: Signed) -> None:
    """Put a pupil's open bills on the list with some signs, or add these to what is on it already."""
    known: list[OpenRequest] = []
    for each in listed:
        if each.entry.pupil == pupil:
            known.append(each.entry)
            each.signs.add_all(signs)
    for entry in case.book.open_of_pupil(pupil, case.transfer.account):
        if not _stands_in(known, entry):
            each = _Listed(entry)
            each.signs.add_all(signs)
            listed.append(each)


def _stands_in(known: list[OpenRequest], entry: OpenRequest) -> bool:
    for each in known:  # noqa: SIM110  any() would make a generator of it, for each bill
        # To compare all of two bills takes as long as all the rest; few have the same reference.
        if each is entry or (each.reference == entry.reference and each == entry):
            return True
    return False


def _ranked(transfer: IncomingTransfer, listed: list[_Listed], *, by_amount: bool) -> list[_Listed]:
    """Rank by place, state and strength; inside one pupil's equally strong bills the oldest first."""
    turns: dict[str, int] = {}
    amount = transfer.amount.dong
    for each in listed:
        entry = each.entry
        if by_amount and entry.due.dong == amount:
            each.signs.add(_AMOUNT, {"sign": "amount", "due": amount})
        pupil = entry.pupil
        turn = turns.get(pupil, 0)
        turns[pupil] = turn + 1
        each.strength = (not belongs(entry, transfer), not entry.payable, -each.signs.weight, turn)
    best: dict[str, _Listed] = {}
    for each in sorted(listed, key=attrgetter("strength")) if len(listed) > 1 else listed:
        best.setdefault(each.entry.reference, each)
    return list(best.values())[:MAX_CANDIDATES]
