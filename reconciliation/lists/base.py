"""The promise of every provider's list of movements: what to ask for, what to ask next, how to read a page (pure).

A list is asked with a token of ours, over a connection that proves who answers; so what it says of an amount is
believed. It is still read strictly: a page is refused as a whole where it is not the provider's page at all, and row
by row where one row cannot be read, since that row must not keep two hundred others from the book.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

from reconciliation.errors import CallbackUnreadable, ListUnreadable
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.feeds.json_body import JsonObject

LIST = "list"
"""The scheme of a feed that we ask; no address is given out for it."""
MAX_PAGE_BYTES = 1024 * 1024
VIETNAM = timedelta(hours=7)

Told: TypeAlias = NormalisedTransfer | CallbackUnreadable
"""One row of a page: a movement, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One page to be asked for: the movements from ``first`` to ``last`` (UTC, both included), page by page."""

    first: datetime
    last: datetime
    page: int = 1


class ListReader(ABC):
    """One provider's list. It holds no token; the caller hands it in where a request is made."""

    provider: ClassVar[str]
    name: ClassVar[str]
    proves_amount: ClassVar[bool] = True
    wait_header: ClassVar[str] = "retry-after"
    """The header in which the provider says how many seconds to wait when it was asked too often."""

    @abstractmethod
    def request(self, account: str, ask: Ask) -> tuple[str, dict[str, str]]:
        """Return path and parameters of a page about an account."""

    @abstractmethod
    def authorization(self, token: str) -> str:
        """Return the value of the ``Authorization`` header."""

    @abstractmethod
    def rows(self, body: bytes) -> list[JsonObject]:
        """Return the rows of a page; raises ``ListUnreadable`` for anything that is not the provider's page."""

    @abstractmethod
    def more(self, ask: Ask, body: bytes) -> tuple[Ask, ...]:
        """Return the pages that must be asked for after this one, none after the last."""

    def cut_short(self, body: bytes) -> bool:  # noqa: ARG002  most lists page through everything
        """Tell whether a page may have left rows out, and is replaced by those that ``more`` asks for."""
        return False

    @abstractmethod
    def movement(self, row: JsonObject) -> NormalisedTransfer:
        """Read one row; raises ``CallbackUnreadable``."""

    def read_each(self, body: bytes) -> tuple[Told, ...]:
        """Read a page row by row; raises ``ListUnreadable``."""
        return tuple(_told(self.movement, row) for row in self.rows(body))


def halves(ask: Ask) -> tuple[Ask, Ask]:
    """Cut a span in two, whatever the order in which a provider lists; raises ``ListUnreadable`` below two seconds.

    The cut depends on the span alone, so the earlier half of yesterday reads the same again tomorrow.
    """
    seconds = int((ask.last - ask.first).total_seconds())
    if seconds < 1:
        raise ListUnreadable("Quá nhiều giao dịch trong cùng một giây, danh sách không lấy hết được")
    middle = ask.first + timedelta(seconds=seconds // 2)
    return replace(ask, last=middle), replace(ask, first=middle + timedelta(seconds=1))


def local(moment: datetime) -> str:
    """Return a moment as the banks write it: Vietnamese time, to the second."""
    return f"{moment + VIETNAM:%Y-%m-%d %H:%M:%S}"


def whole_days(first: datetime, last: datetime) -> Ask:
    """Return the span from the beginning of the Vietnamese day of ``first`` to the end of that of ``last``.

    Asked for in whole days, a page changes only when a movement comes, and the same bytes are stored once.
    """
    begins = (first + VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0) - VIETNAM
    ends = (last + VIETNAM).replace(hour=23, minute=59, second=59, microsecond=0) - VIETNAM
    return Ask(begins, ends)


def movements(told: Sequence[Told]) -> tuple[NormalisedTransfer, ...]:
    """Return the rows of a page that could be read."""
    return tuple(each for each in told if isinstance(each, NormalisedTransfer))


def _told(read: Callable[[JsonObject], NormalisedTransfer], row: JsonObject) -> Told:
    try:
        return read(row)
    except CallbackUnreadable as error:
        return error
