"""Using credit by hand: an accountant sets it against the open bills of a pupil or of a whole class."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.using import Occasion, Used, tell_used, use_credit
from billing.errors import NotAllowed, Refused
from billing.money import total
from billing.visible import is_blank

NOTHING_USED = (
    "Không có thông báo thu nào được trừ: không còn tiền tồn dùng được, không còn khoản phải nộp, hoặc tiền tồn chỉ"
    " được giữ cho đúng khoản thu của nó."
)


def apply_credit(  # noqa: PLR0913, PLR0917  whose credit, by whom, why, when
    session: Session,
    actor: Actor,
    school_id: UUID,
    pupils: Collection[UUID],
    reason: str,
    now: datetime,
    *,
    items: frozenset[str | None] | None = None,
    freely: bool = False,
) -> list[Used]:
    """Set the credit of these pupils against their open bills, oldest first, and return what was used.

    By the rules of the items, or ``freely`` against any open bill. ``items`` names the credit that may be used (None
    among them: money without an item). Raises ``Refused`` without a reason, or when nothing can be used.
    """
    if actor.user_id is None:
        raise NotAllowed("Trừ tiền tồn phải do một người có tên làm.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do trừ tiền tồn vào thông báo thu.")
    occasion = Occasion(school_id=school_id, made_by=actor.user_id, reason=reason.strip(), items=items, freely=freely)
    used = use_credit(session, occasion, pupils, now)
    if not used:
        raise Refused(NOTHING_USED)
    tell_used(session, school_id, used, now)
    for pupil in sorted({each.pupil_id for each in used}):
        deed = Deed(school_id, "credit.use", "pupil", str(pupil), reason.strip())
        amount = total(each.use.amount for each in used if each.pupil_id == pupil)
        record_deed(session, actor, deed, now, amount=amount.dong, freely=freely)
    return used
