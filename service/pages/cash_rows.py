"""The cashier's pages from rows of one school: whom the words find, takings with their papers, paper books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.cash.paper_books import BookState, book_state, books_of, find_book
from billing.cash.tables import CashReversal, CashReversalDecision, CashTaking, PaperBook, PaperNumber
from billing.cash.undoing import find_taking, payment_of
from billing.ledger.accounts import CASH
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.payments.receipt_number import with_book
from billing.payments.still_open import open_bills
from billing.payments.tables import Allocation, Payment, Receipt, ReceiptBook
from billing.people.names import NO_CLASS, search_key, sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil
from billing.storage import among, money_sum
from service.access.tables import User
from service.pages.cash_views import (
    CashHome,
    FoundPupil,
    LeafRow,
    PaperBookPage,
    PaperBookRow,
    ReversalRow,
    Sheet,
    TakingPage,
    TakingRow,
)
from service.pages.family_rows import period_name

_MOST_HITS = 50
_SHOWN = 50
_STANDS = {True: "reversed", None: "asked", False: "live"}


def cash_home(session: Session, school_id: UUID, words: str, number: int, today: date) -> CashHome:
    """Return the till, the pupils that the words find, and a page of the takings, the newest first."""
    taken = session.exec(select(func.count()).select_from(CashTaking).where(CashTaking.school_id == school_id)).one()
    sheet = Sheet.cut(number, taken, _SHOWN)
    return CashHome(
        words=words,
        hits=found_pupils(session, school_id, words, today),
        balance=debit_balance(session, school_id, CASH),
        today=_taken_on(session, school_id, today),
        rows=taking_rows(session, school_id, first=(sheet.number - 1) * _SHOWN),
        asked=_waiting_reversals(session, school_id),
        sheet=sheet,
    )


def found_pupils(session: Session, school_id: UUID, words: str, today: date) -> tuple[FoundPupil, ...]:
    """Return pupils enrolled here or billed here before whose name has all of the words; none for no words."""
    wanted = search_key(words).split()
    if not wanted:
        return ()
    here = select(Enrolment.pupil_id).where(Enrolment.school_id == school_id)
    billed = select(Bill.pupil_id).where(Bill.school_id == school_id)
    names = dict(
        session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(here) | col(Pupil.id).in_(billed))).all()
    )
    hits = [key for key, name in names.items() if all(word in search_key(name) for word in wanted)]
    hits = sorted(hits, key=lambda key: sort_key(names[key]))[:_MOST_HITS]
    rests: dict[UUID, Money] = defaultdict(lambda: ZERO)
    for bill in open_bills(session, school_id, hits):
        rests[bill.pupil_id] += bill.rest
    classes = classes_of(session, school_id, hits, today)
    return tuple(FoundPupil(str(key), names[key], classes.get(key, NO_CLASS), rests[key]) for key in hits)


def classes_of(session: Session, school_id: UUID, pupils: Collection[UUID], today: date) -> dict[UUID, str]:
    """Return the class code of each pupil who is in a class of the school today."""
    rows = session.exec(
        select(Enrolment.pupil_id, ClassGroup.code)
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            Enrolment.school_id == school_id,
            among(Enrolment.pupil_id, pupils),
            col(ClassPlacement.valid_from) <= today,
            col(ClassPlacement.valid_to).is_(None) | (col(ClassPlacement.valid_to) >= today),
        )
    ).all()
    return dict(rows)


def taking_rows(
    session: Session, school_id: UUID, taking_id: UUID | None = None, *, first: int = 0
) -> tuple[TakingRow, ...]:
    """Return a page of takings, the newest first, with the numbers of their papers and where they stand."""
    query: Any = (
        select(CashTaking, Pupil.full_name, User.full_name, Receipt.number)
        .add_columns(col(ReceiptBook.code))
        .join(Pupil, col(Pupil.id) == col(CashTaking.pupil_id))
        .join(User, col(User.id) == col(CashTaking.made_by))
        .join(
            Payment,
            (col(Payment.school_id) == CashTaking.school_id)
            & (col(Payment.source_kind) == "cash")
            & (col(Payment.source_id) == CashTaking.id),
        )
        .outerjoin(Receipt, col(Receipt.payment_id) == col(Payment.id))
        .outerjoin(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .where(col(CashTaking.school_id) == school_id)
        .order_by(col(CashTaking.at).desc(), col(CashTaking.id).desc())
    )
    if taking_id is not None:
        query = query.where(CashTaking.id == taking_id)
    found = session.exec(query.offset(first).limit(_SHOWN)).all()
    ids = [row.id for row, *_ in found]
    leaves, stands = _leaves(session, school_id, ids), _stands(session, school_id, ids)
    return tuple(
        TakingRow(
            taking_id=str(row.id),
            day=row.day,
            pupil=pupil,
            amount=row.amount,
            number=leaves.get(row.id) or with_book(code, number),
            stands=stands.get(row.id, "live"),
            by=by,
        )
        for row, pupil, by, number, code in found
    )


def taking_page(session: Session, school_id: UUID, taking_id: UUID, user_id: UUID) -> TakingPage:
    """Return one taking with what it paid and its reversals; raises ``NotFound``."""
    taking = find_taking(session, school_id, taking_id)
    payment = payment_of(session, taking)
    parts = session.exec(
        select(Bill.number, Bill.period, col(Allocation.amount))
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .where(Allocation.school_id == school_id, Allocation.payment_id == payment.id)
        .order_by(col(Bill.due_on), col(Bill.number))
    ).all()
    reversals, askers = _reversals(session, school_id, taking_id)
    return TakingPage(
        row=taking_rows(session, school_id, taking_id)[0],
        pupil_id=str(taking.pupil_id),
        payer=taking.payer,
        collector=taking.collector,
        at=taking.at,
        parts=tuple((f"{number} · {period_name(period)}", amount) for number, period, amount in parts),
        surplus=taking.amount - total(amount for *_, amount in parts),
        printed=not _leaves(session, school_id, [taking_id]),
        transfers=len(taking.seen.get("transfers", [])),
        reversals=reversals,
        mine=user_id == taking.made_by or user_id in askers,
    )


def paper_book_rows(session: Session, school_id: UUID) -> tuple[PaperBookRow, ...]:
    """Return the paper books with their missing numbers."""
    return tuple(_book_row(state) for state in books_of(session, school_id))


def paper_book_page(session: Session, school_id: UUID, book_id: UUID, words: str, today: date) -> PaperBookPage:
    """Return one paper book with its leaves; raises ``NotFound``."""
    state = book_state(session, find_book(session, school_id, book_id))
    takings = {
        taking.id: (taking, name)
        for taking, name in session.exec(
            select(CashTaking, Pupil.full_name)
            .join(Pupil, col(Pupil.id) == col(CashTaking.pupil_id))
            .where(col(CashTaking.id).in_([row.taking_id for row in state.used if row.taking_id]))
        ).all()
    }
    leaves = tuple(_leaf_row(row, takings) for row in state.used)
    return PaperBookPage(_book_row(state), leaves, words, found_pupils(session, school_id, words, today))


def _book_row(state: BookState) -> PaperBookRow:
    book = state.book
    missing = tuple(map(str, state.missing))
    return PaperBookRow(str(book.id), book.code, book.first_number, book.last_number, len(state.used), missing)


def _leaf_row(row: PaperNumber, takings: dict[UUID, tuple[CashTaking, str]]) -> LeafRow:
    if row.taking_id is None:
        return LeafRow(row.number, "", "", None, None, row.spoilt)
    taking, name = takings[row.taking_id]
    return LeafRow(row.number, str(taking.id), name, taking.amount, taking.day, "")


def _leaves(session: Session, school_id: UUID, takings: Sequence[UUID]) -> dict[UUID, str]:
    """Return, for takings of a paper book, its code and number as shown."""
    rows = session.exec(
        select(PaperNumber.taking_id, PaperBook.code, PaperNumber.number)
        .join(PaperBook, col(PaperBook.id) == col(PaperNumber.book_id))
        .where(PaperNumber.school_id == school_id, col(PaperNumber.taking_id).in_(takings))
    ).all()
    return {taking: f"{code} · {number}" for taking, code, number in rows if taking is not None}


def _stands(session: Session, school_id: UUID, takings: Sequence[UUID]) -> dict[UUID, str]:
    """Return where takings stand that somebody asked to reverse; the newest request tells."""
    rows = session.exec(
        select(CashReversal.taking_id, CashReversalDecision.approved)
        .outerjoin(CashReversalDecision, col(CashReversalDecision.reversal_id) == col(CashReversal.id))
        .where(CashReversal.school_id == school_id, col(CashReversal.taking_id).in_(takings))
        .order_by(col(CashReversal.at), col(CashReversal.id))
    ).all()
    return {taking: _STANDS[approved] for taking, approved in rows}


def _reversals(session: Session, school_id: UUID, taking_id: UUID) -> tuple[tuple[ReversalRow, ...], set[UUID]]:
    """Return the reversals asked for, the newest first, and who asks for one that waits."""
    query: Any = (
        select(CashReversal, CashReversalDecision)
        .outerjoin(CashReversalDecision, col(CashReversalDecision.reversal_id) == col(CashReversal.id))
        .where(CashReversal.school_id == school_id, CashReversal.taking_id == taking_id)
        .order_by(col(CashReversal.at).desc(), col(CashReversal.id).desc())
    )
    rows: Sequence[tuple[CashReversal, CashReversalDecision | None]] = session.exec(query).all()
    people = {row.made_by for row, _ in rows} | {decided.decided_by for _, decided in rows if decided is not None}
    names = dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(people))).all())
    shown = tuple(_reversal_row(row, decided, names) for row, decided in rows)
    return shown, {row.made_by for row, decided in rows if decided is None}


def _reversal_row(row: CashReversal, decided: CashReversalDecision | None, names: dict[UUID, str]) -> ReversalRow:
    stands = "waiting" if decided is None else "approved" if decided.approved else "refused"
    by, reason = ("", "") if decided is None else (names.get(decided.decided_by, ""), decided.reason)
    return ReversalRow(str(row.id), row.reason, names.get(row.made_by, ""), row.at, stands, by, reason)


def receipt_of(session: Session, school_id: UUID, taking_id: UUID) -> tuple[UUID, str] | None:
    """Return a taking's receipt and its number as shown; nothing for a leaf of a paper book."""
    payment = payment_of(session, find_taking(session, school_id, taking_id))
    row = session.exec(
        select(Receipt.id, ReceiptBook.code, Receipt.number)
        .join(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .where(Receipt.school_id == school_id, Receipt.payment_id == payment.id)
    ).one_or_none()
    return None if row is None else (row[0], with_book(row[1], row[2]))


def collector_of(session: Session, user_id: UUID) -> str:
    """Return the name that is printed as the collector's."""
    return session.exec(select(User.full_name).where(User.id == user_id)).one()


def _waiting_reversals(session: Session, school_id: UUID) -> int:
    """Return how many reversals wait for a decision."""
    return session.exec(
        select(func.count())
        .select_from(CashReversal)
        .outerjoin(CashReversalDecision, col(CashReversalDecision.reversal_id) == col(CashReversal.id))
        .where(CashReversal.school_id == school_id, col(CashReversalDecision.reversal_id).is_(None))
    ).one()


def _taken_on(session: Session, school_id: UUID, day: date) -> Money:
    """Return what was taken on a day and not reversed."""
    reversed_ = (
        select(CashReversal.taking_id)
        .join(CashReversalDecision, col(CashReversalDecision.reversal_id) == CashReversal.id)
        .where(CashReversal.school_id == school_id, col(CashReversalDecision.approved))
    )
    taken = select(money_sum(CashTaking.amount)).where(
        CashTaking.school_id == school_id, CashTaking.day == day, col(CashTaking.id).not_in(reversed_)
    )
    return session.exec(taken).one()
