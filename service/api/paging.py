"""Pages of a list: a limit, and an opaque cursor that names the last row of the page before."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from billing.errors import Refused
from service.api.shapes import Page

MOST_ROWS = 200
USUAL_ROWS = 50

Found = TypeVar("Found")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Paging:
    """What a caller asked for."""

    limit: int
    cursor: str | None

    @property
    def after(self) -> str | None:
        """The key of the last row of the page before; raises ``Refused`` for a cursor that is not ours."""
        if self.cursor is None:
            return None
        try:
            key = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
        except (ValueError, binascii.Error) as error:
            raise _bad_cursor() from error
        if not isinstance(key, str) or not key.isprintable():
            raise _bad_cursor()
        return key

    @property
    def after_id(self) -> UUID | None:
        """The same for lists in the order of their ids."""
        key = self.after
        try:
            return None if key is None else UUID(key)
        except ValueError as error:
            raise _bad_cursor() from error

    @property
    def after_number(self) -> int | None:
        """The same for lists in the order of numbers."""
        key = self.after
        if key is None:
            return None
        if not key.isascii() or not key.isdigit() or int(key) >= 2**63:
            raise _bad_cursor()
        return int(key)

    def page(
        self, rows: Sequence[Found], key: Callable[[Found], object], show: Callable[[Found], Shown]
    ) -> Page[Shown]:
        """Return a page of rows that were read with a limit of one more than asked for."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(data=[show(row) for row in shown], next_cursor=_cursor(str(key(shown[-1]))) if more else None)


def read_paging(
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="rows on a page")] = USUAL_ROWS,
    cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before")] = None,
) -> Paging:
    """Read limit and cursor."""
    return Paging(limit, cursor)


Pages = Annotated[Paging, Depends(read_paging)]


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _bad_cursor() -> Refused:
    return Refused("Con trỏ trang không đúng. Hãy dùng nguyên “next_cursor” của trang trước.", field="cursor")
