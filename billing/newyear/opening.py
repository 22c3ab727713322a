"""The opening list of a year: what is open on old bills and what is kept, tied to totals that two people sign.

Nothing is moved by it: old bills stay as they are and are never billed again, and credit stays in the book. The list is
drawn up by one person and signed by another only while it is still, to the đồng, what bills and book say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.tables import Bill
from billing.credits.choosing import class_of_pupils
from billing.credits.reading import credit_of
from billing.errors import Conflict, NotFound
from billing.fees.reducing import person
from billing.money import Money, total
from billing.newyear.classes import one_year_at_a_time
from billing.newyear.tables import YearOpening, YearOpeningLine, YearOpeningSignature
from billing.newyear.years import days_of, read_year
from billing.payments.balances import bill_balances
from billing.payments.still_open import open_bills
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.tables import ClassGroup
from billing.rounds.tables import BillingRound


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """A pupil's open bill, or credit under one item (None: paid too much)."""

    pupil_id: UUID
    amount: Money
    bill_id: UUID | None = None
    number: str = ""
    period: str = ""
    due_on: date | None = None
    item_code: str | None = None

    @property
    def order(self) -> tuple[str, str, str, str]:
        """The place in the list: by pupil, bills before credit, oldest first."""
        due_on = self.due_on.isoformat() if self.due_on else "9999"
        return str(self.pupil_id), due_on, self.number, self.item_code or ""


@dataclass(frozen=True, slots=True)
class OpeningList:
    """All lines of a school at the border of a year."""

    lines: tuple[OpeningLine, ...]

    @property
    def due(self) -> Money:
        """What is open on bills."""
        return total(line.amount for line in self.lines if line.bill_id)

    @property
    def credit(self) -> Money:
        """What is kept for families."""
        return total(line.amount for line in self.lines if not line.bill_id)

    @property
    def pupils(self) -> int:
        """How many pupils stand in it."""
        return len({line.pupil_id for line in self.lines})

    @property
    def digest(self) -> bytes:
        """SHA-256 over all lines in their order, as JSON."""
        return digest_of_lines(self.lines)


def digest_of_lines(lines: Iterable[OpeningLine]) -> bytes:
    """Return SHA-256 over lines in their order: pupil, bill, number, item and đồng."""
    rows = [
        [str(line.pupil_id), str(line.bill_id or ""), line.number, line.period, line.item_code or "", line.amount.dong]
        for line in sorted(lines, key=lambda each: each.order)
    ]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def opening_now(session: Session, school_id: UUID, school_year: str) -> OpeningList:
    """Return what is open on bills of rounds before the year, and all credit, as bills and book say now."""
    pupils = session.exec(select(col(Bill.pupil_id)).where(Bill.school_id == school_id).distinct()).all()
    first = days_of(school_year).start
    old = set(
        session.exec(
            select(BillingRound.id).where(BillingRound.school_id == school_id, BillingRound.period_from < first)
        ).all()
    )
    rests = {bill.bill_id: bill for bill in open_bills(session, school_id, pupils) if bill.round_id in old}
    facts = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(list(rests)))
    bills = [
        OpeningLine(each.pupil_id, each.rest, each.bill_id, each.number, each.period, each.due_on) for each in facts
    ]
    credit = credit_of(session, school_id)
    kept = [OpeningLine(pupil, amount, item_code=item) for (pupil, item), amount in credit.items()]
    return OpeningList(tuple(sorted([*bills, *kept], key=lambda each: each.order)))


def draw_up(session: Session, school_id: UUID, school_year: str, actor: Actor, now: datetime) -> YearOpening:
    """Write the list down for signing; the same list twice is one. Raises ``Conflict`` once one is signed."""
    one_year_at_a_time(session, school_id)
    read_year(school_year)
    _refuse_signed(session, school_id, school_year)
    found = opening_now(session, school_id, school_year)
    same = newest_opening(session, school_id, school_year)
    if same is not None and same.digest == found.digest:
        return same
    opening = YearOpening(
        school_id=school_id,
        school_year=school_year,
        due=found.due,
        credit=found.credit,
        pupils=found.pupils,
        digest=found.digest,
        made_by=person(actor),
        made_at=now,
    )
    session.add(opening)
    session.flush()
    classes = class_of_pupils(session, school_id, days_of(school_year).start)
    session.add_all(_row(opening, line, classes) for line in found.lines)
    session.flush()
    _note(session, actor, opening, "year.draw_up_opening", now)
    return opening


def sign(session: Session, school_id: UUID, opening_id: UUID, actor: Actor, now: datetime) -> YearOpeningSignature:
    """Sign a list that another person drew up; signed, nothing changes it any more.

    Raises ``SamePerson``, and ``Conflict`` when one is signed already or the list is no longer what bills and book say.
    """
    one_year_at_a_time(session, school_id)
    opening = find_opening(session, school_id, opening_id)
    own_word = "Người lập danh sách số dư không được tự ký. Hãy nhờ người duyệt."
    second_person(session, actor, Agreement(school_id, {opening.made_by}, WHOLE_SCHOOL, own_word))
    _refuse_signed(session, school_id, opening.school_year)
    if opening_now(session, school_id, opening.school_year).digest != opening.digest:
        raise Conflict("Số dư đã đổi sau khi lập danh sách (có tiền vào, ghi giảm hoặc hoàn). Hãy nhờ lập lại rồi ký.")
    signature = YearOpeningSignature(
        opening_id=opening.id,
        school_id=school_id,
        school_year=opening.school_year,
        approved_by=person(actor),
        at=now,
    )
    session.add(signature)
    session.flush()
    _note(session, actor, opening, "year.sign_opening", now)
    return signature


def find_opening(session: Session, school_id: UUID, opening_id: UUID) -> YearOpening:
    """Return a list of the school; raises ``NotFound`` for any other."""
    found = session.exec(
        select(YearOpening).where(YearOpening.school_id == school_id, YearOpening.id == opening_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy danh sách số dư này.", opening=opening_id)
    return found


def newest_opening(session: Session, school_id: UUID, school_year: str) -> YearOpening | None:
    """Return the list that was drawn up last for a year; a signed one is always the last."""
    return session.exec(
        select(YearOpening)
        .where(YearOpening.school_id == school_id, YearOpening.school_year == school_year)
        .order_by(col(YearOpening.made_at).desc(), col(YearOpening.id).desc())
        .limit(1)
    ).first()


def signature_of(session: Session, opening: YearOpening) -> YearOpeningSignature | None:
    """Return the second person's signature, if there is one."""
    return session.exec(select(YearOpeningSignature).where(YearOpeningSignature.opening_id == opening.id)).one_or_none()


def lines_of(session: Session, opening: YearOpening) -> Sequence[YearOpeningLine]:
    """Return the lines of a list as they were written."""
    return session.exec(
        select(YearOpeningLine)
        .where(YearOpeningLine.school_id == opening.school_id, YearOpeningLine.opening_id == opening.id)
        .order_by(col(YearOpeningLine.id))
    ).all()


def as_lines(rows: Iterable[YearOpeningLine]) -> list[OpeningLine]:
    """Return written lines as they were digested."""
    return [
        OpeningLine(row.pupil_id, row.amount, row.bill_id, row.number, row.period, row.due_on, row.item_code)
        for row in rows
    ]


def _refuse_signed(session: Session, school_id: UUID, school_year: str) -> None:
    signed = session.exec(
        select(YearOpeningSignature.opening_id).where(
            YearOpeningSignature.school_id == school_id, YearOpeningSignature.school_year == school_year
        )
    ).first()
    if signed is not None:
        raise Conflict(f"Số dư đầu năm học {school_year} đã ký; không lập hay ký lại nữa.", opening=signed)


def _row(opening: YearOpening, line: OpeningLine, classes: Mapping[UUID, ClassGroup]) -> YearOpeningLine:
    group = classes.get(line.pupil_id)
    return YearOpeningLine(
        school_id=opening.school_id,
        opening_id=opening.id,
        pupil_id=line.pupil_id,
        class_code=group.code if group else "",
        kind="bill" if line.bill_id else "credit",
        bill_id=line.bill_id,
        number=line.number,
        period=line.period,
        due_on=line.due_on,
        item_code=line.item_code,
        amount=line.amount,
    )


def _note(session: Session, actor: Actor, opening: YearOpening, action: str, now: datetime) -> None:
    deed = Deed(opening.school_id, action, "year_opening", str(opening.id))
    sums = {"due": opening.due.dong, "credit": opening.credit.dong, "digest": opening.digest.hex()}
    record_deed(session, actor, deed, now, school_year=opening.school_year, **sums)
