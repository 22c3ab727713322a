"""Requests that are sent again: the first answer under an ``Idempotency-Key`` is kept for a day, sealed.

The key's row is written in the transaction of the deed. So a second request with the same key waits until the first
has ended: then it gets the first one's answer, or, when that failed, is carried out itself. Refusals are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.vault import Vault
from service.access.errors import KeyReused
from service.access.token_tables import ApiAnswer

KEPT = timedelta(hours=24)
_CONTEXT = "api_answers.answer"


@dataclass(frozen=True, slots=True)
class OnceKey:
    """Whose key it is, and what was asked under it (digest of method, address and body)."""

    token_id: UUID
    school_id: UUID
    key: str
    request_digest: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent."""

    status: int
    content: bytes


def once(session: Session, vault: Vault, asked: OnceKey, now: datetime, make: Callable[[], Kept]) -> tuple[Kept, bool]:
    """Return the kept answer of an earlier request (and True), or carry this one out and keep its answer (and False).

    Raises ``KeyReused`` when the key was used for another request within a day.
    """
    _forget_old(session, asked, now)
    made = session.execute(
        insert(ApiAnswer)
        .values(
            token_id=asked.token_id,
            key=asked.key,
            school_id=asked.school_id,
            request_digest=asked.request_digest,
            made_at=now,
        )
        .on_conflict_do_nothing()
        .returning(col(ApiAnswer.key))
    ).first()
    if made is None:
        row = session.exec(select(ApiAnswer).where(*_is(asked)).with_for_update()).one()
        if row.status is not None and row.answer_sealed is not None and now - row.made_at < KEPT:
            return _replayed(row, vault, asked), True
    answer = make()
    sealed = vault.seal_bytes(answer.content, _CONTEXT)
    session.execute(
        update(ApiAnswer)
        .where(*_is(asked))
        .values(request_digest=asked.request_digest, status=answer.status, answer_sealed=sealed, made_at=now)
    )
    return answer, False


def _is(asked: OnceKey) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(ApiAnswer.token_id) == asked.token_id, col(ApiAnswer.key) == asked.key


def _replayed(row: ApiAnswer, vault: Vault, asked: OnceKey) -> Kept:
    if row.request_digest != asked.request_digest or row.school_id != asked.school_id:
        raise KeyReused(field="Idempotency-Key")
    return Kept(row.status or 0, vault.open_bytes(row.answer_sealed or b"", _CONTEXT))


def _forget_old(session: Session, asked: OnceKey, now: datetime) -> None:
    """Empty this token's answers of yesterday; the application may delete no row."""
    session.execute(
        update(ApiAnswer)
        .where(
            col(ApiAnswer.token_id) == asked.token_id,
            col(ApiAnswer.key) != asked.key,
            col(ApiAnswer.made_at) <= now - KEPT,
            col(ApiAnswer.answer_sealed).is_not(None),
        )
        .values(answer_sealed=None, status=None)
    )
