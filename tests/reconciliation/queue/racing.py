"""One accountant of a race: does one act on one transfer at a given moment, over a connection of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.vault import Vault
from reconciliation.errors import Overtaken
from reconciliation.queue.assigning import Wanted, agree, assign
from reconciliation.queue.in_bulk import assign_plain
from reconciliation.queue.pieces import Piece
from reconciliation.queue.standing import Seen
from reconciliation.queue.undoing import ask_undo
from service.database import Database, Scope, make_engine

VAULT = Vault(bytes(range(32)))
_opened: list[Database] = []


@dataclass(frozen=True, slots=True)
class Order:
    """What one of two is to do: ``start`` is a moment of the machine's monotonic clock, in seconds."""

    kind: str
    actor: Actor
    school_id: UUID
    transfer_id: UUID
    seen: str
    pieces: tuple[Piece, ...]
    now: datetime
    start: float = 0.0
    act_id: UUID | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """How it went: won, or told who was faster and when."""

    won: bool
    by: UUID | None = None
    at: datetime | None = None


def connect(address: str) -> None:
    """Open the database of this process."""
    _opened.append(Database(make_engine(address, pool_size=2)))


def disconnect() -> None:
    """Close it."""
    while _opened:
        _opened.pop().close()


def run(order: Order) -> Told:
    """Wait for the moment, then act; anything but winning or being overtaken is raised."""
    with _opened[0].transaction(Scope.of(order.school_id)) as session:
        seen = Seen.read(order.seen)
        time.sleep(max(0.0, order.start - time.monotonic()))
        try:
            _act(session, order, seen)
        except Overtaken as error:
            session.rollback()
            by, at = error.facts["by"], error.facts["at"]
            return Told(won=False, by=by if isinstance(by, UUID) else None, at=at if isinstance(at, datetime) else None)
    return Told(won=True)


def _act(session: Session, order: Order, seen: Seen) -> None:
    actor, school, now = order.actor, order.school_id, order.now
    if order.kind == "assign":
        wanted = Wanted(order.transfer_id, order.pieces, seen, "Phụ huynh gọi điện báo")
        assign(session, VAULT, actor, school, wanted, now)
    elif order.kind == "bulk":
        assign_plain(session, VAULT, actor, school, {order.transfer_id: seen}, order.digest, now)
    elif order.kind == "undo":
        ask_undo(session, actor, school, order.transfer_id, seen, "Nhầm em", now)
    elif order.kind == "agree" and order.act_id is not None:
        agree(session, actor, school, order.act_id, now)
    else:
        raise ValueError(order.kind)
