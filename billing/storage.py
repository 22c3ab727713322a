"""How values sit in columns: money as BIGINT, times in UTC, UUIDv7 ids, names of constraints."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Identity,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import NullType, TypeDecorator
from sqlmodel import Field, SQLModel

from billing.money import Money

# Unnamed constraints cannot be dropped by a later migration, so every one gets a name by rule.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


_MILLIS = (1 << 48) - 1
_RANDOM_BYTES = 10
_FREE_BITS = ~(0xF << 76 | 0x3 << 62)
_VERSION_7 = 0x7 << 76 | 0x2 << 62


class MoneyColumn(TypeDecorator[Money]):
    """Money in a BIGINT column."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:
        """Write đồng; anything but Money is a programming error."""
        del dialect
        if value is None:
            return None
        if not isinstance(value, Money):
            raise TypeError(f"a money column takes Money, not {value!r}")
        return value.dong

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:
        """Read đồng."""
        del dialect
        return None if value is None else Money(int(value))


class UtcTime(TypeDecorator[datetime]):
    """A moment: stored and handed out in UTC, naive times refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write a moment in UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read a moment in UTC."""
        del dialect
        return None if value is None else value.astimezone(UTC)


class Row(SQLModel):
    """Base of all table classes."""

    model_config = {"arbitrary_types_allowed": True}


def money_sum(column: Any) -> ColumnElement[Money]:  # noqa: ANN401  SQLModel types a column as its value
    """Return SQL for the sum of a money column as Money; no rows add up to 0 đ."""
    summed = func.coalesce(func.sum(type_coerce(column, BigInteger)), 0)
    return type_coerce(cast(summed, BigInteger), MoneyColumn)


def among(column: Any, ids: Iterable[uuid.UUID]) -> ColumnElement[bool]:  # noqa: ANN401  as above
    """Return the condition that a column is one of these ids, sent as one text: cheap for a whole school."""
    array = ",".join([each.hex for each in ids])
    # Of no type until the cast: another text would be read as ids once a row, not once a statement.
    sent = bindparam(None, f"{{{array}}}", type_=NullType(), unique=True)
    wanted: ColumnElement[bool] = column == any_(cast(sent, ARRAY(Uuid())))
    return wanted


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562); neither PostgreSQL 15 nor Python 3.11 makes one."""
    value = (time.time_ns() // 1_000_000 & _MILLIS) << 80 | int.from_bytes(os.urandom(_RANDOM_BYTES))
    return uuid.UUID(int=value & _FREE_BITS | _VERSION_7)


def new_ids(count: int) -> list[uuid.UUID]:
    """Return many of them: the system is asked for randomness once, which takes half of the time of one by one."""
    moment = (time.time_ns() // 1_000_000 & _MILLIS) << 80
    drawn = os.urandom(_RANDOM_BYTES * count)
    each = (drawn[start : start + _RANDOM_BYTES] for start in range(0, len(drawn), _RANDOM_BYTES))
    return [uuid.UUID(int=(moment | int.from_bytes(some)) & _FREE_BITS | _VERSION_7) for some in each]


def identity_column(*, primary_key: bool = True) -> Any:  # noqa: ANN401  SQLModel's Field is typed Any
    """Return a field for a BIGINT key that PostgreSQL numbers itself (never given by us).

    ``primary_key=False``: the table names its key itself, of which this may be a part.
    """
    column = Column(BigInteger, Identity(always=True), primary_key=primary_key, nullable=False, autoincrement=True)
    return Field(default=None, sa_column=column)


def number_column(*, nullable: bool = False, primary_key: bool = False) -> Any:  # noqa: ANN401  as above
    """Return a field for a BIGINT that we give: a count, a number, the key of another row."""
    column = Column(BigInteger, nullable=nullable, primary_key=primary_key, autoincrement=False)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def money_column(*, nullable: bool = False) -> Any:  # noqa: ANN401  as above
    """Return a field for Money."""
    return Field(sa_column=Column(MoneyColumn, nullable=nullable))


def time_column(*, nullable: bool = False) -> Any:  # noqa: ANN401  as above
    """Return a field for a moment in UTC."""
    column = Column(UtcTime, nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def json_column() -> Any:  # noqa: ANN401  as above
    """Return a field for a JSON object, {} by default."""
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))


def in_school(columns: Sequence[str], table: str, *, key: str = "id") -> ForeignKeyConstraint:
    """Return a foreign key to a row of the *same* school.

    Foreign-key checks pass by row-level security, so the school is part of every key between tenant tables.
    ``columns`` names our own column(s) without ``school_id``.
    """
    targets = [f"{table}.school_id", *(f"{table}.{key}" for _ in columns)]
    return ForeignKeyConstraint(["school_id", *columns], targets)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """Return a check that a text column holds one of the listed words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
