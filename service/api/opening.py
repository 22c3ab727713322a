"""One transaction for one request of a program; bells are rung after the commit, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from sqlmodel import Session

from service.database import NOTHING
from service.wiring import Wiring


@dataclass(slots=True)
class Opened:
    """An open transaction without scope, what the house is made of, and the bells to ring after the commit."""

    session: Session
    wiring: Wiring
    bells: list[str] = field(default_factory=list)


ApiOpener = Callable[[], AbstractContextManager[Opened]]


def api_opener(wiring: Wiring) -> ApiOpener:
    """Return what opens a transaction for the API."""

    @contextmanager
    def open_api() -> Iterator[Opened]:
        with wiring.database.transaction(NOTHING) as session:
            opened = Opened(session, wiring)
            yield opened
        for bell in opened.bells:
            wiring.ring(bell)

    return open_api
