"""A transfer with everything that its memo and its virtual account point at, before anything is decided (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from billing.money import ZERO, Money
from reconciliation.matching import (
    BillShare,
    Decision,
    Evidence,
    IncomingTransfer,
    OpenRequest,
    Outcome,
    RequestBook,
)
from reconciliation.memo import Memo
from reconciliation.spelling import Changed, changed

MAX_CANDIDATES: Final = 20


class Claim:
    """Entries that one sign (a reference, or a virtual account) points at."""

    __slots__ = ("entries", "sign")

    def __init__(self, sign: str, entries: tuple[OpenRequest, ...]) -> None:
        self.sign: str = sign
        self.entries: tuple[OpenRequest, ...] = entries

    @property
    def pupils(self) -> frozenset[str]:
        """Return whose entries they are."""
        return frozenset([entry.pupil for entry in self.entries])


class Case:
    """A transfer, where to look, and what its memo and virtual account say.

    ``named``: exact references that were issued; ``corrected``: issued ones that are one edit away, each with its
    edit at the same place of ``edits``. ``evidence``: what was read, for whatever is decided.
    """

    __slots__ = ("account_claim", "book", "corrected", "edits", "evidence", "memo", "named", "transfer")

    def __init__(self, transfer: IncomingTransfer, memo: Memo, book: RequestBook, named: tuple[Claim, ...]) -> None:
        self.transfer: IncomingTransfer = transfer
        self.memo: Memo = memo
        self.book: RequestBook = book
        self.named: tuple[Claim, ...] = named
        self.account_claim: Claim | None = None
        self.corrected: tuple[Claim, ...] = ()
        self.edits: tuple[Changed, ...] = ()
        self.evidence: tuple[Evidence, ...] = ()

    def here(self, claim: Claim) -> list[OpenRequest]:
        """Keep the entries collected on the account (and by the school) that the money reached."""
        return [entry for entry in claim.entries if belongs(entry, self.transfer)]

    def because(self, rule: str, *more: Evidence) -> tuple[Evidence, ...]:
        """Return the evidence of a decision by a rule."""
        return (rule, *more, *self.evidence)


def look_up(book: RequestBook, references: tuple[str, ...]) -> list[Claim]:
    """Ask a book for references, in their order; one that was never issued claims nothing."""
    return [Claim(reference, book.by_reference(reference)) for reference in references]


def open_case(
    transfer: IncomingTransfer, memo: Memo, book: RequestBook, exact: Sequence[Claim], corrected: Sequence[Claim]
) -> Case:
    """Gather what a memo's exact references, issued or not, and its issued corrected ones say, with the evidence."""
    case = Case(transfer, memo, book, tuple([claim for claim in exact if claim.entries]))
    evidence: list[Evidence] = [spelled(memo, claim.sign) for claim in case.named]
    if len(case.named) < len(exact):
        evidence.append({"never_issued": [claim.sign for claim in exact if not claim.entries]})
    virtual = transfer.virtual_account
    if virtual:
        at_account = book.by_virtual_account(virtual)
        evidence.append({"virtual_account": virtual, "known": bool(at_account)})
        case.account_claim = Claim(virtual, at_account) if at_account else None
    if corrected:
        case.corrected = tuple(corrected)
        edits = [changed(memo, claim.sign) for claim in corrected]
        case.edits = tuple(edits)
        evidence.append({"also_fits" if case.named else "corrected": edits})
    case.evidence = tuple(evidence)
    return case


def spelled(memo: Memo, reference: str) -> dict[str, object]:
    """Return the evidence that a memo spells a reference: the characters it was read from, and where they stand."""
    first, end = memo.place(reference)
    return {"reference": reference, "written": memo.text[first:end], "at": [first, end]}


def share(entry: OpenRequest, amount: Money) -> BillShare:
    """Return money for an entry; 0 đ makes it a candidate."""
    return BillShare(entry.reference, amount, entry.key, entry.pupil)


def belongs(entry: OpenRequest, transfer: IncomingTransfer) -> bool:
    """Tell whether an entry is collected on the account, and by the school, that the money reached."""
    return entry.account == transfer.account and (transfer.school is None or transfer.school == entry.school)


def suggest(case: Case, rule: str, claims: Iterable[Claim], *more: Evidence) -> Decision:
    """Move nothing; list the candidates, likeliest first, each reference once."""
    transfer = case.transfer
    entries = [entry for claim in claims for entry in claim.entries]
    if len(entries) > 1:
        entries.sort(key=lambda entry: _weakness(entry, transfer))
    candidates: dict[str, BillShare] = {}
    for entry in entries:
        if entry.reference not in candidates:
            candidates[entry.reference] = share(entry, ZERO)
    bills = tuple(candidates.values())[:MAX_CANDIDATES]
    return Decision(Outcome.SUGGESTED, bills, case.because(rule, *more))


def _weakness(entry: OpenRequest, transfer: IncomingTransfer) -> tuple[bool, bool, bool]:
    """Rank candidates: on the right account first, then open, then of just this amount."""
    return not belongs(entry, transfer), not entry.payable, entry.due.dong != transfer.amount.dong
