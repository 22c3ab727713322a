"""What is known of pupils' cards: those that count, those that counted when a bill was issued, the months collected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.cards.months import Stretch, stretches
from billing.cards.tables import InsuranceCard
from billing.storage import among


def stretches_of(card: InsuranceCard) -> tuple[Stretch, ...]:
    """Return what is bought by a card, in order; nothing for who is insured elsewhere."""
    if card.starts_on is None or card.collected_in is None:
        return ()
    return stretches(card.year, card.starts_on, card.at_a_time, card.collected_in)


def months_collected(session: Session, school_id: UUID, first: date, last: date) -> dict[UUID, dict[date, int]]:
    """Return by pupil how many months of insurance are collected in each calendar month that these days touch."""
    rows = session.exec(
        select(InsuranceCard).where(
            InsuranceCard.school_id == school_id,
            col(InsuranceCard.withdrawn_at).is_(None),
            InsuranceCard.source == "school",
            # What is collected within a year is of that year or, bought in advance, of the next one.
            col(InsuranceCard.year).between(first.year, min(last.year, first.year + 1) + 1),
        )
    ).all()
    found: dict[UUID, dict[date, int]] = defaultdict(dict)
    for row in rows:
        for stretch in stretches_of(row):
            month = stretch.collected_in
            if first.replace(day=1) <= month <= last:
                found[row.pupil_id][month] = found[row.pupil_id].get(month, 0) + stretch.months
    return dict(found)


def live_cards(session: Session, school_id: UUID, year: int, pupils: Collection[UUID]) -> dict[UUID, InsuranceCard]:
    """Return by pupil the card that counts for a year."""
    rows = session.exec(
        select(InsuranceCard).where(
            InsuranceCard.school_id == school_id,
            InsuranceCard.year == year,
            col(InsuranceCard.withdrawn_at).is_(None),
            among(InsuranceCard.pupil_id, pupils),
        )
    ).all()
    return {row.pupil_id: row for row in rows}


def cards_ever(session: Session, school_id: UUID, year: int) -> dict[UUID, Sequence[InsuranceCard]]:
    """Return by pupil all rows of a year, the newest first, also those that gave way to others."""
    rows = session.exec(
        select(InsuranceCard)
        .where(InsuranceCard.school_id == school_id, InsuranceCard.year == year)
        .order_by(col(InsuranceCard.made_at).desc(), col(InsuranceCard.id).desc())
    ).all()
    found: dict[UUID, list[InsuranceCard]] = defaultdict(list)
    for row in rows:
        found[row.pupil_id].append(row)
    return dict(found)
