"""Writing down by whom pupils are insured: one by one, a class at once, or a sheet. A change takes the row's place.

The audit is told how many, never why a child is insured elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cards.months import CHOICES, YEAR, first_day
from billing.cards.reading import stretches_of
from billing.cards.tables import REASONS, InsuranceCard
from billing.errors import NotAllowed, NotFound, Refused
from billing.people.tables import Enrolment
from billing.storage import among
from billing.vault import Vault

NUMBER_CONTEXT = "insurance_cards.number"
_NUMBER_LENGTHS = (10, 15)

Judge = Callable[[InsuranceCard | None, InsuranceCard], None]
"""Refuses a row (the second) in the place of the one that counts; what bills say is known above this room only."""


@dataclass(frozen=True, slots=True)
class NewCard:
    """What is said of a pupil in a calendar year.

    Insured elsewhere: ``reason``. Buys at school: ``collected_in`` (a day of that month), ``at_a_time`` months, and
    ``starts_on`` where it is another day than the one after ``card_end`` or the enrolment. An empty ``number`` keeps
    the one that is known.
    """

    pupil_id: UUID
    year: int
    reason: str | None = None
    card_end: date | None = None
    number: str = ""
    at_a_time: int | None = None
    collected_in: date | None = None
    starts_on: date | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """How many rows were new, took an earlier one's place, or said what was known."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


def enter_cards(  # noqa: PLR0913, PLR0917  a deed, what it is about, its moment
    session: Session,
    vault: Vault,
    actor: Actor,
    school_id: UUID,
    cards: Sequence[NewCard],
    now: datetime,
    *,
    judge: Judge,
) -> Entered:
    """Write down what is said of pupils; the same twice is once.

    Raises ``NotFound`` for who is no pupil of the school, ``Refused`` for what makes no sense, and what ``judge``
    raises.
    """
    if actor.user_id is None:
        raise NotAllowed("Việc ghi thẻ BHYT phải do một người có tên làm.")
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"cards {school_id}"})
    enrolled = _enrolled(session, school_id, {card.pupil_id for card in cards})
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    for card in cards:
        if card.pupil_id not in enrolled:
            raise NotFound("Có học sinh không học ở trường này. Hãy tải lại danh sách lớp.", pupil=card.pupil_id)
        made = _row(vault, school_id, card, enrolled[card.pupil_id], actor.user_id, now)
        counts[_take(session, vault, made, card.number, now, judge)] += 1
    done = Entered(**counts)
    if done.new or done.changed:
        deed = Deed(school_id, "insurance.cards", "school", str(school_id))
        record_deed(session, actor, deed, now, new=done.new, changed=done.changed)
    return done


def number_of(vault: Vault, sealed: bytes | None) -> str:
    """Return a card's number, opened; nothing where it is not known."""
    return vault.open(sealed, NUMBER_CONTEXT) if sealed else ""


def clean_number(text_: str) -> str:
    """Return a card's number without blanks, in capitals; raises ``Refused`` unless it has 10 or 15 characters."""
    bare = "".join(text_.split()).upper()
    if bare and not (bare.isascii() and bare.isalnum() and len(bare) in _NUMBER_LENGTHS):
        raise Refused("Số thẻ BHYT gồm 10 hoặc 15 ký tự chữ và số. Hãy kiểm tra lại số thẻ.")
    return bare


def _enrolled(session: Session, school_id: UUID, pupils: Collection[UUID]) -> dict[UUID, date]:
    """Return by pupil the first day at this school."""
    rows = session.exec(
        select(col(Enrolment.pupil_id), col(Enrolment.started_on))
        .where(Enrolment.school_id == school_id, among(Enrolment.pupil_id, pupils))
        .order_by(col(Enrolment.started_on).desc())
    ).all()
    return dict(rows)  # the earliest wins


def _row(  # noqa: PLR0913, PLR0917  what makes one row
    vault: Vault, school_id: UUID, card: NewCard, enrolled_on: date, maker: UUID, now: datetime
) -> InsuranceCard:
    _refuse_bad(card)
    number = clean_number(card.number)
    row = InsuranceCard(
        school_id=school_id,
        pupil_id=card.pupil_id,
        year=card.year,
        source="other" if card.reason else "school",
        reason=card.reason,
        card_end=card.card_end,
        number_sealed=vault.seal(number, NUMBER_CONTEXT) if number else None,
        made_by=maker,
        made_at=now,
    )
    if card.reason is None and card.collected_in is not None:
        row.starts_on = card.starts_on or first_day(card.year, card.card_end, enrolled_on)
        row.at_a_time = card.at_a_time
        row.collected_in = card.collected_in.replace(day=1)
    return row


def _refuse_bad(card: NewCard) -> None:
    if card.reason is not None:
        if card.reason not in REASONS:
            raise Refused("Hãy chọn diện tham gia BHYT ở nơi khác.", reason=card.reason)
        return
    if card.collected_in is None:
        raise Refused("Hãy chọn tháng thu tiền BHYT.")
    if not date(card.year - 1, 8, 1) <= card.collected_in <= date(card.year, YEAR, 31):
        raise Refused(f"BHYT năm {card.year} thu từ tháng 8/{card.year - 1} đến tháng 12/{card.year}.")
    if card.at_a_time is not None and card.at_a_time not in CHOICES:
        raise Refused("Gia đình mua BHYT mỗi lần 3, 6 hoặc 12 tháng.", months=card.at_a_time)
    if card.starts_on is not None and card.card_end is not None and card.starts_on <= card.card_end:
        raise Refused(f"Thẻ cũ còn hạn đến {card.card_end:%d/%m/%Y}. Hãy mua từ ngày sau đó.")


def _take(  # noqa: PLR0913, PLR0917  one row and its moment
    session: Session, vault: Vault, made: InsuranceCard, number: str, now: datetime, judge: Judge
) -> str:
    """Write one row in the place of the one that counts; return what it was: new, changed or unchanged."""
    rows = session.exec(
        select(InsuranceCard).where(
            InsuranceCard.school_id == made.school_id,
            InsuranceCard.pupil_id == made.pupil_id,
            col(InsuranceCard.withdrawn_at).is_(None),
        )
    ).all()
    held = next((row for row in rows if row.year == made.year), None)
    if held is not None:
        known = number_of(vault, held.number_sealed)
        if not number.strip():
            made.number_sealed = held.number_sealed
        if _said(held) == _said(made) and (not number.strip() or known == clean_number(number)):
            return "unchanged"
    judge(held, made)
    if held is not None:
        held.withdrawn_at = now
        session.add(held)
        session.flush()
    _refuse_together(made, [row for row in rows if row is not held])
    session.add(made)
    session.flush()
    return "new" if held is None else "changed"


def _said(row: InsuranceCard) -> tuple[object, ...]:
    return row.source, row.reason, row.card_end, row.starts_on, row.at_a_time, row.collected_in


def _refuse_together(made: InsuranceCard, others: Sequence[InsuranceCard]) -> None:
    """Two years are never collected in one month: the list of the insurer could not tell one from the other."""
    months = {stretch.collected_in for stretch in stretches_of(made)}
    for other in others:
        both = months & {stretch.collected_in for stretch in stretches_of(other)}
        if both:
            raise Refused(
                f"Tháng {min(both):%m/%Y} đã thu BHYT năm {other.year} của học sinh này. Hãy chọn tháng thu khác."
            )
