"""Somebody was refused an act on the own family: told where the database refused it, recorded after the roll-back."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from psycopg import Error
from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import OwnFamily
from service.database import Scope, use_scope

_BY_THE_DATABASE = "nobodys_own_family"  # migration 0067


def kin_refusal_of(cause: BaseException | None) -> OwnFamily | None:
    """Return what a refusal of the database means in words, where it is about the own family."""
    if not isinstance(cause, Error) or cause.diag.constraint_name != _BY_THE_DATABASE:
        return None
    told = json.loads(cause.diag.message_detail or "{}")
    return OwnFamily(
        "Trong việc này có con em trong nhà của người đề nghị hoặc của bạn (khai trước hoặc sau khi đề nghị), nên "
        "không duyệt được. Hãy không duyệt, rồi để đồng nghiệp khác đề nghị lại.",
        school=UUID(told["school"]),
        user=UUID(told["user"]),
        pupils=tuple(sorted(map(UUID, told["pupils"]))),
    )


def record_kin_refusal(session: Session, actor: Actor, error: OwnFamily, where: str, now: datetime) -> None:
    """Write the refusal to the school's audit: who, at which address, about which children. Limits the transaction."""
    school = error.facts["school"]
    if not isinstance(school, UUID):
        raise TypeError("the refusal names its school")
    use_scope(session, Scope.of(school))
    pupils = [str(each) for each in pupils] if isinstance(pupils := error.facts["pupils"], tuple) else []
    deed = Deed(school, "own_family.refuse", "user", str(error.facts["user"]))
    record_deed(session, actor, deed, now, pupils=pupils, at=where)
