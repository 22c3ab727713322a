"""Reading rows as they stand now."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ScalarResult, Select
from sqlmodel import Session

T = TypeVar("T")


def fresh(session: Session, query: Select[T]) -> ScalarResult[T]:
    """Read entities from the database: bulk statements go past what a session remembers of them."""
    return session.execute(query, execution_options={"populate_existing": True}).scalars()
