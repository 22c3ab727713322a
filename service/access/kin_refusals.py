"""Recording that somebody was refused an act on the own family, after the act itself was rolled back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import OwnFamily
from service.database import Scope, use_scope


def record_kin_refusal(session: Session, actor: Actor, error: OwnFamily, where: str, now: datetime) -> None:
    """Write the refusal to the school's audit: who, at which address, about which children. Limits the transaction."""
    school = error.facts["school"]
    if not isinstance(school, UUID):
        raise TypeError("the refusal names its school")
    use_scope(session, Scope.of(school))
    pupils = [str(each) for each in pupils] if isinstance(pupils := error.facts["pupils"], tuple) else []
    record_deed(
        session, actor, Deed(school, "own_family.refuse", "user", str(actor.user_id)), now, pupils=pupils, at=where
    )
