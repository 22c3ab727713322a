"""Billing rounds from rows of one school, in the shapes of the pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import NotFound
from billing.money import Money
from billing.people.tables import Pupil
from billing.rounds.previewing import open_questions
from billing.rounds.tables import BillingRound
from service.access.tables import User
from service.jobs.rounds import trouble_of
from service.pages.views import RoundItem, RoundPreview, RoundRow, RoundState


def round_list(session: Session, school_id: UUID) -> tuple[RoundRow, ...]:
    """Return the rounds of a school, newest first."""
    rows = session.exec(
        select(BillingRound, User)
        .join(User, col(User.id) == col(BillingRound.made_by))
        .where(BillingRound.school_id == school_id)
        .order_by(col(BillingRound.made_at).desc(), col(BillingRound.code).desc())
    ).all()
    return tuple(_row(billing_round, maker.full_name) for billing_round, maker in rows)


def round_preview(session: Session, school_id: UUID, round_id: UUID) -> RoundPreview:
    """Return what a round will do, as kept when it was last calculated."""
    billing_round = round_of(session, school_id, round_id)
    kept = billing_round.preview
    questions = open_questions(billing_round)
    return RoundPreview(
        row=_row(billing_round, _name(session, billing_round.made_by)),
        items=tuple(_item(item) for item in kept.get("items", [])),
        pupils=int(kept.get("totals", {}).get("pupils", 0)),
        covered=int(kept.get("covered", 0)),
        problems=tuple(_problems(session, kept, questions)),
        questions=tuple(questions),
        digest=billing_round.preview_digest.hex() if billing_round.preview_digest else "",
        approved_by=_name(session, billing_round.approved_by) if billing_round.approved_by else "",
        trouble=trouble_of(session, round_id) if billing_round.state == "approved" else "",
    )


def round_of(session: Session, school_id: UUID, round_id: UUID) -> BillingRound:
    """Return a round of this school; raises ``NotFound`` for any other."""
    found = session.exec(
        select(BillingRound).where(BillingRound.school_id == school_id, BillingRound.id == round_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không có đợt thu này.", round=round_id)
    return found


def _row(billing_round: BillingRound, maker: str) -> RoundRow:
    return RoundRow(
        round_id=str(billing_round.id),
        title=billing_round.name,
        state=RoundState(billing_round.state),
        bills=int(billing_round.preview.get("bills", 0)),
        amount=billing_round.family_total or Money(0),
        due_on=billing_round.due_on,
        maker=maker,
    )


def _item(item: dict[str, Any]) -> RoundItem:
    gross, family = int(item["totals"]["gross"]), int(item["totals"]["family"])
    return RoundItem(str(item["name"]), int(item["quantity"]), Money(gross), Money(gross - family), Money(family))


def _problems(session: Session, kept: dict[str, Any], questions: list[str]) -> list[str]:
    """Return the oddities in words, each with the pupil's name; questions stand elsewhere."""
    oddities = [oddity for oddity in kept.get("oddities", []) if oddity["text"] not in questions]
    ids = [UUID(oddity["pupil"]) for oddity in oddities if oddity.get("pupil")]
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(ids))).all())
    return [_with_name(str(oddity["text"]), oddity.get("pupil"), names) for oddity in oddities]


def _with_name(text: str, pupil: str | None, names: dict[UUID, str]) -> str:
    name = names.get(UUID(pupil)) if pupil else None
    return f"{name}: {text}" if name else text


def _name(session: Session, user_id: UUID) -> str:
    user = session.get(User, user_id)
    return user.full_name if user else ""
