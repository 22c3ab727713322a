"""The pages of the till from rows of one school: counts, deposits, hand-overs with the movements they list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from billing.cash.depositing import IN_TRANSIT, depositable
from billing.cash.handing_over import count_to_hand, find_handover, to_hand, waiting_handover
from billing.cash.keeping import approves, keeper_of, may_keep, may_receive
from billing.cash.till_tables import (
    CashCount,
    CashCountDecision,
    CashDeposit,
    CashDepositEnd,
    CashHandover,
    CashHandoverDecision,
    CashWithdrawal,
)
from billing.documents.handover_pdf import HandoverDocument, HandoverLine
from billing.ledger.balances import debit_balance
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money
from billing.payments.receipt_number import with_book
from billing.people.tables import School
from billing.storage import new_id
from reconciliation.depositing.asking import open_asks
from reconciliation.depositing.suggesting import Came
from reconciliation.depositing.tables import CashTieAsk
from reconciliation.depositing.tying import deposited_by, open_deposits
from reconciliation.reports.filling import account_name
from reconciliation.tables import Transfer
from service.access.actors import ROLE_NAMES, Actor
from service.access.tables import RoleGrant, User
from service.pages.cash_views import Sheet
from service.pages.till_views import CountRow, DepositRow, DepositsPage, FitRow, HandoverRow, HandoversPage, TieAskRow
from service.pages.typed import school_day

PAGE = 60  # rows of a list on one page
_COUNT_STANDS = {None: "waiting", True: "agreed", False: "rejected"}
_HAND_STANDS = {None: "waiting", True: "accepted", False: "refused"}
_RECEIVERS = (Actor.CASHIER, Actor.APPROVER)
_WORDS = {
    "payment": "Thu",
    "payment_reversed": "Trả lại, hủy biên lai",
    "refund_paid": "Chi hoàn tiền",
    "refund_paid_undone": "Hủy lần chi hoàn tiền",
    "payout": "Chi trả hỗ trợ",
    "state_payment": "Tiền Nhà nước về quỹ",
    "cash_deposit": "Nộp ngân hàng",
    "cash_deposit_undone": "Rút lại lần nộp ngân hàng",
    "payout_undone": "Hủy lần chi trả hỗ trợ",
    "state_payment_undone": "Đảo tiền Nhà nước về quỹ",
    "cash_withdrawal": "Rút về quỹ",
    "cash_withdrawal_undone": "Rút lại lần rút về quỹ",
    "cash_difference": "Chênh lệch kiểm quỹ",
}
# Movements of account 111 that a hand-over lists, each with the paper it stands on.
_LINES = text("""
SELECT e.id, e.kind, coalesce(e.true_day, e.value_date) AS value_date, e.note, u.full_name, b.code, r.number,
       k.code AS paper, n.number AS leaf,
       (SELECT sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END)::bigint
        FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
          AND l.id IN (x.debit_account_id, x.credit_account_id)
        WHERE x.school_id = e.school_id AND x.entry_id = e.id) AS amount
FROM cash_handover_lines h
JOIN journal_entries e ON e.school_id = h.school_id AND e.id = h.entry_id
LEFT JOIN payments p ON p.school_id = e.school_id AND e.kind IN ('payment', 'payment_reversed')
  AND p.id::text = e.source_id
LEFT JOIN pupils u ON u.id = p.pupil_id
LEFT JOIN receipts r ON r.school_id = p.school_id AND r.payment_id = p.id
LEFT JOIN receipt_books b ON b.id = r.book_id
LEFT JOIN paper_numbers n ON n.school_id = p.school_id AND p.source_kind = 'cash' AND n.taking_id = p.source_id
LEFT JOIN paper_books k ON k.id = n.book_id
WHERE h.school_id = :school AND h.handover_id = :handover ORDER BY e.id
""")


def sheet_of(
    session: Session,
    school_id: UUID,
    listed: type[CashCount | CashDeposit | CashWithdrawal | CashHandover],
    number: int,
) -> Sheet:
    """Return which page of a list is shown."""
    rows = session.exec(select(func.count()).select_from(listed).where(listed.school_id == school_id)).one()
    return Sheet.cut(number, rows, PAGE)


def count_rows(session: Session, school_id: UUID, user_id: UUID, sheet: Sheet) -> tuple[CountRow, ...]:
    """Return a page of the counts, the newest first."""
    query: Any = (
        select(CashCount, CashCountDecision)
        .outerjoin(CashCountDecision, col(CashCountDecision.count_id) == col(CashCount.id))
        .where(col(CashCount.school_id) == school_id)
        .order_by(col(CashCount.at).desc(), col(CashCount.id).desc())
        .offset(_before(sheet))
        .limit(PAGE)
    )
    rows = session.exec(query).all()
    names = _names(session, [row.made_by for row, _ in rows] + [each.decided_by for _, each in rows if each])
    return tuple(
        CountRow(
            count_id=str(row.id),
            at=row.at,
            counted=row.counted,
            book=row.book,
            reason=row.reason,
            by=names.get(row.made_by, ""),
            stands="equal" if row.counted == row.book else _COUNT_STANDS[decided.agreed if decided else None],
            decided_by=names.get(decided.decided_by, "") if decided else "",
            mine=row.made_by == user_id,
        )
        for row, decided in rows
    )


def deposits_page(session: Session, school_id: UUID, user_id: UUID, number: int, now: datetime) -> DepositsPage:
    """Return the deposits, and what may be deposited now."""
    count, left = depositable(session, school_id)
    sheet = sheet_of(session, school_id, CashDeposit, number)
    return DepositsPage(
        left=left,
        counted=count is not None,
        accounts=open_accounts(session, school_id),
        transit=debit_balance(session, school_id, IN_TRANSIT),
        form=str(new_id()),
        rows=_deposit_rows(session, school_id, user_id, sheet),
        keeps=may_keep(session, school_id, user_id, now),
        sheet=sheet,
    )


def open_accounts(session: Session, school_id: UUID) -> tuple[tuple[str, str], ...]:
    """Return the school's accounts that are not closed, as ids and names."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id, col(BankAccount.closed_on).is_(None))
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number))
    ).all()
    return tuple((str(account.id), account_name(account)) for account in accounts)


def _deposit_rows(session: Session, school_id: UUID, user_id: UUID, sheet: Sheet) -> tuple[DepositRow, ...]:
    """Return a page of the deposits: those that wait for the bank first, then the newest first."""
    open_ = {each.row.id: each for each in open_deposits(session, school_id)}
    query: Any = (
        select(CashDeposit, BankAccount, CashDepositEnd)
        .join(BankAccount, col(BankAccount.id) == col(CashDeposit.bank_account_id))
        .outerjoin(CashDepositEnd, col(CashDepositEnd.deposit_id) == col(CashDeposit.id))
        .where(col(CashDeposit.school_id) == school_id)
        .order_by(col(CashDeposit.id).in_(list(open_)).desc(), col(CashDeposit.at).desc(), col(CashDeposit.id).desc())
        .offset(_before(sheet))
        .limit(PAGE)
    )
    rows = session.exec(query).all()
    tied, asked = deposited_by(session, school_id), open_asks(session, school_id, [row.id for row, *_ in rows])
    names = _names(session, [row.made_by for row, *_ in rows] + [each.made_by for each, _ in asked.values()])
    return tuple(
        DepositRow(
            deposit_id=str(row.id),
            at=row.at,
            amount=row.amount,
            account=account_name(account),
            slip=row.slip,
            by=names.get(row.made_by, ""),
            stands="ended" if ended else "tied" if row.id in tied else "transit",
            about=ended.reason if ended else tied.get(row.id, ""),
            mine=row.made_by == user_id,
            fits=tuple(_fit(came, sign) for came, sign in open_[row.id].fits) if row.id in open_ else (),
            others=tuple(_fit(came, "") for came in open_[row.id].others) if row.id in open_ else (),
            asked=_asked(asked[row.id], names, user_id) if row.id in asked else None,
        )
        for row, account, ended in rows
    )


def _asked(asked: tuple[CashTieAsk, Transfer], names: dict[UUID, str], user_id: UUID) -> TieAskRow:
    row, came = asked
    return TieAskRow(
        str(row.id), came.value_date, came.amount, came.memo, row.reason, names.get(row.made_by, ""),
        mine=row.made_by == user_id,
    )  # fmt: skip


def _fit(came: Came, sign: str) -> FitRow:
    return FitRow(came.id, came.day, came.amount, came.memo, came.number, sign)


def handovers_page(session: Session, school_id: UUID, user_id: UUID, number: int, now: datetime) -> HandoversPage:
    """Return the hand-overs, and what would be handed over now."""
    sheet = sheet_of(session, school_id, CashHandover, number)
    listed, keeper = to_hand(session, school_id), keeper_of(session, school_id)
    return HandoversPage(
        opening=listed.opening,
        closing=listed.closing,
        lines=len(listed.entries),
        counted=count_to_hand(session, school_id) is not None,
        waits=waiting_handover(session, school_id) is not None,
        people=receivers(session, school_id, user_id, now),
        form=str(new_id()),
        rows=_handover_rows(session, school_id, user_id, sheet, ends=approves(session, school_id, user_id, now)),
        keeper=_names(session, [keeper]).get(keeper, "") if keeper else "",
        keeps=may_keep(session, school_id, user_id, now),
        sheet=sheet,
    )


def receivers(session: Session, school_id: UUID, user_id: UUID, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return who may receive the till: cashiers and approvers of the school today, but oneself and no accountant."""
    today = school_day(now)
    rows = session.exec(
        select(User.id, User.full_name, RoleGrant.role)
        .join(RoleGrant, col(RoleGrant.user_id) == col(User.id))
        .where(
            RoleGrant.school_id == school_id,
            User.id != user_id,
            col(RoleGrant.role).in_([role.value for role in _RECEIVERS]),
            col(RoleGrant.valid_from) <= today,
            col(RoleGrant.valid_to).is_(None) | (col(RoleGrant.valid_to) >= today),
        )
        .order_by(User.full_name, RoleGrant.role)
    ).all()
    return tuple(
        (str(key), f"{name} ({ROLE_NAMES[Actor(role)][0]})")
        for key, name, role in rows
        if may_receive(session, school_id, key, now)
    )


def _handover_rows(
    session: Session, school_id: UUID, user_id: UUID, sheet: Sheet, *, ends: bool
) -> tuple[HandoverRow, ...]:
    query: Any = (
        select(CashHandover, CashHandoverDecision)
        .outerjoin(CashHandoverDecision, col(CashHandoverDecision.handover_id) == col(CashHandover.id))
        .where(col(CashHandover.school_id) == school_id)
        .order_by(col(CashHandover.number).desc())
        .offset(_before(sheet))
        .limit(PAGE)
    )
    rows = session.exec(query).all()
    names = _names(session, [person for row, _ in rows for person in (row.made_by, row.receiver)])
    return tuple(
        HandoverRow(
            handover_id=str(row.id),
            number=row.number,
            at=row.at,
            giver=names.get(row.made_by, ""),
            receiver=names.get(row.receiver, ""),
            closing=row.closing,
            stands=_HAND_STANDS[decided.accepted if decided else None],
            reason=decided.reason if decided else "",
            receives=row.receiver == user_id,
            gives=row.made_by == user_id,
            ends=ends and user_id not in {row.receiver, row.made_by},
        )
        for row, decided in rows
    )


def handover_document(session: Session, school_id: UUID, handover_id: UUID) -> HandoverDocument:
    """Return the record of a hand-over; raises ``NotFound``."""
    row = find_handover(session, school_id, handover_id)
    school = session.get_one(School, school_id)
    names = _names(session, [row.made_by, row.receiver])
    count = session.exec(select(CashCount).where(CashCount.id == row.count_id)).one()
    decided = session.get(CashHandoverDecision, handover_id)
    notes = sorted(((int(face), int(number)) for face, number in count.notes.items()), reverse=True)
    return HandoverDocument(
        unit_name=school.name,
        unit_address=school.address,
        number=row.number,
        made_at=row.at,
        giver=names.get(row.made_by, ""),
        receiver=names.get(row.receiver, ""),
        opening=row.opening,
        closing=row.closing,
        lines=_lines(session, school_id, handover_id),
        notes=tuple(notes),
        note=row.note,
        stands=_stands_in_words(decided),
    )


def _stands_in_words(decided: CashHandoverDecision | None) -> str:
    if decided is None:
        return "chờ bên nhận ký nhận"
    return "đã ký nhận trên hệ thống" if decided.accepted else f"không thành: {decided.reason}"


def _lines(session: Session, school_id: UUID, handover_id: UUID) -> tuple[HandoverLine, ...]:
    rows = session.execute(_LINES, {"school": school_id, "handover": handover_id})
    return tuple(
        HandoverLine(
            number=f"{row.paper} · {row.leaf}" if row.paper else with_book(row.code, row.number) if row.code else "",
            day=row.value_date,
            words=" · ".join(filter(None, (_WORDS.get(row.kind, row.kind), row.full_name, row.note))),
            amount=Money(row.amount) if row.amount is not None else ZERO,
        )
        for row in rows
    )


def _before(sheet: Sheet) -> int:
    """Return how many rows stand before a page."""
    return (sheet.number - 1) * PAGE


def _names(session: Session, people: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(set(people)))).all())
