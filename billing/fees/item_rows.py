"""A school's items and prices as rows: found by code, changed by one person at a time, each change a deed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotFound
from billing.fees import tables
from billing.fees.items import Span
from billing.fees.schedule import price_of


def find_item(session: Session, school_id: UUID, code: str) -> tables.FeeItem:
    """Return a school's item by its code; raises ``NotFound``."""
    found = session.exec(items_of(school_id).where(tables.FeeItem.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"Trường không có khoản thu {code}. Hãy thêm khoản thu trước.", code=code)
    return found


def live_prices(session: Session, item: tables.FeeItem) -> list[tables.FeePrice]:
    """Return an item's prices, past, present and coming, oldest first; withdrawn ones left out."""
    rows = session.exec(
        select(tables.FeePrice)
        .where(
            tables.FeePrice.school_id == item.school_id,
            tables.FeePrice.item_id == item.id,
            col(tables.FeePrice.withdrawn_at).is_(None),
        )
        .order_by(col(tables.FeePrice.valid_from), col(tables.FeePrice.id))
    ).all()
    return list(rows)


def one_at_a_time(session: Session, school_id: UUID) -> None:
    """Let everybody else who changes this school's fees wait until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"fees {school_id}"})


def items_of(school_id: UUID) -> SelectOfScalar[tables.FeeItem]:
    """Return the query for a school's items."""
    return select(tables.FeeItem).where(tables.FeeItem.school_id == school_id)


def end_price(row: tables.FeePrice, item: tables.FeeItem, last_day: date) -> None:
    """End a price; raises ``Refused`` when the day makes no whole month, where months are charged."""
    replace(price_of(row, item), valid=Span(row.valid_from, last_day))
    row.valid_to = last_day


def note(  # noqa: PLR0913  one deed and its details
    session: Session,
    actor: Actor,
    now: datetime,
    item: tables.FeeItem,
    action: str,
    *,
    reason: str = "",
    **details: Any,  # noqa: ANN401  plain JSON values
) -> None:
    """Record a change of an item."""
    deed = Deed(item.school_id, action, "fee_item", str(item.id), reason)
    record_deed(session, actor, deed, now, code=item.code, **details)
