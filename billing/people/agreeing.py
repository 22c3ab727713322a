"""The one place that every agreement passes: another person than who asked, and no child of either's family in it.

Whatever one asks for and another agrees to says here who asked and which pupils' money or rights it is about. Both are
looked at when it is agreed to, for a family may be declared after the asking (docs/decisions/0042). The database looks
once more (migration 0067).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.errors import NotAllowed, SamePerson
from billing.people.kinship import refuse_askers_family, refuse_own_family

NO_CHILD: Final[frozenset[UUID]] = frozenset()
"""What is agreed to moves no pupil's money and no pupil's right: an account, a limit, the till, a month of the book."""
WHOLE_SCHOOL: Final[frozenset[UUID]] = frozenset()
"""A list or a rule that holds for all alike, and chooses nobody: nobody's own."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What another person is about to agree to.

    ``asked_by``: whose word it is so far (all of them). ``about``: the pupils concerned, ``NO_CHILD`` or
    ``WHOLE_SCHOOL``. ``own_word``: what one of ``asked_by`` is told who would agree, with ``facts`` for the record.
    """

    school_id: UUID
    asked_by: Collection[UUID | None]
    about: Collection[UUID]
    own_word: str
    facts: dict[str, object] = field(default_factory=dict)


def second_person(session: Session, actor: Actor, agreement: Agreement) -> UUID:
    """Return who agrees; raises ``SamePerson`` for who asked, ``OwnFamily`` for a child of either's family."""
    if actor.user_id in agreement.asked_by:
        raise SamePerson(agreement.own_word, **agreement.facts)
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên duyệt.")
    refuse_own_family(session, actor, agreement.school_id, agreement.about)
    refuse_askers_family(session, agreement.asked_by, agreement.school_id, agreement.about)
    return actor.user_id
