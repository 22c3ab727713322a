"""The caps of a province in the database: loaded once, read for the rules with what may nowhere be collected.

A resolution mostly does not say when it ends. The next one does: it ends what holds without an end on the day before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deeds
from billing.fees import tables
from billing.fees.caps import Cap, Rulebook, apart, followed, not_loaded, refuse_overlaps
from billing.fees.catalogue import shipped_rules
from billing.fees.items import Level, Span, Unit
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class TakenCaps:
    """What came of a file of caps: the new ones, and those that were ended, each with the one that follows it."""

    new: tuple[Cap, ...]
    ended: tuple[tuple[Cap, Cap], ...]


def take_caps(session: Session, province_id: UUID, file: Sequence[Cap], actor: Actor, now: datetime) -> TakenCaps:
    """Load a council's caps, and end what held without an end on the day before a new one begins.

    Loading again changes nothing. Raises ``Refused`` where a new cap would hold beside one on the same day: of one that
    begins on that day or later, or names its own end. Each school of the province keeps in its log what changed.
    """
    known = read_rules(session, province_id).caps
    new = not_loaded(file, known)
    pairs = followed(known, new)
    ended = tuple((_until(cap, by), by) for cap, by in pairs)
    stays = [cap for cap in known if cap not in {cap for cap, _ in pairs}]
    refuse_overlaps((*stays, *(cap for cap, _ in ended), *new))
    for cap, _ in ended:
        _end(session, province_id, cap)
    session.flush()
    load_caps(session, province_id, new)
    if new:
        _note(session, province_id, TakenCaps(new, ended), actor, now)
    return TakenCaps(new, ended)


def _until(cap: Cap, by: Cap) -> Cap:
    return replace(cap, valid=Span(cap.valid.start, by.valid.start - timedelta(days=1)))


def _end(session: Session, province_id: UUID, cap: Cap) -> None:
    row = session.exec(
        select(tables.FeeCap).where(
            tables.FeeCap.authority_id == province_id,
            tables.FeeCap.item_code == cap.item_code,
            tables.FeeCap.level == cap.level,
            tables.FeeCap.zone == cap.zone,
            tables.FeeCap.legacy_area == cap.area,
            tables.FeeCap.unit == cap.unit,
            tables.FeeCap.valid_from == cap.valid.start,
        )
    ).one()
    row.valid_to = cap.valid.end
    session.add(row)


def _note(session: Session, province_id: UUID, taken: TakenCaps, actor: Actor, now: datetime) -> None:
    schools = session.exec(select(School.id).where(School.province_id == province_id).order_by(col(School.id))).all()
    details = {
        "new": [_told(cap) for cap in taken.new],
        "ended": [_told(cap) for cap, _ in taken.ended],
    }
    reason = "; ".join(dict.fromkeys(cap.legal_basis for cap in taken.new))
    deeds = [(Deed(school, "fees.take_caps", "province", str(province_id), reason), details) for school in schools]
    record_deeds(session, actor, deeds, now)


def _told(cap: Cap) -> dict[str, str | int | None]:
    return {
        "item": cap.item_code,
        "level": cap.level.value,
        "zone": cap.zone,
        "area": cap.area,
        "amount": cap.max_amount.dong,
        "from": cap.valid.start.isoformat(),
        "to": cap.valid.end.isoformat() if cap.valid.end else None,
    }


def load_caps(session: Session, province_id: UUID, caps: Sequence[Cap]) -> None:
    """Store caps for all schools of a province; harmless when they are there."""
    rows = [
        {
            "authority_id": province_id,
            "item_code": cap.item_code,
            "level": cap.level.value,
            "zone": cap.zone,
            "legacy_area": cap.area,
            "unit": cap.unit.value,
            "amount": cap.max_amount,
            "max_rise_percent": cap.max_rise_percent,
            "legal_basis": cap.legal_basis,
            "valid_from": cap.valid.start,
            "valid_to": cap.valid.end,
        }
        for cap in caps
    ]
    if rows:
        session.execute(insert(tables.FeeCap).on_conflict_do_nothing(), rows)


def read_rules(session: Session, province_id: UUID) -> Rulebook:
    """Return the province's caps with the prohibitions that hold everywhere."""
    rows = session.exec(select(tables.FeeCap).where(tables.FeeCap.authority_id == province_id)).all()
    return Rulebook(tuple(_cap(row) for row in rows), shipped_rules().prohibitions)


def load_shipped_caps(session: Session, province_id: UUID, area: str) -> None:
    """Store what ships with the program for a former area (empty: what holds everywhere).

    What the province has for the same days stands: its council's own file goes before what was shipped.
    """
    known = read_rules(session, province_id).caps
    load_caps(session, province_id, [cap for cap in shipped_rules().caps if cap.area == area and apart(cap, known)])


def _cap(row: tables.FeeCap) -> Cap:
    return Cap(
        item_code=row.item_code,
        level=Level(row.level),
        zone=row.zone,
        area=row.legacy_area,
        unit=Unit(row.unit),
        max_amount=row.amount,
        legal_basis=row.legal_basis,
        valid=Span(row.valid_from, row.valid_to),
        max_rise_percent=row.max_rise_percent,
    )
