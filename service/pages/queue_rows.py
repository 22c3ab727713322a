"""One transfer of the people's queue with its history, and the acts that wait, from rows of one school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.money import ZERO, Money
from billing.payments.receipt_number import with_book
from billing.payments.tables import Allocation, Payment, Receipt, ReceiptBook, ReceiptVoid
from billing.people.known import Known
from billing.people.tables import ClassGroup
from reconciliation.live_payments import live_payments
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import Piece
from reconciliation.queue.standing import open_act, open_acts
from reconciliation.queue.tables import QueueAct, QueueComment, QueueDecision, QueuePart
from reconciliation.tables import Transfer, TransferStep
from service.access.tables import User
from service.pages import waiting_rows
from service.pages.pupil_search import search_pupils
from service.pages.queue_act_views import ActRow, Oddity, PaidRow, oddity
from service.pages.queue_views import PastRow, TransferPage

STATES = {
    "new": "Vừa nhận, chưa xử lý",
    "held": "Đang giữ, chờ ngân hàng xác nhận",
    "waiting": "Chờ người xử lý",
    "matched": "Đã ghi cho học sinh",
    "refunding": "Đang hoàn cho người nộp",
    "refunded": "Đã hoàn cho người nộp",
    "reversed": "Ngân hàng đã thu hồi",
    "duplicate": "Trùng với giao dịch khác",
    "quarantined": "Đã loại khỏi sổ",
}
_VERDICTS = {
    "alone": "Một người ghi (đúng một gợi ý, đúng số tiền)",
    "agreed": "Người thứ hai đồng ý",
    "refused": "Không đồng ý",
    "withdrawn": "Người đề nghị rút lại",
}
_KINDS = {"assign": "Đề nghị ghi cho học sinh", "undo": "Đề nghị gỡ"}


def transfer_page(  # noqa: PLR0913, PLR0917  what of the school is known already
    session: Session, school_id: UUID, viewer: UUID, transfer_id: UUID, known: dict[UUID, Known], words: str
) -> TransferPage:
    """Return everything about one transfer; raises ``NotFound``."""
    transfer, row = waiting_rows.one_row(session, school_id, transfer_id)
    act = open_act(session, school_id, transfer_id)
    classes = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id).order_by(col(ClassGroup.school_year).desc())
    ).all()
    newest = [group for group in classes if group.school_year == classes[0].school_year]
    return TransferPage(
        row=row,
        state=transfer.state,
        state_name=STATES.get(transfer.state, transfer.state),
        hits=search_pupils(session, school_id, known, words, transfer.bank_account_id) if words else (),
        words=words,
        past=_past(session, school_id, transfer_id),
        paid=_paid(session, transfer, known),
        act=act_rows(session, school_id, viewer, known, [act])[0] if act else None,
        classes=tuple((str(group.id), group.code) for group in sorted(newest, key=lambda each: each.code)),
    )


def act_rows(
    session: Session, school_id: UUID, viewer: UUID, known: dict[UUID, Known], acts: Collection[QueueAct] | None = None
) -> tuple[ActRow, ...]:
    """Return open acts with their parts as the second person reads them."""
    found = open_acts(session, school_id) if acts is None else list(acts)
    transfers = {
        transfer.id: transfer
        for transfer in session.exec(
            select(Transfer).where(
                Transfer.school_id == school_id, col(Transfer.id).in_([act.transfer_id for act in found])
            )
        ).all()
    }
    names = _users(session, (act.made_by for act in found))
    return tuple(_act(session, act, transfers[act.transfer_id], names, viewer, known) for act in found)


def _act(  # noqa: PLR0913, PLR0917  what of the school is known already
    session: Session,
    act: QueueAct,
    transfer: Transfer,
    names: dict[UUID, str],
    viewer: UUID,
    known: dict[UUID, Known],
) -> ActRow:
    parts = _parts(session, act, transfer, known) if act.kind == "assign" else _paid(session, transfer, known)
    return ActRow(
        act_id=str(act.id),
        kind=act.kind,
        transfer_id=str(transfer.id),
        transfer=f"{transfer.provider}-{transfer.provider_id}",
        amount=transfer.amount,
        memo=transfer.memo,
        reason=act.reason,
        made_by=names.get(act.made_by, "?"),
        at=act.at,
        parts=parts,
        mine=act.made_by == viewer,
    )


def goes_in_words(pieces: Iterable[Piece], numbers: Mapping[UUID, str]) -> str:
    """Return where money would go: so much into which bill, or the pupil's credit."""
    return " · ".join(
        f"{piece.amount} vào {numbers.get(piece.bill_id, 'thông báo thu đã đóng') if piece.bill_id else 'tiền tồn'}"
        for piece in pieces
    )


def bill_numbers(session: Session, school_id: UUID, pieces: Iterable[Piece]) -> dict[UUID, str]:
    """Return the numbers of the bills of some parts."""
    wanted = {piece.bill_id for piece in pieces if piece.bill_id}
    query = select(Bill.id, Bill.number).where(Bill.school_id == school_id, col(Bill.id).in_(wanted))
    return dict(session.exec(query).all())


def _parts(session: Session, act: QueueAct, transfer: Transfer, known: dict[UUID, Known]) -> tuple[PaidRow, ...]:
    rows = session.exec(
        select(QueuePart, Bill.number)
        .outerjoin(Bill, (col(Bill.school_id) == QueuePart.school_id) & (col(Bill.id) == QueuePart.bill_id))
        .where(QueuePart.school_id == act.school_id, QueuePart.act_id == act.id)
        .order_by(col(QueuePart.id))
    ).all()
    own: dict[UUID, list[Piece]] = defaultdict(list)
    for part, _ in rows:
        own[part.pupil_id].append(Piece(part.pupil_id, part.bill_id, part.amount))
    bills = open_bills_of(session, act.school_id, own, transfer.bank_account_id)
    return tuple(
        PaidRow(
            *_named(known, part.pupil_id),
            part.amount,
            "",
            (number or "tiền tồn của em",),
            str(part.pupil_id),
            oddity(Piece(part.pupil_id, part.bill_id, part.amount), own[part.pupil_id], bills[part.pupil_id]),
        )
        for part, number in rows
    )


def _paid(session: Session, transfer: Transfer, known: dict[UUID, Known]) -> tuple[PaidRow, ...]:
    payments = live_payments(session, transfer)
    ids = [payment.id for payment in payments]
    bills: dict[UUID, list[str]] = defaultdict(list)
    placed: dict[UUID, Money] = defaultdict(lambda: ZERO)
    for payment_id, number, amount in session.exec(
        select(Allocation.payment_id, Bill.number, col(Allocation.amount))
        .join(Bill, (col(Bill.school_id) == Allocation.school_id) & (col(Bill.id) == Allocation.bill_id))
        .where(Allocation.school_id == transfer.school_id, col(Allocation.payment_id).in_(ids))
    ).all():
        bills[payment_id].append(number)
        placed[payment_id] += amount
    receipts = session.exec(
        select(Receipt.payment_id, ReceiptBook.code, Receipt.number)
        .join(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .outerjoin(ReceiptVoid, col(ReceiptVoid.receipt_id) == col(Receipt.id))
        .where(Receipt.school_id == transfer.school_id, col(Receipt.payment_id).in_(ids))
    ).all()
    numbers = {payment_id: with_book(book, number) for payment_id, book, number in receipts}
    return tuple(
        _paid_row(payment, known, numbers.get(payment.id, ""), bills[payment.id], placed[payment.id])
        for payment in payments
    )


def _paid_row(payment: Payment, known: dict[UUID, Known], receipt: str, bills: list[str], placed: Money) -> PaidRow:
    amount: Money = payment.amount
    credit = amount - placed
    into = [*bills, "tiền tồn của em"] if credit else bills
    odd = Oddity("credit", credit, f"{credit} của khoản này") if credit else None
    return PaidRow(*_named(known, payment.pupil_id), amount, receipt, tuple(into), str(payment.pupil_id), odd)


def _named(known: dict[UUID, Known], pupil_id: UUID) -> tuple[str, str]:
    found = known.get(pupil_id)
    return (found.name, found.class_name) if found else ("?", "")


def _past(session: Session, school_id: UUID, transfer_id: UUID) -> tuple[PastRow, ...]:
    """Return steps, acts, decisions and comments, oldest first."""
    steps = session.exec(
        select(TransferStep).where(TransferStep.school_id == school_id, TransferStep.transfer_id == transfer_id)
    ).all()
    acts = session.exec(
        select(QueueAct).where(QueueAct.school_id == school_id, QueueAct.transfer_id == transfer_id)
    ).all()
    decisions = session.exec(
        select(QueueDecision).where(
            QueueDecision.school_id == school_id, col(QueueDecision.act_id).in_([act.id for act in acts])
        )
    ).all()
    comments = session.exec(
        select(QueueComment).where(QueueComment.school_id == school_id, QueueComment.transfer_id == transfer_id)
    ).all()
    people = [step.made_by for step in steps if step.made_by] + [act.made_by for act in acts]
    others = [row.made_by for row in comments] + [row.decided_by for row in decisions]
    names = _users(session, [*people, *others])
    # Of one moment the act comes first, then what became of it, then the step that it made.
    past = [PastRow(act.at, names.get(act.made_by, "?"), _KINDS[act.kind], act.reason) for act in acts]
    past += [PastRow(row.at, names.get(row.decided_by, "?"), _VERDICTS[row.verdict], row.reason) for row in decisions]
    past += [
        PastRow(step.at, names.get(step.made_by, "?") if step.made_by else "", STATES.get(step.to_state, step.to_state))
        for step in steps
    ]
    past += [PastRow(row.at, names.get(row.made_by, "?"), "Ghi chú", row.words) for row in comments]
    return tuple(sorted(past, key=lambda row: row.at))


def _users(session: Session, users: Iterable[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(set(users)))).all())
