"""One-time codes: asked for on a link, sent to one contact, good once, for ten minutes and five tries.

The code itself leaves this file once, for whoever sends it; what stays is its keyed digest. How many were sent to a
contact is counted in rows over all schools, so that neither a lost Redis nor a second school gives new tries.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from uuid import UUID

from sqlalchemy import text, tuple_, update
from sqlmodel import Session, col, select

from billing.errors import Refused
from service.access.errors import TooManyTries
from service.access.guardian_tables import GuardianCode
from service.access.limits import Limit
from service.access.one_time_code import DIGITS, code_digest, is_right, read_code
from service.database import EVERYTHING, Scope, use_scope

LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
BY_CONTACT = ((3, timedelta(hours=1)), (10, timedelta(days=1)))
# Whoever keeps asking and guessing gets nowhere: a hundred wrong tries in a row are one chance in ten thousand.
MOST_WRONG = 100
WRONG_SPAN = timedelta(days=30)
BY_LINK = Limit("codes-link", tries=6, seconds=3600)
# A mobile network's address is shared by many families.
BY_ADDRESS = Limit("codes-address", tries=30, seconds=3600)
TRIES_BY_ADDRESS = Limit("code-tries-address", tries=60, seconds=600)


class Outcome(StrEnum):
    """What became of a typed code. ``ENDED``: used, too old, tried too often, replaced, or never of this link."""

    RIGHT = "right"
    WRONG = "wrong"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Reached:
    """A contact that a code goes to: its kind, blind index, and what a screen may show."""

    kind: str
    blind: bytes
    masked: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a code is asked for: on which link (its digest), for which contact; ``about`` is a sealed form."""

    school_id: UUID
    purpose: str
    link_hash: bytes
    contact: Reached
    about: bytes | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try ended, with the code's row (nothing when this link never had such a code)."""

    outcome: Outcome
    row: GuardianCode | None = None


def issue_code(session: Session, key: bytes, wanted: Wanted, now: datetime) -> tuple[GuardianCode, str]:
    """Make a code and return its row with the six digits.

    Raises ``TooManyTries`` past 3 an hour or 10 a day, and ``Refused`` after a hundred wrong tries in a row. An earlier
    code of the same link and contact is worth nothing from now on. The transaction is limited to the school.
    """
    _refuse_many(session, wanted, now)
    _forget_forms(session, wanted, now)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = GuardianCode(
        school_id=wanted.school_id,
        purpose=wanted.purpose,
        link_hash=wanted.link_hash,
        contact_kind=wanted.contact.kind,
        contact_blind=wanted.contact.blind,
        contact_masked=wanted.contact.masked,
        about_sealed=wanted.about,
        digest=b"",
        made_at=now,
        expires_at=now + LIFETIME,
    )
    row.digest = code_digest(key, row.id, code)
    session.add(row)
    session.flush()
    return row, code


def find_code(session: Session, purpose: str, link_hash: bytes, code_id: UUID) -> GuardianCode | None:
    """Return a code that was asked for on this link."""
    return session.exec(
        select(GuardianCode).where(
            GuardianCode.id == code_id, GuardianCode.link_hash == link_hash, GuardianCode.purpose == purpose
        )
    ).one_or_none()


def is_open(session: Session, row: GuardianCode, now: datetime) -> bool:
    """Say whether a code may still be tried."""
    if row.used_at is not None or row.tries >= MOST_TRIES or not row.made_at <= now < row.expires_at:
        return False
    newer = select(GuardianCode.id).where(
        GuardianCode.link_hash == row.link_hash,
        GuardianCode.purpose == row.purpose,
        GuardianCode.contact_blind == row.contact_blind,
        # Of two made at the very same moment one is good, or there were ten tries.
        tuple_(col(GuardianCode.made_at), col(GuardianCode.id)) > tuple_(row.made_at, row.id),
    )
    return session.exec(newer).first() is None


def try_code(session: Session, key: bytes, found: GuardianCode, typed: str, now: datetime) -> Outcome:
    """Try what somebody typed. The try is counted in this transaction, which must be committed also after a miss.

    What has not six digits is no try. Two tries at once wait for each other: a code is right at most once.
    """
    row = session.exec(select(GuardianCode).where(GuardianCode.id == found.id).with_for_update()).one()
    session.refresh(row)
    if not is_open(session, row, now):
        return Outcome.ENDED
    code = read_code(typed)
    if code is None:
        return Outcome.WRONG
    row.tries += 1
    right = is_right(key, row.id, code, row.digest)
    ended = not right and row.tries >= MOST_TRIES
    if right:
        row.used_at = now
    if ended:
        row.about_sealed = None
    session.add(row)
    session.flush()
    if right:
        return Outcome.RIGHT
    return Outcome.ENDED if ended else Outcome.WRONG


def _forget_forms(session: Session, wanted: Wanted, now: datetime) -> None:
    """Erase what families of this school typed and never finished, and what this new code replaces."""
    replaced = (col(GuardianCode.link_hash) == wanted.link_hash) & (
        col(GuardianCode.contact_blind) == wanted.contact.blind
    )
    session.execute(
        update(GuardianCode)
        .where(col(GuardianCode.school_id) == wanted.school_id, col(GuardianCode.about_sealed).is_not(None))
        .where((col(GuardianCode.expires_at) <= now) | replaced)
        .values(about_sealed=None)
    )


def _refuse_many(session: Session, wanted: Wanted, now: datetime) -> None:
    """Count what went to this contact from any school; two who ask at once wait for each other."""
    blind = wanted.contact.blind
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('guardian code ' || :contact, 0))")
    session.execute(lock, {"contact": blind.hex()})
    use_scope(session, EVERYTHING)
    sent = session.exec(
        select(GuardianCode.made_at, GuardianCode.tries, GuardianCode.used_at)
        .where(GuardianCode.contact_blind == blind, col(GuardianCode.made_at) > now - WRONG_SPAN)
        .order_by(col(GuardianCode.made_at).desc())
    ).all()
    use_scope(session, Scope.of(wanted.school_id))
    for most, span in BY_CONTACT:
        recent = [made_at for made_at, _, _ in sent if made_at > now - span]
        if len(recent) >= most:
            raise TooManyTries(max(1, round((recent[most - 1] + span - now).total_seconds())))
    since_right = takewhile(lambda code: code[2] is None, sent)
    if sum(tries for _, tries, _ in since_right) >= MOST_WRONG:
        raise Refused(
            "Mã gửi tới liên lạc này đã bị nhập sai quá nhiều lần. Xin hỏi văn phòng nhà trường.",
            contact=wanted.contact.masked,
        )
