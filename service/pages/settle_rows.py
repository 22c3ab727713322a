"""Settling a round's meals, in the shapes of the page: what is not closed, what would change, who ate little."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.errors import HocphiError
from billing.money import ZERO
from billing.people.names import sort_key
from billing.rounds.by_days import meals_of_round, open_classes, preview_attendance
from billing.rounds.correcting import CorrectionPreview, open_corrections
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.pages.attendance_views import FewMeals, SettledPupil, SettlePage
from service.pages.round_more_rows import names_of

# A school may bill nothing to who ate on fewer days: the case of an accountant at a Vietnamese vendor's help desk.
FEW_DAYS = 5


def settle_page(session: Session, billing_round: BillingRound, viewer: Actor, now: datetime) -> SettlePage:
    """Return what settling the round's meals would do now, or why nothing can be done."""
    preview, problem = CorrectionPreview(()), ""
    try:
        preview = preview_attendance(session, viewer, billing_round.id, now)
    except HocphiError as error:
        problem = error.message
    used = meals_of_round(session, billing_round.id) if billing_round.state in ISSUED_STATES else {}
    names = names_of(session, billing_round, set(used) | {bill.pupil_id for bill in preview.bills})
    pupils = tuple(
        SettledPupil(
            pupil_id=str(bill.pupil_id),
            name=names[bill.pupil_id][0],
            class_name=names[bill.pupil_id][1],
            bill=bill.number,
            billed=used[bill.pupil_id].billed,
            used=used[bill.pupil_id].used,
            was=bill.was,
            now=bill.now,
            off_rest=bill.off_rest,
            to_credit=bill.to_credit,
        )
        for bill in preview.bills
    )
    few = (
        FewMeals(str(key), *names[key], meals.used)
        for key, meals in used.items()
        if 0 < meals.used < FEW_DAYS <= meals.billed
    )
    waiting = sum(
        each.round_id == billing_round.id and each.kind == "attendance"
        for each in open_corrections(session, billing_round.school_id)
    )
    return SettlePage(
        round_id=str(billing_round.id),
        title=billing_round.name,
        unfinished=tuple(
            (str(each.group.id), each.group.code, each.month) for each in open_classes(session, billing_round.id)
        ),
        pupils=tuple(sorted(pupils, key=lambda each: (each.class_name, sort_key(each.name)))),
        off_rest=preview.off_rest if preview.bills else ZERO,
        to_credit=preview.to_credit if preview.bills else ZERO,
        few=tuple(sorted(few, key=lambda each: (each.class_name, sort_key(each.name)))),
        waiting=waiting,
        problem=problem,
    )
