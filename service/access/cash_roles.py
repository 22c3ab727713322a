"""Who keeps the accounts of a school does not keep its cash: nobody is accountant and cashier there at one time."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.errors import Conflict

# A place is a school or an authority: as the one that it is not, its id finds nothing.
_MEET = text("SELECT cash_roles_meet(:person, :role, :place, :place, :first, :last)")


def refuse_both(  # noqa: PLR0913, PLR0917  whose role, where, from when until when
    session: Session, user_id: UUID, role: str, place: UUID | None, first: date, last: date | None
) -> None:
    """Raise ``Conflict`` when a person has the other of the two roles at a school on one of these days.

    ``place``: a school, or an authority, whose roles hold in the schools below it. The database refuses the same
    (``cash_roles_part``), and that a school moves below an authority where somebody would have both.
    """
    if place is not None and has_other(session, user_id, role, place, first, last):
        raise Conflict(
            "Một người không vừa là kế toán vừa là thủ quỹ của một trường. "
            "Hãy cho thôi vai trò kia trước, hoặc chọn người khác."
        )


def has_other(  # noqa: PLR0913, PLR0917  as above
    session: Session, user_id: UUID, role: str, place: UUID, first: date, last: date | None
) -> bool:
    """Say whether a person has on one of these days, at a school there, the role that does not go with ``role``."""
    facts = {"person": user_id, "role": role, "place": place, "first": first, "last": last}
    return session.execute(_MEET, facts).scalar_one() is True
