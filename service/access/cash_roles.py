"""Who keeps the accounts of a school does not keep its cash: nobody is accountant and cashier there at one time."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.errors import Conflict
from billing.people.tables import Authority, School
from service.access.tables import RoleGrant

_OTHER = {"cashier": "accountant", "accountant": "cashier"}


def refuse_both(  # noqa: PLR0913, PLR0917  whose role, where, from when until when
    session: Session, user_id: UUID, role: str, school_id: UUID | None, first: date, last: date | None
) -> None:
    """Raise ``Conflict`` when a person has the other of the two roles at a school on one of these days.

    A role in an authority holds in the schools below it. The database refuses the same (``cash_roles_part``), also
    where a role is given in an authority.
    """
    if role not in _OTHER or school_id is None:
        return
    if has_other(session, user_id, role, school_id, first, last):
        raise Conflict(
            "Một người không vừa là kế toán vừa là thủ quỹ của một trường. "
            "Hãy cho thôi vai trò kia trước, hoặc chọn người khác."
        )


def has_other(  # noqa: PLR0913, PLR0917  as above
    session: Session, user_id: UUID, role: str, school_id: UUID, first: date, last: date | None
) -> bool:
    """Say whether a person has, at a school on one of these days, the role that does not go with ``role``."""
    above = select(School.authority_id.label("id")).where(School.id == school_id).cte("above", recursive=True)  # type: ignore[attr-defined]  # SQLModel types a column as its value
    above = above.union(select(col(Authority.parent_id)).where(col(Authority.id) == above.c.id))
    query = select(RoleGrant.id).where(
        RoleGrant.user_id == user_id,
        RoleGrant.role == _OTHER[role],
        or_(RoleGrant.school_id == school_id, col(RoleGrant.authority_id).in_(select(above.c.id))),
        col(RoleGrant.valid_from) <= (date.max if last is None else last),
        or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= first),
    )
    return session.exec(query).first() is not None
