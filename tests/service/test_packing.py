"""Packed arrays arrive in PostgreSQL as what they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.database import libpq_url
from service.packing import BYTEA_TYPE, TEXT_TYPE, TIMESTAMPTZ_TYPE, UUID_TYPE, moment, pack, register
from service.preparing import Addresses

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)


@pytest.fixture
def connection(addresses: Addresses) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(addresses.app), options="-c timezone=UTC") as connection:
        register(connection.adapters)
        yield connection


def test_every_array_arrives_as_it_was(connection: psycopg.Connection) -> None:
    @given(st.lists(st.tuples(st.uuids(), st.binary(max_size=300), TEXTS, MOMENTS), max_size=40))
    def arrives(rows: list[tuple[UUID, bytes, str, datetime]]) -> None:
        packed = (
            pack(UUID_TYPE, [row[0].bytes for row in rows]),
            pack(BYTEA_TYPE, [row[1] for row in rows]),
            pack(TEXT_TYPE, [row[2].encode() for row in rows]),
            pack(TIMESTAMPTZ_TYPE, [moment(row[3]) for row in rows]),
        )
        query = "SELECT * FROM unnest(%b::uuid[], %b::bytea[], %b::text[], %b::timestamptz[])"
        assert connection.execute(query, packed).fetchall() == rows

    arrives()


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    hanoi = datetime.fromisoformat("2025-10-06T08:00:00.123456+07:00")
    assert moment(hanoi) == moment(hanoi.astimezone(UTC))
    assert int.from_bytes(moment(datetime(2000, 1, 1, 0, 0, 1, 2, tzinfo=UTC)), "big") == 1_000_002


def test_a_negative_moment_keeps_its_microseconds() -> None:
    assert int.from_bytes(moment(datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)), "big", signed=True) == -1
