"""Which payment request a bank transfer pays, with the evidence for it (pure).

Only two things identify a request: its reference, read exactly out of the memo, and a virtual account.
A reference that had to be corrected, and anything weaker, is a suggestion for a person and moves no money.
The collecting account never identifies, but must agree. The same function serves the command ``match``
(requests from a file) and the settling of real transfers (requests from the database).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from billing.money import ZERO, Money, total
from billing.payments.allocation import allocate
from billing.payments.reference import find_in
from reconciliation.match_case import Case, Claim, belongs, look_up, open_case, share, spelled, suggest
from reconciliation.matching import (
    BillShare,
    Decision,
    Direction,
    Evidence,
    IncomingTransfer,
    OpenRequest,
    Outcome,
    RequestBook,
    RequestStatus,
)
from reconciliation.memo import Memo
from reconciliation.suggesting import suggest_by_signs

# Looked up for each transfer.
_IN: Final = Direction.IN
_OPEN: Final = RequestStatus.OPEN
_MATCHED: Final = Outcome.MATCHED


def decide(transfer: IncomingTransfer, book: RequestBook) -> Decision:
    """Decide what one transfer pays. It depends on its arguments only; a duplicate is the caller's to see."""
    if transfer.direction is not _IN:
        return Decision(Outcome.REFUSED, (), ("direction_out",))
    if transfer.amount.dong <= 0:
        return Decision(Outcome.REFUSED, (), ("amount_not_positive",))
    memo = Memo(transfer.memo)
    exact, corrected = find_in(memo.folded)
    near = [claim for claim in look_up(book, corrected) if claim.entries] if corrected else []
    if len(exact) != 1:
        return _judge(open_case(transfer, memo, book, look_up(book, exact), near))
    sign = exact[0]
    entries = book.by_reference(sign)
    if len(entries) == 1 and not near and not transfer.virtual_account:
        entry = entries[0]
        if _pays_in_full(transfer, entry):
            return _matched_in_full(memo, sign, entry)
    return _judge(open_case(transfer, memo, book, [Claim(sign, entries)], near))


def _pays_in_full(transfer: IncomingTransfer, entry: OpenRequest) -> bool:
    """Tell whether a transfer pays just what is asked for: most do, and for them the whole case need not be opened."""
    return (
        entry.due.dong == transfer.amount.dong
        and entry.status is _OPEN
        and entry.account == transfer.account
        and (transfer.school is None or transfer.school == entry.school)
    )


def _matched_in_full(memo: Memo, sign: str, entry: OpenRequest) -> Decision:
    """Decide on one exact reference, nothing else that fits, and just the sum that is due, as the long way would."""
    due = entry.due
    evidence: tuple[Evidence, ...] = ("exact_reference", {"due": due.dong}, spelled(memo, sign))
    return Decision(_MATCHED, (share(entry, due),), evidence)


def _judge(case: Case) -> Decision:
    if len(case.named) == 1 or (case.account_claim and not case.named):
        return _judge_one(case)
    if case.named:
        return _judge_several(case)
    return suggest_by_signs(case)


def _judge_one(case: Case) -> Decision:
    """One sign only, or a virtual account and a reference that speak of the same pupil."""
    if _disagrees(case):
        return suggest(case, "virtual_account_disagrees", (*case.named, *_some(case.account_claim)))
    claim = case.named[0] if case.named else case.account_claim
    assert claim is not None  # noqa: S101  the caller looked
    if len(claim.entries) > 1 and len(claim.pupils) > 1:
        return suggest(case, "several_pupils", (claim,))
    here = case.here(claim)
    if not here:
        return suggest(case, _elsewhere(claim, case.transfer), (claim,))
    rule = "exact_reference" if case.named else "virtual_account"
    if payable := [entry for entry in here if entry.payable]:
        return _pay(case, payable, rule)
    return _pay_closed(case, here[0], rule)


def _judge_several(case: Case) -> Decision:
    """Several references: only the exact sum of all of them, open and on this account, is certain."""
    if _disagrees(case):
        return suggest(case, "virtual_account_disagrees", (*case.named, *_some(case.account_claim)))
    groups = [[entry for entry in case.here(claim) if entry.payable] for claim in case.named]
    schools = {entry.school for group in groups for entry in group}
    if not all(groups) or len(schools) > 1 or any(len(claim.pupils) > 1 for claim in case.named):
        return suggest(case, "several_references", case.named)
    entries = _each_once([entry for group in groups for entry in group])
    sum_due = total([entry.due for entry in entries])
    if sum_due.dong != case.transfer.amount.dong:
        return suggest(case, "several_references", case.named, {"sum_due": sum_due.dong})
    shares = tuple(share(entry, entry.due) for entry in entries)
    evidence = case.because("several_exact_references", {"sum_due": sum_due.dong})
    return Decision(Outcome.SPLIT, shares, evidence)


def _each_once(entries: Sequence[OpenRequest]) -> list[OpenRequest]:
    """Leave out a bill that stands in two of the named requests: an older month is asked for again in the newer one."""
    keys = [entry.key for entry in entries]
    return [entry for place, entry in enumerate(entries) if entry.key is None or entry.key not in keys[:place]]


def _pay(case: Case, payable: Sequence[OpenRequest], rule: str) -> Decision:
    """Put the money on open entries, oldest first; what is left over becomes the pupil's credit."""
    amount, due = case.transfer.amount, total([entry.due for entry in payable])
    shares, left = _shares(amount, payable)
    outcome = _MATCHED
    if amount.dong != due.dong:
        outcome = Outcome.PARTIAL if amount.dong < due.dong else Outcome.OVERPAID
    notes: list[Evidence] = [{"due": due.dong}]
    if left and (others := case.book.open_of_family(payable[0].pupil, case.transfer.account)):
        # Not ours to move: the code names one child. A person sees at once where the surplus may belong.
        notes.append({"family_also_due": [{"reference": each.reference, "due": each.due.dong} for each in others]})
    owner = payable[0].pupil if left else None
    return Decision(outcome, shares, case.because(rule, *notes), left, owner)


def _shares(amount: Money, payable: Sequence[OpenRequest]) -> tuple[tuple[BillShare, ...], Money]:
    """Return what each open entry gets, the oldest first, and what is left over."""
    if len(payable) == 1:  # as below; it is most often one
        entry = payable[0]
        if amount.dong <= entry.due.dong:
            return (share(entry, amount),), ZERO
        return (share(entry, entry.due),), amount - entry.due
    parts, left = allocate(amount, [(place, entry.due) for place, entry in enumerate(payable)])
    return tuple([share(payable[part.bill], part.amount) for part in parts]), left


def _pay_closed(case: Case, closed: OpenRequest, rule: str) -> Decision:
    """Pay the pupil's one open entry of just this amount, else keep all of it as the pupil's credit."""
    amount = case.transfer.amount
    note = {"closed": closed.reference, "status": closed.status.value}
    open_entries = [
        entry
        for entry in case.book.open_of_pupil(closed.pupil, closed.account)
        if entry.payable and belongs(entry, case.transfer)
    ]
    fitting = [entry for entry in open_entries if entry.due.dong == amount.dong]
    if len(fitting) == 1:
        evidence = case.because("closed_request_same_amount_open", note, {"rule": rule})
        return Decision(Outcome.MATCHED, (share(fitting[0], amount),), evidence)
    evidence = case.because("closed_request", note, {"rule": rule, "open_of_same_amount": len(fitting)})
    return Decision(Outcome.CREDITED, (), evidence, amount, closed.pupil)


def _elsewhere(claim: Claim, transfer: IncomingTransfer) -> str:
    """Tell why a claim is not payable here; a school that is known to differ says more than its account."""
    if transfer.school is not None and all(entry.school != transfer.school for entry in claim.entries):
        return "another_school"
    same_account = any(entry.account == transfer.account for entry in claim.entries)
    return "another_school" if same_account else "another_account"


def _disagrees(case: Case) -> bool:
    """Tell whether the virtual account belongs to a pupil that no reference in the memo names."""
    if case.account_claim is None or not case.named:
        return False
    return not any(case.account_claim.pupils & claim.pupils for claim in case.named)


def _some(claim: Claim | None) -> tuple[Claim, ...]:
    return () if claim is None else (claim,)
