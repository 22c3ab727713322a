"""What must always be true, as SQL over all schools: every row that a query returns is one violation, in words.

``:now`` is our clock. Queries name the row that is wrong, never a person. A violation found here means that the
database's own guards were passed by (a superuser, a restored backup, a bug in a trigger).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.book_queries import OF_MONEY
from service.invariant_words import Invariant, written_out
from service.record_queries import OF_RECORDS

__all__ = ["INVARIANTS", "Invariant"]

INVARIANTS: Mapping[str, Invariant] = MappingProxyType(
    {
        name: Invariant(each.title, each.counted, tuple(map(written_out, each.queries)))
        for name, each in (*OF_MONEY.items(), *OF_RECORDS.items())
    },
)
