"""Paper books of receipts that are entered later: the book, each number once, spoilt leaves, and what is missing.

The family holds the printed leaf, so what is entered from it gets no receipt of ours. Rule of the numbers: consecutive,
no gap, no reuse, a void leaf keeps its number (docs/cash.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.runs import Run, missing_runs
from billing.cash.spelling import folded
from billing.cash.tables import CashReversal, CashReversalDecision, PaperBook, PaperNumber
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.visible import is_blank

MOST_LEAVES = 1000
_LONGEST_CODE = 20


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a paper book."""

    book_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class BookState:
    """A book with its numbers that count, and those up to the highest one that were neither entered nor spoilt."""

    book: PaperBook
    used: tuple[PaperNumber, ...]
    missing: tuple[Run, ...]


def open_book(  # noqa: PLR0913, PLR0917  which book with which leaves
    session: Session, actor: Actor, school_id: UUID, code: str, first: int, last: int, now: datetime
) -> PaperBook:
    """Write down a book of printed receipts.

    Raises ``Conflict`` for a known code, however it is spelled, ``Refused`` for bad leaves.
    """
    if not code or len(code) > _LONGEST_CODE:
        raise Refused(f"Hãy ghi ký hiệu quyển, đến {_LONGEST_CODE} ký tự.")
    if not 0 < first <= last < first + MOST_LEAVES:
        raise Refused(f"Số đầu và số cuối của quyển chưa đúng: từ 1 trở lên, mỗi quyển đến {MOST_LEAVES} số.")
    _refuse_known(session, school_id, code)
    book = PaperBook(
        school_id=school_id, code=code, first_number=first, last_number=last, made_by=_person(actor), at=now
    )
    session.add(book)
    session.flush()
    deed = Deed(school_id, "paper_book.open", "paper_book", str(book.id))
    record_deed(session, actor, deed, now, code=code, first=first, last=last)
    return book


def _refuse_known(session: Session, school_id: UUID, code: str) -> None:
    codes = session.exec(select(PaperBook.code).where(PaperBook.school_id == school_id)).all()
    known = next((each for each in codes if folded(each) == folded(code)), None)
    if known is not None:
        raise Conflict(f"Quyển {known} đã có.")


def leaf_of(session: Session, school_id: UUID, taking_id: UUID) -> Leaf | None:
    """Return the leaf that a taking was entered from, None for one that got a receipt of ours."""
    row = session.exec(
        select(PaperNumber).where(PaperNumber.school_id == school_id, PaperNumber.taking_id == taking_id)
    ).one_or_none()
    return None if row is None else Leaf(row.book_id, row.number)


def enter_leaf(  # noqa: PLR0913, PLR0917  which leaf, for which taking
    session: Session, actor: Actor, school_id: UUID, leaf: Leaf, taking_id: UUID, now: datetime
) -> PaperNumber:
    """Tie a taking to its leaf, after ``refuse_leaf``."""
    return _write(session, actor, school_id, leaf, now, taking_id=taking_id)


def spoil_leaf(  # noqa: PLR0913, PLR0917  which leaf, and why
    session: Session, actor: Actor, school_id: UUID, leaf: Leaf, reason: str, now: datetime
) -> PaperNumber:
    """Write down that a leaf was spoilt and stands for no money; raises as ``refuse_leaf``."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do hỏng hoặc hủy số này.")
    refuse_leaf(session, school_id, leaf)
    row = _write(session, actor, school_id, leaf, now, spoilt=reason.strip())
    deed = Deed(school_id, "paper_book.spoil", "paper_book", str(leaf.book_id), reason.strip())
    record_deed(session, actor, deed, now, number=leaf.number)
    return row


def find_book(session: Session, school_id: UUID, book_id: UUID) -> PaperBook:
    """Return a book; raises ``NotFound`` outside the school."""
    found = session.exec(
        select(PaperBook).where(PaperBook.school_id == school_id, PaperBook.id == book_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy quyển biên lai này.", book=book_id)
    return found


def books_of(session: Session, school_id: UUID) -> list[BookState]:
    """Return the paper books of a school by code."""
    books = session.exec(select(PaperBook).where(PaperBook.school_id == school_id).order_by(PaperBook.code)).all()
    return [book_state(session, each) for each in books]


def book_state(session: Session, book: PaperBook) -> BookState:
    """Return a book with what was entered from it and what is missing."""
    used = _live(session, book.school_id, book.id)
    return BookState(book, tuple(used), tuple(missing_runs(book.first_number, (row.number for row in used))))


def _live(session: Session, school_id: UUID, book_id: UUID, numbers: Iterable[int] | None = None) -> list[PaperNumber]:
    """Return the leaves that count: spoilt ones, and takings that were not reversed."""
    reversed_ = (
        select(CashReversal.taking_id)
        .join(CashReversalDecision, col(CashReversalDecision.reversal_id) == CashReversal.id)
        .where(CashReversal.school_id == school_id, col(CashReversalDecision.approved))
    )
    query = select(PaperNumber).where(
        PaperNumber.school_id == school_id,
        PaperNumber.book_id == book_id,
        col(PaperNumber.taking_id).is_(None) | col(PaperNumber.taking_id).not_in(reversed_),
    )
    if numbers is not None:
        query = query.where(col(PaperNumber.number).in_(list(numbers)))
    return list(session.exec(query.order_by(col(PaperNumber.number))).all())


def refuse_leaf(session: Session, school_id: UUID, leaf: Leaf) -> None:
    """Hold a book; raise ``Conflict`` for a number that is entered, ``Refused`` for one that the book does not have."""
    book = find_book(session, school_id, leaf.book_id)
    name = {"name": f"paper book {book.id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    if not book.first_number <= leaf.number <= book.last_number:
        raise Refused(f"Quyển {book.code} chỉ có số {book.first_number} đến {book.last_number}.")
    if _live(session, school_id, book.id, [leaf.number]):
        raise Conflict(f"Số {leaf.number} của quyển {book.code} đã được nhập. Mỗi số chỉ nhập một lần.")


def _write(  # noqa: PLR0913  one leaf
    session: Session,
    actor: Actor,
    school_id: UUID,
    leaf: Leaf,
    now: datetime,
    *,
    taking_id: UUID | None = None,
    spoilt: str = "",
) -> PaperNumber:
    row = PaperNumber(
        school_id=school_id,
        book_id=leaf.book_id,
        number=leaf.number,
        taking_id=taking_id,
        spoilt=spoilt,
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    return row


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Quyển biên lai giấy phải do một người có tên nhập.")
    return actor.user_id
