"""What a round charges, pupil by pupil: calculated before the issue, as bills after it; each explained in two views."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from sqlmodel import col, select

from billing.audit.recording import Deed, record_deed
from billing.bills.explained import bill_facts
from billing.bills.tables import Bill
from billing.errors import Conflict, NotFound
from billing.fees.charges import Charge
from billing.fees.charging import split_by_account
from billing.fees.explaining import Language, LineFacts, Payable, explain, line_facts, plain
from billing.fees.items import Payer
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances, line_dues
from billing.payments.requests import references_of
from billing.rounds.calculating import calculate, last_dues
from billing.rounds.drafting import find_round
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS, Named, named
from service.api.shapes import Answer, Page

router = APIRouter(prefix="/api/v1/schools/{school}", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["bills"])

BillState = Literal["open", "partial", "paid", "covered", "void"]


class ShareOut(Answer):
    """What another payer takes of a line, and why."""

    title: str
    payer: Payer
    amount: int
    percent: int | None
    legal_basis: str
    evidence: str


class CreditOut(Answer):
    """What a credit note lowered a line by, in đồng, and why; ``state``: no longer asked of the State."""

    day: date
    family: int
    state: int
    reason: str


class FullLine(Answer):
    """A line with everything, for staff; ``due`` is the family's share after credit notes."""

    id: int | None
    item_name: str
    unit: str
    quantity: int
    unit_price: int
    gross: int
    family_share: int
    due: int
    legal_basis: str
    shares: list[ShareOut]
    credits: list[CreditOut]
    sentences: list[str]


class PlainLine(Answer):
    """A line as families read it: no class, share or basis of a reduction."""

    name: str
    amount: int
    detail: str


class ChargeOut(Answer):
    """What a round would ask of one family, in đồng, and what the last one did; who else pays is not listed."""

    pupil_id: UUID
    pupil: str
    pupil_code: str
    class_code: str
    family: int
    last_family: int | None
    change: int | None


class ChargedBill(Answer):
    """What would become one bill: all that is paid into one account."""

    bank_account_id: UUID
    gross: int
    family: int
    lines: list[FullLine]
    plain: list[PlainLine]


class InstalmentOut(Answer):
    """A dated part of a bill."""

    number: int
    amount: int
    due_on: date


class BillHead(Answer):
    """A bill, in đồng: as issued (``family_due``), after credit notes (``due``), what came in and what is left."""

    id: UUID
    round_id: UUID
    number: str
    pupil_id: UUID
    pupil: str
    pupil_code: str
    bank_account_id: UUID
    family_due: int
    due: int
    paid: int
    rest: int
    state: BillState
    due_on: date
    issued_at: datetime
    reference: str | None
    replaces_id: UUID | None
    instalments: list[InstalmentOut]


class PlainBill(BillHead):
    """A bill with its lines as families read them; nothing of it tells that somebody else pays a share."""

    view: Literal["plain"] = "plain"
    lines: list[PlainLine]


class FullBill(BillHead):
    """A bill with its lines explained in full; that it was looked at is recorded.

    ``gross`` is before anybody's share was taken off. Lists do not say it: beside ``family_due`` it names the exempt.
    """

    view: Literal["full"] = "full"
    gross: int
    lines: list[FullLine]


@router.get("/rounds/{round_id}/charges")
def charges(call: Calling, pages: Pages, round_id: UUID) -> Page[ChargeOut]:
    """List what a round would charge now, pupil by pupil; once it is issued, see its bills."""
    billing_round = _coming(call, round_id)
    calculated = calculate(call.session, billing_round)
    found = sorted(calculated.charges, key=lambda charge: charge.pupil_id)
    start = 0 if pages.after_id is None else bisect_right([each.pupil_id for each in found], pages.after_id)
    wanted = found[start : start + pages.limit + 1]
    names = named(call, [charge.pupil_id for charge in wanted])
    last = last_dues(call.session, billing_round)
    return pages.page(
        wanted,
        lambda charge: charge.pupil_id,
        lambda charge: _charge(
            charge,
            names.get(charge.pupil_id, Named()),
            calculated.pupils[charge.pupil_id].facts.class_name,
            last.get(charge.pupil_id),
        ),
    )


@router.get("/rounds/{round_id}/charges/{pupil_id}")
def charge(call: Calling, round_id: UUID, pupil_id: UUID) -> list[ChargedBill]:
    """Explain in full what a round would charge one pupil, bill by bill; the look is recorded."""
    billing_round = _coming(call, round_id)
    calculated = calculate(call.session, billing_round, only={pupil_id})
    if not calculated.charges:
        raise NotFound("Không có học sinh này trong đợt thu.")
    _looked(call, pupil_id, round_id)
    return [
        _charged(UUID(account), part, _language(call))
        for each in calculated.charges
        for account, part in split_by_account(each).items()
    ]


@router.get("/rounds/{round_id}/bills")
def bills(call: Calling, pages: Pages, round_id: UUID, pupil_id: UUID | None = None) -> Page[BillHead]:
    """List the bills of an issued round in the order of their numbers, void ones too."""
    find_round(call.session, round_id)
    query = select(Bill).where(Bill.school_id == call.school_id, Bill.round_id == round_id).order_by(col(Bill.number))
    if pupil_id is not None:
        query = query.where(Bill.pupil_id == pupil_id)
    if pages.after is not None:
        query = query.where(col(Bill.number) > pages.after)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    shown = _facts(call, rows)
    return pages.page(rows, lambda row: row.number, lambda row: BillHead(**shown[row.id]))


@router.get("/bills/{bill_id}")
def bill(
    call: Calling, bill_id: UUID, view: Annotated[Literal["plain", "full"], Query()] = "plain"
) -> PlainBill | FullBill:
    """Return one bill with its lines: plain as families read it, or in full, which is recorded as a look."""
    row = call.session.exec(select(Bill).where(Bill.school_id == call.school_id, Bill.id == bill_id)).one_or_none()
    if row is None:
        raise NotFound("Không tìm thấy thông báo thu này.")
    lines = bill_facts(call.session, call.school_id, [bill_id])[bill_id]
    balance = _balances(call, [bill_id])[bill_id]
    dues = line_dues(call.session, [balance])
    facts = _facts(call, [row])[bill_id]
    language = _language(call)
    if view == "plain":
        asked = [(line, dues.get(line.id or 0, line.family_share)) for line, _ in lines]
        return PlainBill(**facts, lines=_plain(asked, language))
    _looked(call, row.pupil_id, row.round_id)
    full = [_full(each, language, line.id, dues.get(line.id or 0)) for line, each in lines]
    return FullBill(**facts, gross=row.gross.dong, lines=full)


def _coming(call: Call, round_id: UUID) -> BillingRound:
    billing_round = find_round(call.session, round_id)
    if billing_round.state in ISSUED_STATES:
        raise Conflict("Đợt thu đã phát hành. Hãy đọc các thông báo thu của đợt (bills).")
    return billing_round


def _looked(call: Call, pupil_id: UUID, round_id: UUID) -> None:
    deed = Deed(call.school_id, "explanation.look", "pupil", str(pupil_id))
    record_deed(call.session, call.actor, deed, call.now, round=str(round_id))


def _language(call: Call) -> Language:
    return "en" if call.language == "en" else "vi"


def _charge(charge: Charge, name: Named, class_code: str, last: Money | None) -> ChargeOut:
    return ChargeOut(
        pupil_id=charge.pupil_id,
        pupil=name.name,
        pupil_code=name.code,
        class_code=class_code,
        family=charge.family_due.dong,
        last_family=None if last is None else last.dong,
        change=None if last is None else (charge.family_due - last).dong,
    )


def _charged(account: UUID, part: Charge, language: Language) -> ChargedBill:
    facts = [line_facts(line) for line in part.lines]
    return ChargedBill(
        bank_account_id=account,
        gross=part.gross.dong,
        family=part.family_due.dong,
        lines=[_full(line, language) for line in facts],
        plain=_plain(((line, line.family_share) for line in facts), language),
    )


def _plain(lines: Iterable[tuple[Payable, Money]], language: Language) -> list[PlainLine]:
    shown = (plain(line, language, amount=asked) for line, asked in lines)
    return [PlainLine(name=each.name, amount=each.amount.dong, detail=each.detail) for each in shown if each]


def _full(facts: LineFacts, language: Language, line_id: int | None = None, due: Money | None = None) -> FullLine:
    return FullLine(
        id=line_id,
        item_name=facts.item_name,
        unit=facts.unit,
        quantity=facts.quantity,
        unit_price=facts.unit_price.dong,
        gross=facts.gross.dong,
        family_share=facts.family_share.dong,
        due=(facts.family_share if due is None else due).dong,
        legal_basis=facts.legal_basis,
        shares=[
            ShareOut(
                title=share.title,
                payer=share.payer,
                amount=share.amount.dong,
                percent=share.percent,
                legal_basis=share.legal_basis,
                evidence=share.evidence,
            )
            for share in facts.shares
        ],
        credits=[
            CreditOut(day=each.day, family=each.family.dong, state=each.state.dong, reason=each.reason)
            for each in facts.credits
        ],
        sentences=list(explain(facts, language).sentences),
    )


def _balances(call: Call, bill_ids: Iterable[UUID]) -> dict[UUID, BillBalance]:
    found = bill_balances(call.session, col(Bill.school_id) == call.school_id, col(Bill.id).in_(list(bill_ids)))
    return {balance.bill_id: balance for balance in found}


def _facts(call: Call, rows: Iterable[Bill]) -> dict[UUID, dict[str, Any]]:
    """Return what lists and single bills say alike, by bill."""
    by_id = {row.id: row for row in rows}
    balances, references = _balances(call, by_id), references_of(call.session, by_id)
    names = named(call, [row.pupil_id for row in by_id.values()])
    return {
        bill_id: _bill(row, balances[bill_id], names.get(row.pupil_id, Named()), references.get(bill_id))
        for bill_id, row in by_id.items()
    }


def _bill(row: Bill, balance: BillBalance, name: Named, reference: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "round_id": row.round_id,
        "number": row.number,
        "pupil_id": row.pupil_id,
        "pupil": name.name,
        "pupil_code": name.code,
        "bank_account_id": row.bank_account_id,
        "family_due": row.family_due.dong,
        "due": balance.due.dong,
        "paid": balance.paid.dong,
        "rest": balance.rest.dong,
        "state": balance.status,
        "due_on": row.due_on,
        "issued_at": row.issued_at,
        "reference": reference,
        "replaces_id": row.replaces_id,
        "instalments": [
            InstalmentOut(number=part.number, amount=part.amount.dong, due_on=part.due_on)
            for part in balance.instalments
        ],
    }
