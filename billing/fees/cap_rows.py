"""The caps of a province in the database: loaded once, read for the rules with what may nowhere be collected."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from billing.fees import tables
from billing.fees.caps import Cap, Rulebook
from billing.fees.catalogue import shipped_rules
from billing.fees.items import Level, Span, Unit


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
    """Store what ships with the program for a former area (empty: what holds everywhere)."""
    load_caps(session, province_id, [cap for cap in shipped_rules().caps if cap.area == area])


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
