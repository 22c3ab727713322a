"""Deciding the long way: everything is opened, looked up and weighed, also where one look would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from billing.money import ZERO, Money, total
from billing.payments.allocation import allocate
from billing.payments.reference import FoundReferences
from reconciliation.matching import (
    BillShare,
    Decision,
    Direction,
    Evidence,
    IncomingTransfer,
    OpenRequest,
    Outcome,
    RequestBook,
)
from reconciliation.memo import Memo
from reconciliation.weak_signs import LISTING, WEIGHTS, Lead, Sign, ranks
from tests.reconciliation.long_way.reading import find
from tests.reconciliation.long_way.spelling import Signed, changed, signs_of, written

MAX_CANDIDATES = 20


def weight(signs: Iterable[Signed]) -> int:
    """Add up each kind of sign once; nothing when none of them may list a bill."""
    kinds = {signed.sign for signed in signs}
    return sum(WEIGHTS[kind] for kind in kinds) if kinds & LISTING else 0


def _share(entry: OpenRequest, amount: Money) -> BillShare:
    return BillShare(entry.reference, amount, entry.key, entry.pupil)


@dataclass(frozen=True, slots=True)
class _Claim:
    """Entries that one sign (a reference, or a virtual account) points at."""

    sign: str
    entries: Sequence[OpenRequest]

    @property
    def pupils(self) -> frozenset[str]:
        return frozenset(entry.pupil for entry in self.entries)


@dataclass(frozen=True, slots=True)
class _Case:
    """A transfer, where to look, and what its memo and virtual account say."""

    transfer: IncomingTransfer
    book: RequestBook
    named: tuple[_Claim, ...]
    account_claim: _Claim | None
    corrected: tuple[_Claim, ...]
    edits: tuple[dict[str, object], ...]
    evidence: tuple[Evidence, ...]

    def here(self, claim: _Claim) -> list[OpenRequest]:
        """Keep the entries collected on the account (and by the school) that the money reached."""
        return [entry for entry in claim.entries if _belongs(entry, self.transfer)]

    def because(self, rule: str, *more: Evidence) -> tuple[Evidence, ...]:
        return (rule, *more, *self.evidence)


@dataclass(slots=True)
class _Listed:
    """A bill on the list that a person is shown, why, and how strong that is (the least is the strongest)."""

    entry: OpenRequest
    signs: list[Signed]
    strength: tuple[bool, bool, int, int] = (True, True, 0, 0)


def decide(transfer: IncomingTransfer, book: RequestBook) -> Decision:
    """Decide what one transfer pays. It depends on its arguments only; a duplicate is the caller's to see."""
    if transfer.direction is not Direction.IN:
        return Decision(Outcome.REFUSED, evidence=("direction_out",))
    if transfer.amount <= ZERO:
        return Decision(Outcome.REFUSED, evidence=("amount_not_positive",))
    return _judge(_open_case(transfer, book, find(transfer.memo)))


def _open_case(transfer: IncomingTransfer, book: RequestBook, found: FoundReferences) -> _Case:
    exact = [_Claim(reference, book.by_reference(reference)) for reference in found.exact]
    corrected = [_Claim(reference, book.by_reference(reference)) for reference in found.corrected]
    named = tuple(claim for claim in exact if claim.entries)
    near = tuple(claim for claim in corrected if claim.entries)
    virtual = transfer.virtual_account
    at_account = book.by_virtual_account(virtual) if virtual else ()
    evidence: list[Evidence] = [{"reference": claim.sign, **written(transfer.memo, claim.sign)} for claim in named]
    if never_issued := [claim.sign for claim in exact if not claim.entries]:
        evidence.append({"never_issued": never_issued})
    if virtual:
        evidence.append({"virtual_account": virtual, "known": bool(at_account)})
    edits = tuple(_near(transfer, claim) for claim in near)
    if edits:
        evidence.append({"also_fits" if named else "corrected": list(edits)})
    claim = _Claim(virtual, at_account) if virtual and at_account else None
    return _Case(transfer, book, named, claim, near, edits, tuple(evidence))


def _near(transfer: IncomingTransfer, claim: _Claim) -> dict[str, object]:
    return {**changed(transfer.memo, claim.sign)}


def _judge(case: _Case) -> Decision:
    if len(case.named) == 1 or (case.account_claim and not case.named):
        return _judge_one(case)
    if case.named:
        return _judge_several(case)
    return _suggest_by_signs(case)


def _judge_one(case: _Case) -> Decision:
    """One sign only, or a virtual account and a reference that speak of the same pupil."""
    if _disagrees(case):
        return _suggest(case, "virtual_account_disagrees", (*case.named, *_some(case.account_claim)))
    claim = (*case.named, *_some(case.account_claim))[0]
    if len(claim.pupils) > 1:
        return _suggest(case, "several_pupils", (claim,))
    here = case.here(claim)
    if not here:
        return _suggest(case, _elsewhere(claim, case.transfer), (claim,))
    rule = "exact_reference" if case.named else "virtual_account"
    if payable := [entry for entry in here if entry.payable]:
        return _pay(case, payable, rule)
    return _pay_closed(case, here[0], rule)


def _judge_several(case: _Case) -> Decision:
    """Several references: only the exact sum of all of them, open and on this account, is certain."""
    if _disagrees(case):
        return _suggest(case, "virtual_account_disagrees", (*case.named, *_some(case.account_claim)))
    groups = [[entry for entry in case.here(claim) if entry.payable] for claim in case.named]
    schools = {entry.school for group in groups for entry in group}
    if not all(groups) or len(schools) > 1 or any(len(claim.pupils) > 1 for claim in case.named):
        return _suggest(case, "several_references", case.named)
    entries = _each_once([entry for group in groups for entry in group])
    sum_due = total(entry.due for entry in entries)
    if sum_due != case.transfer.amount:
        return _suggest(case, "several_references", case.named, {"sum_due": sum_due.dong})
    shares = tuple(_share(entry, entry.due) for entry in entries)
    evidence = case.because("several_exact_references", {"sum_due": sum_due.dong})
    return Decision(Outcome.SPLIT, shares, evidence=evidence)


def _each_once(entries: Sequence[OpenRequest]) -> list[OpenRequest]:
    """Leave out a bill that stands in two of the named requests: an older month is asked for again in the newer one."""
    keys = [entry.key for entry in entries]
    return [entry for place, entry in enumerate(entries) if entry.key is None or entry.key not in keys[:place]]


def _pay(case: _Case, payable: Sequence[OpenRequest], rule: str) -> Decision:
    """Put the money on open entries, oldest first; what is left over becomes the pupil's credit."""
    amount, due = case.transfer.amount, total(entry.due for entry in payable)
    parts, left = allocate(amount, [(place, entry.due) for place, entry in enumerate(payable)])
    shares = [_share(payable[part.bill], part.amount) for part in parts]
    outcome = Outcome.MATCHED
    if amount != due:
        outcome = Outcome.PARTIAL if amount < due else Outcome.OVERPAID
    notes: list[Evidence] = [{"due": due.dong}]
    if left and (others := case.book.open_of_family(payable[0].pupil, case.transfer.account)):
        # Not ours to move: the code names one child. A person sees at once where the surplus may belong.
        notes.append({"family_also_due": [{"reference": each.reference, "due": each.due.dong} for each in others]})
    owner = payable[0].pupil if left else None
    return Decision(outcome, tuple(shares), case.because(rule, *notes), left, owner)


def _pay_closed(case: _Case, closed: OpenRequest, rule: str) -> Decision:
    """Pay the pupil's one open entry of just this amount, else keep all of it as the pupil's credit."""
    amount = case.transfer.amount
    note = {"closed": closed.reference, "status": closed.status.value}
    open_entries = [
        entry
        for entry in case.book.open_of_pupil(closed.pupil, closed.account)
        if entry.payable and _belongs(entry, case.transfer)
    ]
    fitting = [entry for entry in open_entries if entry.due == amount]
    if len(fitting) == 1:
        share = _share(fitting[0], amount)
        evidence = case.because("closed_request_same_amount_open", note, {"rule": rule})
        return Decision(Outcome.MATCHED, (share,), evidence=evidence)
    evidence = case.because("closed_request", note, {"rule": rule, "open_of_same_amount": len(fitting)})
    return Decision(Outcome.CREDITED, (), evidence, amount, closed.pupil)


def _suggest(case: _Case, rule: str, claims: Iterable[_Claim], *more: Evidence) -> Decision:
    """Move nothing; list the candidates, likeliest first, each reference once."""
    transfer = case.transfer
    entries = [entry for claim in claims for entry in claim.entries]
    ranked = sorted(entries, key=lambda entry: _weakness(entry, transfer))
    candidates: dict[str, BillShare] = {}
    for entry in ranked:
        candidates.setdefault(entry.reference, _share(entry, ZERO))
    return Decision(
        Outcome.SUGGESTED,
        tuple(candidates.values())[:MAX_CANDIDATES],
        evidence=case.because(rule, *more),
    )


def _suggest_by_signs(case: _Case) -> Decision:
    """Move nothing; list the bills that a corrected reference or a weaker sign leads to, the strongest first.

    Each has its signs as evidence. Equally strong ones have the same rank: a person chooses between them unaided.
    """
    allowed = case.book.suggest_by()
    listed: list[_Listed] = []
    if Sign.CORRECTED in allowed:
        for claim, edit in zip(case.corrected, case.edits, strict=True):
            listed += [_Listed(entry, [Signed(Sign.CORRECTED, edit)]) for entry in claim.entries]
    for lead in case.book.leads(case.transfer, Memo(case.transfer.memo)):
        more = signs_of(case.transfer.memo, lead, allowed)
        if more:
            _lead_on(case, listed, lead, more)
    if not listed:
        return Decision(Outcome.UNMATCHED, evidence=case.because("nothing_found"))
    return _ranked(case, listed, allowed)


def _lead_on(case: _Case, listed: list[_Listed], lead: Lead, signs: Sequence[Signed]) -> None:
    """Put a pupil's open bills on the list with some signs, or add these to what is on it already."""
    mine = [each for each in listed if each.entry.pupil == lead.pupil]
    for each in mine:
        each.signs += signs
    known = [each.entry for each in mine]
    others = case.book.open_of_pupil(lead.pupil, case.transfer.account)
    listed += [_Listed(entry, [*signs]) for entry in others if entry not in known]


def _ranked(case: _Case, listed: Sequence[_Listed], allowed: frozenset[Sign]) -> Decision:
    """Rank by place, state and strength; inside one pupil's equally strong bills the oldest first."""
    transfer = case.transfer
    turn: Counter[str] = Counter()
    for each in listed:
        entry = each.entry
        if Sign.AMOUNT in allowed and entry.due == transfer.amount:
            each.signs.append(Signed(Sign.AMOUNT, {"due": entry.due.dong}))
        each.strength = (not _belongs(entry, transfer), not entry.payable, -weight(each.signs), turn[entry.pupil])
        turn[entry.pupil] += 1
    best: dict[str, _Listed] = {}
    for each in sorted(listed, key=attrgetter("strength")):
        best.setdefault(each.entry.reference, each)
    chosen = list(best.values())[:MAX_CANDIDATES]
    told = [
        {"reference": each.entry.reference, "rank": rank, "signs": [signed.told() for signed in each.signs]}
        for each, rank in zip(chosen, ranks([each.strength for each in chosen]), strict=True)
    ]
    rule = "corrected_reference" if case.corrected and Sign.CORRECTED in allowed else "weaker_signs"
    evidence = (*case.because(rule), {"candidates": told})
    return Decision(Outcome.SUGGESTED, tuple(_share(each.entry, ZERO) for each in chosen), evidence=evidence)


def _weakness(entry: OpenRequest, transfer: IncomingTransfer) -> tuple[bool, bool, bool]:
    """Rank candidates: on the right account first, then open, then of just this amount."""
    return not _belongs(entry, transfer), not entry.payable, entry.due != transfer.amount


def _belongs(entry: OpenRequest, transfer: IncomingTransfer) -> bool:
    return entry.account == transfer.account and transfer.school in (None, entry.school)


def _elsewhere(claim: _Claim, transfer: IncomingTransfer) -> str:
    """Tell why a claim is not payable here; a school that is known to differ says more than its account."""
    if transfer.school is not None and all(entry.school != transfer.school for entry in claim.entries):
        return "another_school"
    same_account = any(entry.account == transfer.account for entry in claim.entries)
    return "another_school" if same_account else "another_account"


def _disagrees(case: _Case) -> bool:
    """Tell whether the virtual account belongs to a pupil that no reference in the memo names."""
    if case.account_claim is None or not case.named:
        return False
    return not any(case.account_claim.pupils & claim.pupils for claim in case.named)


def _some(claim: _Claim | None) -> tuple[_Claim, ...]:
    return () if claim is None else (claim,)
