"""Ranking what a transfer without an exact reference may pay, for a person to choose from (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from billing.money import ZERO
from reconciliation.match_case import MAX_CANDIDATES, Case, belongs, share
from reconciliation.matching import Decision, IncomingTransfer, OpenRequest, Outcome
from reconciliation.weak_signs import Lead, Sign, Signed, ranks, signs_of, weight

_CORRECTED, _AMOUNT = Sign.CORRECTED, Sign.AMOUNT
_SUGGESTED = Outcome.SUGGESTED


@dataclass(slots=True)
class _Listed:
    """A bill on the list that a person is shown, why, and how strong that is (the least is the strongest)."""

    entry: OpenRequest
    signs: list[Signed]
    strength: tuple[bool, bool, int, int] = (True, True, 0, 0)


def suggest_by_signs(case: Case) -> Decision:
    """Move nothing; list the bills that a corrected reference or a weaker sign leads to, the strongest first.

    Each has its signs as evidence. Equally strong ones have the same rank: a person chooses between them unaided.
    """
    allowed = case.book.suggest_by()
    corrected = bool(case.corrected) and _CORRECTED in allowed
    listed: list[_Listed] = []
    if corrected:
        for claim, edit in zip(case.corrected, case.edits, strict=True):
            listed += [_Listed(entry, [Signed(_CORRECTED, edit)]) for entry in claim.entries]
    for lead in case.book.leads(case.transfer):
        more = signs_of(case.transfer.memo, lead, allowed)
        if more:
            _lead_on(case, listed, lead, more)
    if not listed:
        return Decision(Outcome.UNMATCHED, evidence=case.because("nothing_found"))
    chosen = _ranked(case.transfer, listed, by_amount=_AMOUNT in allowed)
    told = [
        {"reference": each.entry.reference, "rank": rank, "signs": [signed.told() for signed in each.signs]}
        for each, rank in zip(chosen, ranks([each.strength for each in chosen]), strict=True)
    ]
    evidence = (*case.because("corrected_reference" if corrected else "weaker_signs"), {"candidates": told})
    return Decision(_SUGGESTED, tuple([share(each.entry, ZERO) for each in chosen]), evidence=evidence)


def _lead_on(case: Case, listed: list[_Listed], lead: Lead, signs: Sequence[Signed]) -> None:
    """Put a pupil's open bills on the list with some signs, or add these to what is on it already."""
    pupil = lead.pupil
    mine = [each for each in listed if each.entry.pupil == pupil]
    for each in mine:
        each.signs += signs
    known = [each.entry for each in mine]
    others = case.book.open_of_pupil(pupil, case.transfer.account)
    listed += [_Listed(entry, [*signs]) for entry in others if not known or entry not in known]


def _ranked(transfer: IncomingTransfer, listed: Sequence[_Listed], *, by_amount: bool) -> list[_Listed]:
    """Rank by place, state and strength; inside one pupil's equally strong bills the oldest first."""
    turns: dict[str, int] = {}
    amount = transfer.amount.dong
    for each in listed:
        entry = each.entry
        if by_amount and entry.due.dong == amount:
            each.signs.append(Signed(_AMOUNT, {"due": amount}))
        turn = turns[entry.pupil] = turns.get(entry.pupil, -1) + 1
        each.strength = (not belongs(entry, transfer), not entry.payable, -weight(each.signs), turn)
    best: dict[str, _Listed] = {}
    for each in sorted(listed, key=attrgetter("strength")):
        best.setdefault(each.entry.reference, each)
    return list(best.values())[:MAX_CANDIDATES]
