"""Showing what a round will do, and keeping what was shown: its digest is what another person approves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, record_deed
from billing.errors import Conflict
from billing.fees.preview import MUST_CONFIRM, Bounds, Oddity, OddityKind, Preview, Totals, make_preview
from billing.money import Money, total
from billing.rounds.calculating import Calculated, calculate, last_dues, round_digest, school_of
from billing.rounds.drafting import find_round, person, round_deed
from billing.rounds.expecting import expected_use
from billing.rounds.tables import BillingRound

OPEN_TO_PREVIEW = ("draft", "previewed", "submitted", "approved")


def preview_round(session: Session, round_id: UUID, actor: Actor, now: datetime) -> Preview:
    """Calculate the round and store what is shown; an earlier submission or approval falls away with it.

    Raises ``OverCap``, ``NotPlanned``, ``Prohibited`` or ``Refused`` where a price or a reduction is not allowed,
    ``Conflict`` when the round is issued or withdrawn.
    """
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state not in OPEN_TO_PREVIEW:
        raise Conflict("Đợt thu đã phát hành, đã khóa hoặc đã hủy, không thể tính lại.", state=billing_round.state)
    calculated = calculate(session, billing_round)
    preview = preview_of(calculated, session, billing_round)
    billing_round.state = "previewed"
    billing_round.made_by = person(actor)
    billing_round.submitted_at = billing_round.approved_by = billing_round.approved_at = None
    billing_round.preview_digest = bytes.fromhex(preview.digest)
    expected = expected_use(session, billing_round.school_id, calculated.charges)
    billing_round.preview = summary(preview) | {"leftover": _leftover(expected)}
    billing_round.family_total = preview.totals.family
    session.add(billing_round)
    session.flush()
    deed = round_deed(billing_round, "round.preview")
    record_deed(session, actor, deed, now, digest=preview.digest, family_total=preview.totals.family.dong)
    return preview


def preview_of(calculated: Calculated, session: Session, billing_round: BillingRound) -> Preview:
    """Return the preview of what was calculated, compared with the last issued round of the same kind."""
    preview = make_preview(
        calculated.charges,
        last_dues(session, billing_round),
        calculated.verdicts,
        calculated.roll.without_contact,
        Bounds(total_percent=school_of(session, billing_round).alert_percent),
    )
    homeless = tuple(
        Oddity(OddityKind.NO_CLASS, "Chưa xếp lớp nên chưa được tính vào đợt thu này.", pupil)
        for pupil in calculated.roll.without_class
    )
    waiting = tuple(
        Oddity(OddityKind.WAITING_REDUCTION, "Có phần giảm đang chờ duyệt, chưa được tính vào đợt thu này.", pupil)
        for pupil in sorted(calculated.roll.waiting_reductions)
    )
    digest = round_digest(calculated.charges, billing_round)
    return replace(preview, oddities=(*preview.oddities, *homeless, *waiting), digest=digest)


def refuse_changed(billing_round: BillingRound, digest: str) -> None:
    """Raise ``Conflict`` unless a round is still what was shown, named by its digest in hex."""
    if billing_round.preview_digest is None or billing_round.preview_digest.hex() != digest:
        raise Conflict("Đợt thu đã được tính lại sau khi mở trang. Xin xem lại rồi quyết định.")


def open_questions(billing_round: BillingRound) -> list[str]:
    """Return, in words, what the approver must agree to before the round can be approved."""
    oddities: list[dict[str, Any]] = billing_round.preview.get("oddities", [])
    return [str(oddity["text"]) for oddity in oddities if oddity["kind"] in MUST_CONFIRM]


def summary(preview: Preview) -> dict[str, Any]:
    """Return what the pages show of a preview as plain JSON: whole đồng, ids as text, no names."""
    difference = preview.difference
    return {
        "digest": preview.digest,
        "totals": _totals(preview.totals),
        "bills": preview.bills,
        "covered": preview.covered,
        "items": [
            {
                "code": item.code,
                "name": item.name,
                "account": item.account,
                "quantity": item.quantity,
                "totals": _totals(item.totals),
            }
            for item in preview.items
        ],
        "difference": {
            "was": difference.was.dong,
            "now": difference.now.dong,
            "new": [str(pupil) for pupil in difference.new],
            "gone": [str(pupil) for pupil in difference.gone],
            "changed": [
                {"pupil": str(change.pupil_id), "was": change.was.dong, "now": change.now.dong}
                for change in difference.changed
            ],
        },
        "oddities": [
            {
                "kind": oddity.kind.value,
                "text": oddity.text,
                "pupil": None if oddity.pupil_id is None else str(oddity.pupil_id),
                "item": oddity.item_code,
            }
            for oddity in preview.oddities
        ],
    }


def _leftover(expected: Mapping[UUID, Money]) -> dict[str, int]:
    return {"pupils": len(expected), "amount": total(expected.values()).dong}


def _totals(totals: Totals) -> dict[str, int]:
    return {
        "pupils": totals.pupils,
        "gross": totals.gross.dong,
        "family": totals.family.dong,
        "state": totals.state.dong,
        "school": totals.school.dong,
        "donor": totals.donor.dong,
    }
