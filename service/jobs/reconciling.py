"""Jobs of reconciliation: read the inbox, settle transfers. Each unit of work is a transaction of its own."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from reconciliation import normalising, settling
from reconciliation.cards.settling import Unsettled, settle_checkout, unsettled
from reconciliation.inbox import waiting_messages
from reconciliation.tables import Transfer
from service.database import EVERYTHING, Scope
from service.jobs.cards import tie_payouts
from service.wiring import Wiring

_log = logging.getLogger(__name__)

BATCH = 200
MOST_UNITS = 2_000
MOST_STUCK = 1_000  # of one school in one round; then the other schools go on without it
TRIES = 5
# Somebody was faster: on a bill, a receipt book, a key, or in the order of locks. The next try sees what they did.
_REFUSED = "23514"
_TRY_AGAIN = frozenset({_REFUSED, "23505", "40001", "40P01", "55P03"})


def normalise(wiring: Wiring) -> int:
    """Read waiting messages, at most 2 000 in one call; return how many were finished.

    A message that fails is left for the next round and the ones behind it are read; so is a school with many of them.
    """
    finished = 0
    stuck: dict[UUID, set[int]] = defaultdict(set)
    while finished < MOST_UNITS:
        failed_before = sum(map(len, stuck.values()))
        batch = _normalise_batch(wiring, stuck)
        if not batch and sum(map(len, stuck.values())) == failed_before:
            break
        finished += batch
        if batch:
            wiring.ring("reconciliation.settle")
    return finished


def settle(wiring: Wiring) -> int:
    """Settle waiting transfers, at most 2 000 in one call; return how many were settled. One bad one stops no other."""
    settled = 0
    for transfer_id, school_id in _waiting_transfers(wiring):
        settled += _settle_one(wiring, transfer_id, school_id)
    for each in _waiting_checkouts(wiring):
        settled += _settle_card(wiring, each)
    settled += tie_payouts(wiring)
    if settled:
        wiring.ring("notifications.plan")
        wiring.ring("ledger.seal")
    return settled


def _normalise_batch(wiring: Wiring, stuck: dict[UUID, set[int]]) -> int:
    """Read the oldest messages but the stuck ones; note those that fail."""
    too_many = [school_id for school_id, inbox_ids in stuck.items() if len(inbox_ids) >= MOST_STUCK]
    with wiring.database.transaction(EVERYTHING) as session:
        waiting = waiting_messages(session, BATCH, set().union(*stuck.values()), too_many)
    by_school: dict[UUID, list[int]] = defaultdict(list)
    for message in waiting:
        by_school[message.school_id].append(message.inbox_id)
    return sum(_normalise_school(wiring, school_id, ids, stuck[school_id]) for school_id, ids in by_school.items())


def _normalise_school(wiring: Wiring, school_id: UUID, inbox_ids: list[int], stuck: set[int]) -> int:
    """Read messages of a school together, or one by one if that fails, so that only the bad ones stay."""

    def read() -> int:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            return normalising.normalise(session, wiring.vault, school_id, inbox_ids, wiring.clock()).messages

    finished = _tried(read, f"{len(inbox_ids)} messages of school {school_id}")
    if finished is not None:
        return finished
    if len(inbox_ids) == 1:
        stuck.update(inbox_ids)
        return 0
    return sum(_normalise_school(wiring, school_id, [inbox_id], stuck) for inbox_id in inbox_ids)


def _waiting_transfers(wiring: Wiring) -> list[tuple[UUID, UUID]]:
    """Find the ids over all schools; each is then settled in the scope of its own school."""
    with wiring.database.transaction(EVERYTHING) as session:
        query = (
            select(Transfer.id, Transfer.school_id)
            .where(Transfer.state == "new")
            .order_by(col(Transfer.recorded_at), col(Transfer.id))
            .limit(MOST_UNITS)
        )
        return [(transfer_id, school_id) for transfer_id, school_id in session.exec(query).all()]


def _waiting_checkouts(wiring: Wiring) -> list[Unsettled]:
    with wiring.database.transaction(EVERYTHING) as session:
        return unsettled(session, MOST_UNITS)


def _settle_card(wiring: Wiring, each: Unsettled) -> int:
    """Settle one card payment; where credit was used meanwhile it stays as it is, and the office is shown it."""

    def settle_it() -> int:
        with wiring.database.transaction(Scope.of(each.school_id)) as session:
            return int(settle_checkout(session, each.school_id, each.checkout_id, wiring.clock()))

    return _tried(settle_it, f"card checkout {each.checkout_id}") or 0


def _settle_one(wiring: Wiring, transfer_id: UUID, school_id: UUID) -> int:
    def decide_and_record() -> int:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            return int(settling.settle(session, transfer_id, wiring.clock(), wiring.vault) is not None)

    def give_up() -> int:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            return int(settling.leave_to_person(session, transfer_id, wiring.clock()))

    return _tried(decide_and_record, f"transfer {transfer_id}", give_up) or 0


def _tried(unit: Callable[[], int], name: str, refused: Callable[[], int] | None = None) -> int | None:
    """Do a unit of work, again if somebody was faster; what fails is logged, gives None and comes round again.

    ``refused`` is done instead where the database still refuses it on the newest facts.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return unit()
        except DBAPIError as error:
            sqlstate = getattr(error.orig, "sqlstate", None)
            if attempt == TRIES or sqlstate not in _TRY_AGAIN:
                if refused is not None and sqlstate == _REFUSED:
                    _log.exception("%s: refused by the database, left to a person", name)
                    return _tried(refused, name)
                _log.exception("%s: left for the next round", name)
                return None
        except Exception:  # noqa: BLE001  a bad unit must not stop the others; it is logged and stays waiting
            _log.exception("%s: left for the next round", name)
            return None
    return None
