"""Reminders: once a day and school it is looked whose family is reminded; one school is one transaction."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlmodel import Session, col, select

from billing.payments.tables import PaymentRequest
from notifications.reminding import remind as remind_school
from notifications.reminding import schools_to_remind
from reconciliation.concerned import suggested_requests
from reconciliation.tables import Transfer, TransferReference
from service.database import EVERYTHING, Scope
from service.pages.family_rows import ON_THE_WAY
from service.pages.typed import school_day
from service.wiring import Wiring

_log = logging.getLogger(__name__)


def remind(wiring: Wiring) -> int:
    """Look at each school whose day it is; return how many were looked at. One school's fault stops no other."""
    with wiring.database.transaction(EVERYTHING) as session:
        schools = schools_to_remind(session, wiring.clock())
    done = sum(_of_school(wiring, school_id) for school_id in schools)
    if done:
        wiring.ring("notifications.plan")
    return done


def _of_school(wiring: Wiring, school_id: UUID) -> bool:
    now = wiring.clock()
    try:
        with (
            wiring.database.alone(f"remind {school_id}") as mine,
            wiring.database.transaction(Scope.of(school_id)) as session,
        ):
            return (
                mine
                and remind_school(session, school_id, school_day(now), _on_its_way(session, school_id), now) is not None
            )
    except Exception:  # noqa: BLE001  whatever it was, it is logged, and the school's day stays open
        _log.exception("reminding for school %s failed", school_id)
        return False


def _on_its_way(session: Session, school_id: UUID) -> set[UUID]:
    """Return the requests that are named by money in which is not settled yet, or that the matcher suggests for it."""
    coming = Transfer.school_id == school_id, Transfer.direction == "in", col(Transfer.state).in_(ON_THE_WAY)
    named = (
        select(PaymentRequest.id)
        .join(TransferReference, col(TransferReference.reference) == col(PaymentRequest.reference))
        .join(Transfer, col(Transfer.id) == col(TransferReference.transfer_id))
        .where(PaymentRequest.school_id == school_id, TransferReference.school_id == school_id, *coming)
    )
    by_account = (
        select(PaymentRequest.id)
        .join(Transfer, col(Transfer.virtual_account) == col(PaymentRequest.virtual_account))
        .where(PaymentRequest.school_id == school_id, *coming)
    )
    suggested = suggested_requests(session, school_id)
    return {*session.exec(named).all(), *session.exec(by_account).all(), *suggested}
