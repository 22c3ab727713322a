"""Arrays for PostgreSQL in its binary form, packed at once: element by element would cost more than storing them.

Source: PostgreSQL's ``array_recv``: dimensions, flags, the element's type, then for the one dimension its length and
lower bound; then each element's length and bytes. All numbers are big-endian. An element's own form is that of its
type's ``recv`` function: a UUID is 16 bytes, a ``timestamptz`` the microseconds since 1 January 2000 UTC.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg.adapt import AdaptersMap, Buffer, Dumper
from psycopg.pq import Format

UUID_TYPE, BYTEA_TYPE, TEXT_TYPE, TIMESTAMPTZ_TYPE = 2950, 17, 25, 1184

_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_MOMENT = struct.Struct("!q")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Packed:
    """A one-dimensional array in binary form; the query casts it (``%b::uuid[]``)."""

    data: bytes


def pack(element_type: int, elements: Sequence[bytes]) -> Packed:
    """Pack elements, each in its type's binary form, none of them NULL."""
    pieces = [_HEAD.pack(1, 0, element_type, len(elements), 1)]
    for element in elements:
        pieces += (_LENGTH.pack(len(element)), element)
    return Packed(b"".join(pieces))


def moment(at: datetime) -> bytes:
    """Return an aware moment as ``timestamptz`` has it."""
    return _MOMENT.pack((at - _EPOCH) // _MICROSECOND)


class _PackedDumper(Dumper):
    format = Format.BINARY
    oid = 0  # the cast in the query tells the type

    def dump(self, obj: Packed) -> Buffer | None:
        return obj.data


def register(adapters: AdaptersMap) -> None:
    """Let a connection take ``Packed`` as a parameter."""
    adapters.register_dumper(Packed, _PackedDumper)
