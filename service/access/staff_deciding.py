"""Saying yes or no to a role or a new first password that somebody else asked for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.vault import Vault
from billing.visible import is_blank
from service.access.accounts import half_a_password
from service.access.cash_roles import refuse_both
from service.access.staff_asking import (
    SEALED_AS,
    give_first_password,
    local_day,
    one_at_a_time,
    refuse_elsewhere,
    trusted,
)
from service.access.staff_ending import revoke_tokens
from service.access.staff_tables import StaffDecision, StaffRequest
from service.access.tables import RoleGrant, User


def grant_request(  # noqa: PLR0913, PLR0917  who decides what, where she may
    session: Session, vault: Vault, actor: Actor, schools: set[UUID], request_id: UUID, now: datetime
) -> str:
    """Carry out what was asked for; return the second half of a first password, or nothing where none is needed.

    ``schools``: where the decider may decide. Raises ``NotFound``, ``SamePerson`` for who asked or whom it is for, and
    ``Conflict`` when it is decided already, its time is over, it must be asked for anew, or a new password would open
    rights elsewhere.
    """
    row = _open_request(session, schools, request_id)
    own_word = "Người đề nghị và người được cấp quyền không tự đồng ý được. Hãy nhờ người khác."
    second_person(session, actor, Agreement(row.school_id, {row.asked_by, row.user_id}, NO_CHILD, own_word))
    user = session.get_one(User, row.user_id)
    if user.disabled_at is not None:
        raise Conflict("Tài khoản này đã bị khóa.")
    half = _second_half(session, vault, actor, schools, row, user, now)
    if row.kind == "role":
        _grant(session, actor, row, now)
    _decide(session, actor, row, "granted", "", now)
    return half


def refuse_request(  # noqa: PLR0913, PLR0917  who decides what, where, why
    session: Session, actor: Actor, schools: set[UUID], request_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take back what one asked for oneself; raises ``Refused`` without a reason."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không đồng ý.")
    _decide(session, actor, _open_request(session, schools, request_id), "refused", reason.strip(), now)


def _open_request(session: Session, schools: set[UUID], request_id: UUID) -> StaffRequest:
    """Return a request that waits; two who decide it at once wait for one another here."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"staff {request_id}"})
    row = session.exec(select(StaffRequest).where(StaffRequest.id == request_id)).one_or_none()
    if row is None or row.school_id not in schools:
        raise NotFound("Không có đề nghị này.")
    if session.get(StaffDecision, request_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định rồi.", request=request_id)
    return row


def _second_half(  # noqa: PLR0913, PLR0917  who decides what for whom
    session: Session, vault: Vault, actor: Actor, schools: set[UUID], row: StaffRequest, user: User, now: datetime
) -> str:
    """Make and store the whole first password; a person who got one with an earlier role keeps hers.

    Raises ``Conflict`` when the earlier role ended since it was asked for: one person alone may know the password by
    now, and there is no first half.
    """
    one_at_a_time(session, user.id)
    if row.kind == "role" and trusted(session, user.id, now):
        return ""
    if row.part_sealed is None:
        raise Conflict(
            "Từ khi đề nghị, người này đã thôi vai trò đang giữ, nên phải có mật khẩu mới cùng vai trò này. "
            "Hãy từ chối rồi đề nghị lại.",
            request=row.id,
        )
    refuse_elsewhere(session, user.id, schools, now)
    half = half_a_password()
    give_first_password(session, user, f"{vault.open(row.part_sealed, SEALED_AS)}-{half}", now)
    revoke_tokens(session, actor, user.id, schools, now)
    return half


def _grant(session: Session, actor: Actor, row: StaffRequest, now: datetime) -> None:
    if row.role is None or row.valid_from is None:
        raise ValueError("a request for a role names it")
    if row.valid_to is not None and row.valid_to < local_day(now):
        raise Conflict("Thời gian đề nghị đã qua. Hãy không đồng ý, rồi đề nghị lại với ngày mới.")
    refuse_both(session, row.user_id, row.role, row.school_id, row.valid_from, row.valid_to)
    session.add(
        RoleGrant(
            user_id=row.user_id,
            role=row.role,
            school_id=row.school_id,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            granted_by=row.asked_by,
            confirmed_by=actor.user_id,
        )
    )


def _decide(  # noqa: PLR0913, PLR0917  who decides what how
    session: Session, actor: Actor, row: StaffRequest, verdict: str, reason: str, now: datetime
) -> None:
    if actor.user_id is None:
        raise ValueError("a person decides")
    session.add(
        StaffDecision(
            request_id=row.id,
            school_id=row.school_id,
            verdict=verdict,
            reason=reason,
            decided_by=actor.user_id,
            at=now,
        )
    )
    session.flush()
    deed = Deed(row.school_id, f"staff.{verdict}", "staff_request", str(row.id), reason)
    record_deed(session, actor, deed, now, kind=row.kind, role=row.role)
