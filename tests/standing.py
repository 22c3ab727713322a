"""Schools that stand ready: made once by the house's own acts, then put back as rows where a test wants one like it.

To make a school and bill it takes hundreds of statements; to put its rows back takes one COPY for each table. What
the fixture returned is put back too, as an object of its own for each test.
"""

from __future__ import annotations

import functools
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from service.database import Database
from tests.clean_databases import Contents, Rows

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Standing:
    rows: Contents
    returned: bytes


def standing(fixture: Callable[Given, Made]) -> Callable[Given, Made]:
    """Let a fixture with a ``database``, and else only what is the same for all tests, make its school once.

    Where the database is not empty, or its owner may not put rows back, the fixture works as without this.
    """
    kept: list[_Standing] = []

    @functools.wraps(fixture)
    def put_back(*args: Given.args, **given: Given.kwargs) -> Made:
        rows = rows_of(given["database"])
        if rows is None or not rows.empty():
            return fixture(*args, **given)
        if kept:
            rows.write(kept[0].rows)
        else:
            made = fixture(*args, **given)
            kept.append(_Standing(rows.read(), _packed(made, given)))
        return _unpacked(kept[0].returned, given)  # type: ignore[no-any-return]  # pickle cannot say what it reads

    return put_back


def rows_of(database: object) -> Rows | None:
    """Return the hand that reads and writes all rows of a test's database, if there is one."""
    found = database.engine.get_execution_options().get("rows") if isinstance(database, Database) else None
    return found if isinstance(found, Rows) else None


def _packed(made: object, given: Mapping[str, object]) -> bytes:
    """Return what a fixture returned; what was given to it is left out, since the next test has its own."""
    names = {id(value): name for name, value in given.items()}

    class Packer(pickle.Pickler):
        def persistent_id(self, thing: object) -> str | None:
            return names.get(id(thing))

    out = io.BytesIO()
    Packer(out).dump(made)
    return out.getvalue()


def _unpacked(packed: bytes, given: Mapping[str, object]) -> Any:  # noqa: ANN401  whatever it was
    class Unpacker(pickle.Unpickler):
        def persistent_load(self, name: str) -> object:
            return given[name]

    return Unpacker(io.BytesIO(packed)).load()
