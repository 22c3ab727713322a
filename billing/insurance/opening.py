"""Opening the item under which a school bills health insurance pupil by pupil."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.fees.editing import NewItem, add_item
from billing.fees.insurance import INSURANCE_ITEM
from billing.fees.items import Group, Unit
from billing.fees.tables import FeeItem
from billing.people.tables import School

NAME = "Bảo hiểm y tế học sinh"
BASIS = "Luật Bảo hiểm y tế (theo tháng còn lại của từng học sinh)"
HELD_FOR_OTHERS = "3381"


def open_item(  # noqa: PLR0913, PLR0917  a deed, where the money goes, its moment
    session: Session, school: School, bank_account_id: UUID, actor: Actor, today: date, now: datetime
) -> FeeItem:
    """Add the item; its price comes from the law's parameters, so it has none of its own.

    Raises ``Conflict`` when the item is there. One sum for everybody (``BHYT-3T`` …) and months by pupil are never
    charged in one month: calculating a round refuses that.
    """
    new = NewItem(
        code=INSURANCE_ITEM,
        legal_name=NAME,
        group=Group.PASS_THROUGH,
        unit=Unit.MONTH,
        legal_basis=BASIS,
        revenue_account=HELD_FOR_OTHERS,
        bank_account_id=bank_account_id,
        valid_from=today.replace(day=1),
    )
    return add_item(session, school, new, actor, now)
