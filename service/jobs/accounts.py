"""The jobs of bank accounts: what has waited comes into force, old feeds close, and letters to staff go out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.banking.opening import open_due_accounts
from billing.ledger.account_tables import AccountApproval, AccountOpening
from billing.people.tables import School
from notifications.channels.base import Channel
from notifications.channels.mail import Letter, is_address
from notifications.errors import DeliveryProblem, Unreachable
from notifications.rules import Via
from notifications.staff_telling import Colleague, Taken, news_of, store_answer, take_due
from notifications.wording.accounts import account_letter
from reconciliation.feeds.closing import close_feeds_of_replaced
from service.access.roles import Actor
from service.access.staff import people_with
from service.access.tables import User
from service.database import EVERYTHING, Scope
from service.pages.typed import school_day
from service.wiring import Wiring

_log = logging.getLogger(__name__)
_MOST_LETTERS = 200
TOLD_ROLES = (Actor.APPROVER, Actor.AUDITOR)


def open_accounts(wiring: Wiring) -> int:
    """Bring due accounts into force and close feeds whose year is over, school by school; return how many of both."""
    with wiring.database.transaction(EVERYTHING) as session:
        waited = session.exec(select(AccountApproval.school_id).distinct()).all()
        replaced = session.exec(
            select(AccountOpening.school_id).where(col(AccountOpening.replaces_id).is_not(None)).distinct()
        ).all()
    done = sum(_of_school(wiring, school_id) for school_id in sorted({*waited, *replaced}))
    if done:
        wiring.ring("notifications.plan")
    return done


def _of_school(wiring: Wiring, school_id: UUID) -> int:
    now = wiring.clock()
    try:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            opened = open_due_accounts(session, school_id, now)
            closed = close_feeds_of_replaced(session, school_id, school_day(now), now)
            return len(opened) + len(closed)
    except IntegrityError:  # the number is another school's account by now: a person must stop this change
        _log.exception("an account of school %s cannot be opened", school_id)
        return 0


def colleagues(wiring: Wiring, session: Session, school_id: UUID) -> list[Colleague]:
    """Return the approvers and auditors of a school; whose login is an e-mail address can be written to."""
    today = school_day(wiring.clock())
    people = [user for role in TOLD_ROLES for user in people_with(session, school_id, role.value, today)]
    return [Colleague(user.id, user.full_name, user.login if is_address(user.login) else "") for user in people]


def tell_staff(wiring: Wiring, channels: Mapping[Via, Channel[Any]]) -> int:
    """Send the letters to staff that are due; return how many were tried."""
    with wiring.database.transaction(EVERYTHING) as session:
        taken = take_due(session, wiring.clock(), _MOST_LETTERS)
    for one in taken:
        problem = _send(channels, _letter(wiring, one))
        with wiring.database.transaction(Scope.of(one.school_id)) as session:
            store_answer(session, one.message_id, problem, wiring.clock())
    return len(taken)


def _letter(wiring: Wiring, one: Taken) -> Letter:
    with wiring.database.transaction(Scope.of(one.school_id)) as session:
        user = session.get_one(User, one.user_id)
        code = session.get_one(School, one.school_id).code
        link = f"{wiring.settings.base_url}/van-phong/tai-khoan?truong={code}"
        news = news_of(session, one.school_id, one.event_id, link)
    words = account_letter(news, user.full_name)
    return Letter(
        tracking_id=str(one.message_id),
        to=user.login,
        subject=words.subject,
        text=words.text,
        html=words.html,
        written_at=wiring.clock(),
        from_name=news.school.name,
    )


def _send(channels: Mapping[Via, Channel[Any]], letter: Letter) -> DeliveryProblem | None:
    mail = channels.get(Via.MAIL)
    if mail is None:
        return Unreachable("Kênh này không còn được cài đặt.", channel=Via.MAIL, code="no_channel")
    try:
        mail.send(letter)
    except DeliveryProblem as problem:
        return problem
    return None
