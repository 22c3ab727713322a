"""The pages of refunds, from rows of one school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.credits.choosing import class_of_pupils
from billing.credits.payee import GUARDIAN, PAYER, TYPED
from billing.credits.paying_out import STATE_NAMES, LineState, find_line, states_of
from billing.credits.refunding import REFUND_PAYABLE, decision_of, find_refund, lines_of, payee_of
from billing.credits.tables import Refund, RefundDecision, RefundLine
from billing.documents.credit_sheets import PayoutList, RefundedRow
from billing.errors import NotFound
from billing.ledger.balances import debit_balance
from billing.money import total
from billing.payments.banks import bank_by_bin
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, School
from billing.rounds.tables import ISSUED_STATES, BillingRound
from billing.vault import Vault
from service.access.tables import User
from service.pages.credit_rows import class_choices, item_choices, item_name, item_names, names_of
from service.pages.credit_views import RefundLineRow, RefundPage, RefundRow, RefundsPage
from service.pages.returning_rows import brought, tied_days, transfer_words
from service.pages.typed import school_day

WAY_NAMES = {"cash": "Tiền mặt", "bank": "Chuyển khoản"}
SOURCE_NAMES = {
    PAYER: "tài khoản đã chuyển tiền, do ngân hàng nêu",
    GUARDIAN: "phụ huynh tự nhập sau khi xác nhận bằng mã",
    TYPED: "văn phòng nhập",
}
_OPEN = frozenset({"approved"})


def refunds_page(session: Session, school_id: UUID) -> RefundsPage:
    """Return all requests of a school, newest first, and what a new one can be about."""
    requests = session.exec(
        select(Refund).where(Refund.school_id == school_id).order_by(col(Refund.made_at).desc(), col(Refund.id))
    ).all()
    lines: dict[UUID, list[RefundLine]] = defaultdict(list)
    for line in session.exec(select(RefundLine).where(RefundLine.school_id == school_id)).all():
        lines[line.refund_id].append(line)
    states = states_of(session, school_id, [line.id for each in lines.values() for line in each])
    decided = dict(
        session.exec(
            select(RefundDecision.refund_id, RefundDecision.approved).where(RefundDecision.school_id == school_id)
        ).all()
    )
    makers = _people(session, {each.made_by for each in requests})
    return RefundsPage(
        rows=tuple(
            _row(each, lines[each.id], states, decided.get(each.id), makers, _about(session, each)) for each in requests
        ),
        items=item_choices(session, school_id),
        classes=class_choices(session, school_id),
        rounds=_rounds(session, school_id),
        owed=-debit_balance(session, school_id, REFUND_PAYABLE),
    )


def refund_page(  # noqa: PLR0913, PLR0917  which one, who looks, when
    session: Session, vault: Vault, school_id: UUID, refund_id: UUID, viewer: UUID, now: datetime
) -> RefundPage:
    """Return one request with its lines, in the order of classes and names."""
    refund = refund_of(session, school_id, refund_id)
    lines = lines_of(session, refund)
    states = states_of(session, school_id, [line.id for line in lines])
    decision = decision_of(session, refund)
    people = _people(session, {refund.made_by, *([decision.decided_by] if decision else [])})
    approved = None if decision is None else decision.approved
    return RefundPage(
        row=_row(refund, lines, states, approved, people, _about(session, refund)),
        lines=_lines(session, vault, refund, lines, states, now),
        own=refund.made_by == viewer,
        decided_by=people.get(decision.decided_by, "") if decision else "",
        decided_why=decision.reason if decision else "",
        today=school_day(now),
    )


def payout_list(session: Session, vault: Vault, school_id: UUID, refund_id: UUID, now: datetime) -> PayoutList:
    """Return a request as the workbook shows it, with accounts in full."""
    refund = refund_of(session, school_id, refund_id)
    page = refund_page(session, vault, school_id, refund_id, refund.made_by, now)
    payees = {str(line.id): payee_of(vault, line) for line in lines_of(session, refund)}
    school = session.get_one(School, school_id)
    approver = page.decided_by if page.row.state == "approved" else ""
    return PayoutList(
        school=school.name,
        address=school.address,
        reason=refund.reason,
        maker=page.row.maker,
        approver=approver,
        made_at=refund.made_at,
        rows=tuple(
            RefundedRow(
                name=line.pupil,
                class_name=line.class_name,
                item=line.item,
                amount=line.amount,
                way=WAY_NAMES[line.way],
                payee=line.payee,
                bank=_bank(payees[line.line_id].bank_bin),
                account=payees[line.line_id].account,
                state=STATE_NAMES[line.state],
                cash=line.way == "cash",
            )
            for line in page.lines
        ),
    )


def refund_of(session: Session, school_id: UUID, refund_id: UUID) -> Refund:
    """Return a request of this school; raises ``NotFound`` for any other."""
    refund = find_refund(session, refund_id)
    if refund.school_id != school_id:
        raise NotFound("Không tìm thấy đề nghị hoàn tiền này.", refund=refund_id)
    return refund


def refuse_other_line(session: Session, refund: Refund, line_id: UUID) -> None:
    """Raise ``NotFound`` unless the line is one of the request."""
    if find_line(session, line_id).refund_id != refund.id:
        raise NotFound("Không tìm thấy khoản hoàn tiền này.", line=line_id)


def _lines(  # noqa: PLR0913, PLR0917  the request, and all that its lines are read with
    session: Session,
    vault: Vault,
    refund: Refund,
    lines: Sequence[RefundLine],
    states: dict[UUID, LineState],
    now: datetime,
) -> tuple[RefundLineRow, ...]:
    names = names_of(session, {line.pupil_id for line in lines if line.pupil_id is not None})
    names |= transfer_words(session, refund.school_id, list(lines))
    tied = tied_days(session, refund.school_id, list(lines))
    items = item_names(session, refund.school_id)
    groups = class_of_pupils(session, refund.school_id, school_day(now))
    rows = [
        _line(vault, line, states[line.id], names, groups.get(line.pupil_id) if line.pupil_id else None, items)
        for line in lines
    ]
    choices = {str(line.id): brought(session, line, tied[line.id]) for line in lines if line.id in tied}
    days = {str(line): day for line, day in tied.items()}
    rows = [replace(row, tied=days.get(row.line_id), brought=choices.get(row.line_id, ())) for row in rows]
    return tuple(sorted(rows, key=lambda row: (row.class_name, sort_key(row.pupil), row.line_id)))


def _line(  # noqa: PLR0913, PLR0917  one line and what it is read with
    vault: Vault,
    line: RefundLine,
    state: LineState,
    names: dict[UUID, str],
    group: ClassGroup | None,
    items: dict[str, str],
) -> RefundLineRow:
    payee, step = payee_of(vault, line), state.step
    return RefundLineRow(
        line_id=str(line.id),
        pupil=names.get(line.pupil_id or line.transfer_id or line.id, "?"),
        class_name=group.code if group else "",
        item=item_name(items, line.item_code) if line.pupil_id else "Tiền không rõ của ai",
        amount=line.amount,
        way=line.way,
        payee=payee.name,
        account=f"{_bank(payee.bank_bin)} {line.account_masked}".strip(),
        state=state.word,
        day=step.day if step else None,
        signed_by=step.signed_by if step else "",
        reason=step.reason if step else "",
        source=SOURCE_NAMES.get(payee.source, ""),
        proof=payee.proof,
        code=line.code or "",
    )


def _row(  # noqa: PLR0913, PLR0917  one request and what it is read with
    refund: Refund,
    lines: Sequence[RefundLine],
    states: dict[UUID, LineState],
    approved: bool | None,  # noqa: FBT001  a column, not a switch
    people: dict[UUID, str],
    about: str,
) -> RefundRow:
    return RefundRow(
        refund_id=str(refund.id),
        reason=refund.reason,
        about=about,
        made_on=school_day(refund.made_at),
        maker=people.get(refund.made_by, ""),
        state="asked" if approved is None else "approved" if approved else "rejected",
        lines=len(lines),
        amount=total(line.amount for line in lines),
        waiting=sum(states[line.id].word in _OPEN for line in lines),
    )


def _about(session: Session, refund: Refund) -> str:
    """Return what a request is about: item, class, round."""
    names = item_names(session, refund.school_id)
    group = session.get(ClassGroup, refund.class_id) if refund.class_id else None
    billing_round = session.get(BillingRound, refund.round_id) if refund.round_id else None
    parts = (
        names.get(refund.item_code, refund.item_code) if refund.item_code else "",
        f"lớp {group.code}" if group else "",
        billing_round.name if billing_round else "",
    )
    return " · ".join(part for part in parts if part)


def _rounds(session: Session, school_id: UUID) -> tuple[tuple[str, str], ...]:
    rows = session.exec(
        select(BillingRound)
        .where(BillingRound.school_id == school_id, col(BillingRound.state).in_(ISSUED_STATES))
        .order_by(col(BillingRound.issued_at).desc())
    ).all()
    return tuple((str(row.id), row.name) for row in rows)


def _people(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(ids))).all())


def _bank(bank_bin: str) -> str:
    bank = bank_by_bin(bank_bin)
    return bank.short_name if bank else bank_bin
