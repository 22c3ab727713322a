"""Asking for a role or a new first password for somebody else; a class teacher's comes at once, others wait.

A role that sees or moves money needs a second person (docs/decisions/0020). The first password that comes with it is
made of two halves: who asks is shown one, who decides the other, so neither can sign in as that person.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import or_, text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.vault import Vault
from billing.visible import is_blank
from service.access.accounts import find_user, fold_login, half_a_password, one_time_password, unusable_password
from service.access.cash_roles import refuse_both
from service.access.passwords import hash_password
from service.access.staff import end_sessions
from service.access.staff_plan import Asked, WantedRole
from service.access.staff_tables import ROLES_OF_TWO, StaffDecision, StaffRequest
from service.access.tables import RoleGrant, User

SEALED_AS = "staff_requests.part_sealed"
ROLES_OF_A_SCHOOL = (*ROLES_OF_TWO, "class_teacher")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{2,59}", re.ASCII)
_LOCAL = timezone(timedelta(hours=7))


def ask_for_role(  # noqa: PLR0913, PLR0917  who asks what where
    session: Session, vault: Vault, actor: Actor, school_id: UUID, wanted: WantedRole, now: datetime
) -> Asked:
    """Ask for a dated role at a school, for an account that is made if the login is new.

    Raises ``Refused`` for a login, name, role, day or reason that is none, ``SamePerson`` for oneself, ``Conflict``
    when the login is somebody else's or the role is held or asked for already.
    """
    _refuse_bad(wanted, now)
    user, new = _account(session, wanted, now)
    if user.id == actor.user_id:
        raise SamePerson("Không ai tự xin hay tự cấp quyền cho mình. Hãy nhờ người khác ở trường.")
    _refuse_held(session, school_id, user.id, wanted)
    refuse_both(session, user.id, wanted.role, school_id, wanted.first_day, wanted.last_day)
    if wanted.role not in ROLES_OF_TWO:
        return _at_once(session, actor, school_id, user, wanted, now, new=new)
    part = "" if trusted(session, user.id, now) else half_a_password()
    row = StaffRequest(
        school_id=school_id,
        user_id=user.id,
        kind="role",
        role=wanted.role,
        valid_from=wanted.first_day,
        valid_to=wanted.last_day,
        part_sealed=vault.seal(part, SEALED_AS) if part else None,
        reason=wanted.reason.strip(),
        asked_by=_person(actor),
        asked_at=now,
    )
    _store(session, actor, row, now, login=user.login)
    return Asked(user.id, row.id, part)


def ask_for_password(  # noqa: PLR0913, PLR0917  who asks for whom, where, why
    session: Session, vault: Vault, actor: Actor, school_id: UUID, user_id: UUID, reason: str, now: datetime
) -> Asked:
    """Ask for a new first password for somebody of the school; one who is a class teacher only gets it at once.

    While a role waits for that person, or when she holds none, two people are needed: who knows a whole password must
    not know it any more when a role with money comes.

    Raises ``NotFound`` for who holds nothing at the school, ``SamePerson``, ``Refused`` without a reason and for who
    serves an authority, ``Conflict`` when one is asked for already.
    """
    user = person_of(session, school_id, user_id)
    if user.id == actor.user_id:
        raise SamePerson("Mật khẩu của mình thì đổi ở trang “Đổi mật khẩu”; quên thì nhờ người khác.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do đặt lại mật khẩu.")
    if _teaches_only(session, school_id, user_id, now):
        refuse_elsewhere(session, user_id, {school_id}, now)
        password = give_first_password(session, user, one_time_password(), now)
        _deed(session, actor, school_id, "staff.password", user, now, reason.strip())
        return Asked(user.id, None, password)
    if _pending(session, school_id, user_id, "password", None):
        raise Conflict("Đã có đề nghị đặt lại mật khẩu cho người này, đang chờ người khác đồng ý.")
    part = half_a_password()
    row = StaffRequest(
        school_id=school_id,
        user_id=user.id,
        kind="password",
        part_sealed=vault.seal(part, SEALED_AS),
        reason=reason.strip(),
        asked_by=_person(actor),
        asked_at=now,
    )
    _store(session, actor, row, now, login=user.login)
    return Asked(user.id, row.id, part)


def one_at_a_time(session: Session, user_id: UUID) -> None:
    """Let whoever decides over the same person's password or roles wait until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"staff of {user_id}"})


def person_of(session: Session, school_id: UUID, user_id: UUID) -> User:
    """Return somebody who has, had or is to have a role at the school itself; raises ``NotFound`` for anybody else."""
    user = session.get(User, user_id)
    held = select(RoleGrant.id).where(RoleGrant.user_id == user_id, RoleGrant.school_id == school_id).limit(1)
    asked = select(StaffRequest.id).where(StaffRequest.user_id == user_id, StaffRequest.school_id == school_id).limit(1)
    if user is None or (session.exec(held).first() is None and session.exec(asked).first() is None):
        raise NotFound("Trường không có người dùng này.")
    return user


def living_grants(session: Session, user_id: UUID, now: datetime) -> list[RoleGrant]:
    """Return the roles that a person holds today or will hold, wherever."""
    query = select(RoleGrant).where(
        RoleGrant.user_id == user_id, or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= local_day(now))
    )
    return list(session.exec(query).all())


def trusted(session: Session, user_id: UUID, now: datetime) -> bool:
    """Say whether a person holds a role that two people gave (or the operator), so that the password is her own."""
    return any(grant.role != "class_teacher" for grant in living_grants(session, user_id, now))


def refuse_elsewhere(session: Session, user_id: UUID, schools: set[UUID], now: datetime) -> None:
    """Raise ``Conflict`` when a new password would open rights outside these schools."""
    if any(grant.school_id not in schools for grant in living_grants(session, user_id, now)):
        raise Conflict(
            "Người này còn có quyền ở nơi khác, nên một trường không đặt lại mật khẩu được. "
            "Hãy nhờ quản trị hệ thống của tỉnh; với vai trò của cơ quan quản lý thì dùng lệnh users reset."
        )


def give_first_password(session: Session, user: User, password: str, now: datetime) -> str:
    """Store a password that must be changed when it is first used; all sessions end. Returns it."""
    user.password_hash, user.must_change_password = hash_password(password), True
    session.add(user)
    session.flush()
    end_sessions(session, user.id, now)
    return password


def local_day(now: datetime) -> date:
    """Return the day it is in Viet Nam."""
    return now.astimezone(_LOCAL).date()


def _teaches_only(session: Session, school_id: UUID, user_id: UUID, now: datetime) -> bool:
    """Say whether a person is a class teacher, nothing else, and no role waits for her."""
    one_at_a_time(session, user_id)
    roles = {grant.role for grant in living_grants(session, user_id, now)}
    return roles == {"class_teacher"} and not _pending(session, school_id, user_id, "role", None)


def _refuse_bad(wanted: WantedRole, now: datetime) -> None:
    if _LOGIN.fullmatch(fold_login(wanted.login)) is None:
        raise Refused(
            "Tên đăng nhập gồm 3 đến 60 chữ không dấu, số, dấu chấm, gạch hoặc @, ví dụ “lan.tq” hay địa chỉ thư."
        )
    if not clean(wanted.full_name):
        raise Refused("Hãy ghi họ tên của người dùng.")
    if wanted.role not in ROLES_OF_A_SCHOOL:
        raise Refused("Hãy chọn một vai trò ở trường.")
    if wanted.last_day is not None and wanted.last_day < max(wanted.first_day, local_day(now)):
        raise Refused("Ngày thôi giữ vai trò phải từ hôm nay trở đi và không trước ngày bắt đầu.")
    if is_blank(wanted.reason):
        raise Refused("Hãy ghi lý do, ví dụ số quyết định phân công.")


def clean(name: str) -> str:
    """Return a name as it is stored: NFC, single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _account(session: Session, wanted: WantedRole, now: datetime) -> tuple[User, bool]:
    """Return the account and whether it is new; a known login needs the same name, so that nobody is mistaken."""
    user = find_user(session, wanted.login)
    if user is not None:
        if user.full_name.casefold() != clean(wanted.full_name).casefold():
            raise Conflict(
                f"Tên đăng nhập “{user.login}” đã là của người có tên khác. Chọn tên đăng nhập khác, "
                "hoặc ghi đúng họ tên nếu là chính người đó."
            )
        if user.disabled_at is not None:
            raise Conflict("Tài khoản này đã bị khóa.")
        return user, False
    made = User(
        login=fold_login(wanted.login),
        full_name=clean(wanted.full_name),
        password_hash=unusable_password(),
        must_change_password=True,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made, True


def _refuse_held(session: Session, school_id: UUID, user_id: UUID, wanted: WantedRole) -> None:
    until = date.max if wanted.last_day is None else wanted.last_day
    held = session.exec(
        select(RoleGrant).where(
            RoleGrant.user_id == user_id,
            RoleGrant.school_id == school_id,
            RoleGrant.role == wanted.role,
            RoleGrant.valid_from <= until,
            or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= wanted.first_day),
        )
    ).first()
    if held is not None:
        raise Conflict("Người này đã giữ vai trò đó ở trường trong thời gian ấy.")
    if _pending(session, school_id, user_id, "role", wanted.role):
        raise Conflict("Đã có đề nghị cấp vai trò này, đang chờ người khác đồng ý.")


def _pending(session: Session, school_id: UUID, user_id: UUID, kind: str, role: str | None) -> bool:
    query = (
        select(StaffRequest.id)
        .outerjoin(StaffDecision, col(StaffDecision.request_id) == col(StaffRequest.id))
        .where(
            StaffRequest.school_id == school_id,
            StaffRequest.user_id == user_id,
            StaffRequest.kind == kind,
            col(StaffDecision.request_id).is_(None),
        )
    )
    if role is not None:
        query = query.where(StaffRequest.role == role)
    return session.exec(query.limit(1)).first() is not None


def _at_once(  # noqa: PLR0913, PLR0917  who, where, for whom, what, when
    session: Session, actor: Actor, school_id: UUID, user: User, wanted: WantedRole, now: datetime, *, new: bool
) -> Asked:
    grant = RoleGrant(
        user_id=user.id,
        role=wanted.role,
        school_id=school_id,
        valid_from=wanted.first_day,
        valid_to=wanted.last_day,
        granted_by=_person(actor),
    )
    session.add(grant)
    password = give_first_password(session, user, one_time_password(), now) if new else ""
    _deed(session, actor, school_id, "staff.role", user, now, wanted.reason.strip(), role=wanted.role)
    return Asked(user.id, None, password)


def _store(session: Session, actor: Actor, row: StaffRequest, now: datetime, *, login: str) -> None:
    session.add(row)
    session.flush()
    deed = Deed(row.school_id, f"staff.ask_{row.kind}", "staff_request", str(row.id), row.reason)
    record_deed(session, actor, deed, now, login=login, role=row.role)


def _deed(  # noqa: PLR0913, PLR0917  who, where, what, for whom, when, why
    session: Session, actor: Actor, school_id: UUID, action: str, user: User, now: datetime, reason: str,
    **details: str,
) -> None:  # fmt: skip
    record_deed(session, actor, Deed(school_id, action, "user", str(user.id), reason), now, login=user.login, **details)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("a person asks")
    return actor.user_id
