"""Credit notes of a correction: what each bill falls by now, and writing it down with book and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.crediting import Approved, write_credits
from billing.bills.holding import hold_bills
from billing.bills.lowering import (
    BilledLine,
    Note,
    Off,
    Taken,
    at_most,
    by_amount,
    notes,
    to_price,
    to_quantity,
    to_used,
)
from billing.bills.tables import Bill, BillCredit, BillLine, BillReduction, BillVoid
from billing.errors import Conflict, Refused
from billing.events.recording import BILL_CREDITED, record_events
from billing.fees.reducing import person
from billing.ledger.accounts import FAMILY_CREDIT, FAMILY_RECEIVABLE, STATE_RECEIVABLE
from billing.ledger.posting import Fact, Line
from billing.ledger.posting_many import Posted, post_many
from billing.ledger.tables import JournalEntry, LedgerAccount, Posting
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.writing_off import Lowered, lower_write_offs
from billing.rounds.issuing import VIET_NAM
from billing.rounds.tables import Correction, CorrectionDecision
from billing.storage import money_sum

NOTHING_FALLS = "Không có thông báo thu nào được giảm: số mới không thấp hơn số đã thu."


@dataclass(frozen=True, slots=True)
class LoweredBill:
    """What a correction does to one bill: what it comes to before and after, and where the difference goes."""

    balance: BillBalance
    notes: tuple[Note, ...]

    @property
    def off_written(self) -> Money:
        """What comes off the part that was written off: it goes first, for nobody is asked for it any more."""
        return min(self.balance.written_off, total(note.off_rest for note in self.notes))

    @property
    def off_rest(self) -> Money:
        """What is no longer to be paid."""
        return total(note.off_rest for note in self.notes) - self.off_written

    @property
    def to_credit(self) -> Money:
        """What was paid and becomes the pupil's credit."""
        return total(note.to_credit for note in self.notes)

    @property
    def off_state(self) -> Money:
        """What is no longer asked of the State."""
        return total(note.off_state for note in self.notes)

    @property
    def was(self) -> Money:
        """What the family's bill comes to before."""
        return self.balance.due

    @property
    def now(self) -> Money:
        """What it comes to afterwards."""
        return self.was - self.off_rest - self.to_credit


def lowered_bills(session: Session, correction: Correction) -> tuple[LoweredBill, ...]:
    """Return what the correction would do to each bill as things stand, by bill number.

    Raises ``Refused`` when it lowers nothing, ``Conflict`` when its bill was taken back.
    """
    offs = _offs(session, correction)
    balances = bill_balances(session, col(Bill.school_id) == correction.school_id, col(Bill.id).in_(list(offs)))
    if any(balance.void for balance in balances):
        raise Conflict("Thông báo thu này đã bị thu hồi, không còn gì để ghi giảm.")
    dealt = (
        LoweredBill(balance, notes(offs[balance.bill_id], balance.rest + balance.written_off))
        for balance in sorted(balances, key=lambda each: each.number)
    )
    found = tuple(bill for bill in dealt if bill.notes)
    if not found:
        raise Refused(NOTHING_FALLS)
    return found


def lower(session: Session, correction: Correction, approver: Actor, now: datetime) -> tuple[LoweredBill, ...]:
    """Write the credit notes of a correction, their entries in the book and one event for each bill that falls.

    All bills are held (in the order of their ids, as payments hold them) before it is read what is open on each. What
    comes off a part that was written off is no longer written off.
    """
    hold_bills(session, correction.school_id, _offs(session, correction).keys())
    bills = lowered_bills(session, correction)
    by = Lowered(correction.made_by, approver, correction.reason)
    for bill in bills:
        if bill.off_written:
            lower_write_offs(session, bill.balance.bill_id, bill.off_written, by, now)
    approved = Approved(
        school_id=correction.school_id,
        correction_id=correction.id,
        reason=correction.reason,
        made_by=correction.made_by,
        approved_by=person(approver),
        at=now,
    )
    write_credits(session, approved, {bill.balance.bill_id: bill.notes for bill in bills})
    _post(session, correction, bills, now)
    _tell(session, correction, bills, now)
    return bills


def credit_entry(correction_id: UUID, bill_id: UUID) -> tuple[str, str]:
    """Return kind and source under which a credit note stands in the book."""
    return "bill_credited", f"{correction_id}:{bill_id}"


def _offs(session: Session, correction: Correction) -> dict[UUID, list[Off]]:
    """Return by bill what its lines fall by, in the order of the lines."""
    content = correction.content
    offs: dict[UUID, list[Off]] = defaultdict(list)
    if correction.kind == "price":
        price = Money(content["price"])
        for bill_id, line in billed_lines(session, correction, item=content["item"]):
            if off := to_price(line, price):
                offs[bill_id].append(off)
        return offs
    if correction.kind == "attendance":
        used = {int(each["line"]): int(each["used"]) for each in content["lines"]}
        for bill_id, line in billed_lines(session, correction, lines=list(used)):
            if off := to_quantity(line, used[line.line_id]):
                offs[bill_id].append(off)
        return offs
    for bill_id, off in _named_offs(session, correction):
        offs[bill_id].append(off)
    return offs


def _named_offs(session: Session, correction: Correction) -> Iterator[tuple[UUID, Off]]:
    """Yield by bill what the correction's lines fall by where it names the amounts itself."""
    named = {int(each["line"]): each for each in correction.content["lines"]}
    for bill_id, line in billed_lines(session, correction, lines=list(named)):
        amounts = named[line.line_id]
        if correction.kind == "credit":
            yield bill_id, by_amount(line, Money(amounts["amount"]))
        elif "used" in amounts:
            if off := to_quantity(line, int(amounts["used"])):
                yield bill_id, off
        elif "unused" in amounts:
            if off := to_used(line, Money(amounts["unused"]), Money(amounts["unused_state"])):
                yield bill_id, off
        elif off := at_most(line, Money(amounts["family"]), Money(amounts["state"])):
            yield bill_id, off


def billed_lines(
    session: Session, correction: Correction, *, item: str | None = None, lines: Sequence[int] = ()
) -> Iterator[tuple[UUID, BilledLine]]:
    """Yield (bill, line) of the correction's live bills: all lines of an item, or the named ones of its bill."""
    chosen = col(BillLine.item_code) == item if item else col(BillLine.id).in_(lines)
    of = col(Bill.id) == correction.bill_id if correction.bill_id else col(Bill.round_id) == correction.round_id
    rows = session.exec(
        select(BillLine, Bill.issued_at)
        .join(Bill, (col(Bill.school_id) == BillLine.school_id) & (col(Bill.id) == BillLine.bill_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == Bill.id)
        .where(BillLine.school_id == correction.school_id, of, chosen, col(BillVoid.bill_id).is_(None))
        .order_by(col(BillLine.bill_id), col(BillLine.position)),
    ).all()
    ids = [row.id for row, _ in rows if row.id is not None]
    taken, off = _taken(session, correction.school_id, ids), _off_before(session, correction.school_id, ids)
    agreed = _agreed_before(session, correction)
    for row, issued_at in rows:
        line_id = row.id or 0
        family_off, state_off = off.get(line_id, (ZERO, ZERO))
        # A bill that replaced another one later was billed anew: corrections of before are in it already.
        lower = [price for price, at in agreed.prices.get(row.item_code, ()) if at > issued_at]
        unused, unused_state = agreed.unused.get(line_id, (ZERO, ZERO))
        line = BilledLine(
            line_id, row.quantity, row.unit_price, row.family_share, taken.get(line_id, ()), family_off, state_off,
            min(lower, default=None), agreed.used.get(line_id), row.because.get("part") == "half", unused, unused_state,
        )  # fmt: skip
        yield row.bill_id, line


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What approved corrections of a round made of prices (by item, since when), and of units and use (by line)."""

    prices: dict[str, list[tuple[Money, datetime]]]
    used: dict[int, int]
    unused: dict[int, tuple[Money, Money]]


def _agreed_before(session: Session, correction: Correction) -> _Agreed:
    rows = session.exec(
        select(Correction.kind, Correction.content, CorrectionDecision.at)
        .join(CorrectionDecision, col(CorrectionDecision.correction_id) == col(Correction.id))
        .where(
            Correction.school_id == correction.school_id,
            Correction.round_id == correction.round_id,
            Correction.id != correction.id,
            col(Correction.kind).in_(["price", "attendance", "leaving"]),
            col(CorrectionDecision.approved),
        )
    ).all()
    found = _Agreed(defaultdict(list), {}, {})
    for kind, content, at in rows:
        if kind == "price":
            found.prices[content["item"]].append((Money(content["price"]), at))
        for each in content.get("lines", ()):
            line = int(each["line"])
            if "used" in each:
                found.used[line] = min(int(each["used"]), found.used.get(line, int(each["used"])))
            elif "unused" in each:
                family, state = found.unused.get(line, (ZERO, ZERO))
                found.unused[line] = family + Money(each["unused"]), state + Money(each["unused_state"])
    return found


def _taken(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, tuple[Taken, ...]]:
    rows = session.exec(
        select(BillReduction)
        .where(BillReduction.school_id == school_id, col(BillReduction.line_id).in_(lines))
        .order_by(col(BillReduction.id)),
    ).all()
    found: dict[int, list[Taken]] = defaultdict(list)
    for row in rows:
        found[row.line_id].append(Taken(row.payer, row.percent, row.amount))
    return {line: tuple(each) for line, each in found.items()}


def _off_before(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, tuple[Money, Money]]:
    rows = session.exec(
        select(
            col(BillCredit.line_id),
            money_sum(BillCredit.off_rest),
            money_sum(BillCredit.to_credit),
            money_sum(BillCredit.off_state),
        )
        .where(BillCredit.school_id == school_id, col(BillCredit.line_id).in_(lines))
        .group_by(col(BillCredit.line_id)),
    ).all()
    return {line: (off_rest + to_credit, off_state) for line, off_rest, to_credit, off_state in rows}


def _post(session: Session, correction: Correction, bills: Sequence[LoweredBill], now: datetime) -> None:
    """Take back income line by line: from what the family and the State owe, or into the pupil's credit."""
    day = now.astimezone(VIET_NAM).date()
    items = _items(session, correction.school_id, [note.line_id for bill in bills for note in bill.notes])
    income = _income(session, correction.school_id, [bill.balance.bill_id for bill in bills])
    passed_on = _passed_on(session, correction.school_id, income)
    facts = []
    for bill in bills:
        kind, source = credit_entry(correction.id, bill.balance.bill_id)
        fact = Fact(correction.school_id, kind, source, day, bill.balance.number)
        facts.append(Posted(fact, tuple(_postings(bill, items, income, passed_on))))
    post_many(session, correction.school_id, facts, now)


def _postings(
    bill: LoweredBill,
    items: dict[int, str],
    income: dict[tuple[UUID, str], str],
    passed_on: Collection[tuple[UUID, str]],
) -> Iterator[Line]:
    pupil, bill_id = bill.balance.pupil_id, bill.balance.bill_id
    for note in bill.notes:
        item = items[note.line_id]
        account = income.get((bill_id, item))
        if account is None:  # others carried all of it, and nothing of that was ever the school's
            continue
        yield Line(account, FAMILY_RECEIVABLE, note.off_rest, pupil, item, bill_id)
        yield Line(account, FAMILY_CREDIT, note.to_credit, pupil, item, bill_id)
        if (bill_id, item) not in passed_on:  # there the State pays the insurer itself, and was never asked here
            yield Line(account, STATE_RECEIVABLE, note.off_state, pupil, item, bill_id)


def _items(session: Session, school_id: UUID, lines: Sequence[int]) -> dict[int, str]:
    rows = session.exec(
        select(col(BillLine.id), col(BillLine.item_code)).where(
            BillLine.school_id == school_id, col(BillLine.id).in_(lines)
        )
    ).all()
    return {line: code for line, code in rows if line is not None}


def _income(session: Session, school_id: UUID, bills: Sequence[UUID]) -> dict[tuple[UUID, str], str]:
    """Return the account into which each item of these bills was posted when they were issued."""
    account = aliased(LedgerAccount)
    rows = session.exec(
        select(col(Posting.bill_id), col(Posting.item_code), col(account.code))
        .join(account, col(account.id) == Posting.credit_account_id)
        .join(
            JournalEntry,
            (col(JournalEntry.school_id) == Posting.school_id) & (col(JournalEntry.id) == Posting.entry_id),
        )
        .where(
            JournalEntry.school_id == school_id,
            col(JournalEntry.kind) == "bill_issued",
            col(JournalEntry.source_id).in_([str(bill) for bill in bills]),
            col(Posting.bill_id).is_not(None),
        )
    ).all()
    return {(bill, item): code for bill, item, code in rows if bill is not None and item is not None}


def _passed_on(session: Session, school_id: UUID, income: dict[tuple[UUID, str], str]) -> frozenset[tuple[UUID, str]]:
    """Return the items of bills that were posted into an account of money held for others, such as an insurer."""
    codes = session.exec(
        select(LedgerAccount.code).where(LedgerAccount.school_id == school_id, LedgerAccount.kind == "pass_through")
    ).all()
    return frozenset(key for key, code in income.items() if code in codes)


def _tell(session: Session, correction: Correction, bills: Sequence[LoweredBill], now: datetime) -> None:
    """Tell of each bill that falls; where only what was written off falls, nothing changes for the family."""
    happened = (
        (
            bill.balance.bill_id,
            {
                "pupil_id": str(bill.balance.pupil_id),
                "correction": str(correction.id),
                "due": bill.now.dong,
                "off_rest": bill.off_rest.dong,
                "to_credit": bill.to_credit.dong,
            },
        )
        for bill in bills
        if bill.off_rest or bill.to_credit or bill.off_state
    )
    record_events(session, correction.school_id, BILL_CREDITED, happened, now)
