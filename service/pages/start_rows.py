"""Where a school stands on its way to a round: what is loaded, imported, registered, waiting and made."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from billing.fees.reducing import waiting_reductions
from billing.fees.tables import FeeItem, OptIn
from billing.people.tables import Enrolment
from billing.rounds.tables import BillingRound
from service.pages.item_rows import running_year
from service.pages.round_views import StartStep


def start_steps(session: Session, school_id: UUID, today: date) -> tuple[StartStep, ...]:
    """Return the steps to a round, in their order, each with how much of it is there."""
    year = running_year(session, school_id, today)
    items = session.exec(select(func.count()).where(FeeItem.school_id == school_id)).one()
    pupils = session.exec(
        select(func.count()).where(
            Enrolment.school_id == school_id,
            Enrolment.school_year == year,
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= today),
        )
    ).one()
    registered = session.exec(
        select(func.count(func.distinct(OptIn.enrolment_id))).where(
            OptIn.school_id == school_id,
            col(OptIn.withdrawn_at).is_(None),
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= today),
        )
    ).one()
    waiting = len(waiting_reductions(session, school_id))
    rounds = session.exec(
        select(func.count()).where(
            BillingRound.school_id == school_id, BillingRound.school_year == year, BillingRound.state != "withdrawn"
        )
    ).one()
    return (
        StartStep("/van-phong/khoan-thu", "Khoản thu", "Items", items),
        StartStep("/van-phong/tai-len", "Danh sách học sinh", "Roster", pupils),
        StartStep("/van-phong/dang-ky", "Em đã đăng ký", "Pupils registered", registered),
        StartStep("/van-phong/mien-giam", "Miễn giảm chờ duyệt", "Reductions that wait", waiting),
        StartStep("/van-phong/dot-thu", "Đợt thu của năm học", "Rounds of the year", rounds),
    )
