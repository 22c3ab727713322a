"""The part of the sample desk that answers the pages of pupils who move."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn
from service.pages.fee_views import PupilHit
from service.pages.moving_views import (
    AskedCorrection,
    FallRow,
    GraduateRow,
    LastClassRow,
    LeavingPage,
    LeavingPlan,
    LeavingRow,
    MoverPage,
    MovingPage,
    TypedClass,
    TypedLeaving,
    TypedReturn,
)
from tests.service.pages.sample_credits import REFUND_ID
from tests.service.pages.sample_fees import ENROLMENT_ID
from tests.service.pages.sample_rounds import CORRECTION_ID, PUPIL_ID

LEAVING_ID = uuid.UUID(int=91)
HIT = PupilHit(str(ENROLMENT_ID), "Nguyễn Thị Minh Ánh", "7500000001", "3A1", date(2017, 3, 14))
ROW = LeavingRow(str(LEAVING_ID), HIT.name, "transferred_out", date(2025, 10, 15), "waiting")
FALLS = (
    FallRow("TB2510-000001", "Tháng 10/2025", False, "Tiền ăn bán trú", Money(736_000), Money(384_000)),  # noqa: FBT003  locked
    FallRow("TB2511-000001", "Tháng 11/2025", False, "Tiền nước uống", Money(10_000), Money(10_000)),  # noqa: FBT003  locked
)
LEAVING = LeavingPage(
    row=ROW, pupil_id=str(PUPIL_ID), reason="Theo đơn của gia đình", maker="Trần Thị Thu",
    corrections=(
        AskedCorrection(str(CORRECTION_ID), "TB2510-000001", "waiting"),
        AskedCorrection(str(CORRECTION_ID), "TB2511-000001", "approved"),
    ),
    owed=Money(10_000), kept=Money(384_000), asked=ZERO, can_settle=True, can_return=True, today=date(2025, 11, 3),
    classes=(("7", "3A1"), ("8", "3A2")), items=(("TIENAN", "Tiền ăn bán trú"), ("BANTRU", "Tổ chức bán trú")),
)  # fmt: skip
MISSED = (("5", "Tháng 9/2025"), ("6", "Tháng 10/2025"))
LAST = (
    LastClassRow("1", "5A", Money(64_000), (GraduateRow("Điểu Bảo", Money(64_000), Money(10_000)),)),
    LastClassRow("2", "5B", ZERO, ()),
)


class SampleMoving:
    """Frozen pupils who move; remembers what was done."""

    done: list[tuple[str, str]]

    def _did_move(self, what: str, who: SignedIn) -> None:
        self.done.append((what, who.login))

    def moving(self, who: SignedIn, place: Place, words: str, now: datetime) -> MovingPage:
        del who, place, now
        return MovingPage(words, (HIT,), (ROW,))

    def mover(
        self, who: SignedIn, place: Place, enrolment_id: uuid.UUID, typed: TypedLeaving | None, now: datetime
    ) -> MoverPage:
        del who, place, enrolment_id, now
        money = {"owed": Money(500_000), "kept": ZERO, "off_rest": Money(10_000), "to_credit": Money(384_000)}
        plan = (
            None
            if typed is None
            else LeavingPlan(typed, date(2025, 10, 15), FALLS, **money, gives_back=ZERO, still_open=Money(106_000))
        )
        return MoverPage(HIT, True, date(2025, 10, 20), (("1", "3A1"), ("2", "3A2")), plan, "", MISSED)  # noqa: FBT003  studies

    def leave(self, who: SignedIn, place: Place, typed: TypedLeaving, now: datetime) -> uuid.UUID:
        del place, typed, now
        self._did_move("leave", who)
        return LEAVING_ID

    def leaving(self, who: SignedIn, place: Place, leaving_id: uuid.UUID, now: datetime) -> LeavingPage:
        del who, place, leaving_id, now
        return LEAVING

    def settle_leaving(self, who: SignedIn, place: Place, leaving_id: uuid.UUID, now: datetime) -> uuid.UUID | None:
        del place, leaving_id, now
        self._did_move("settle leaving", who)
        return REFUND_ID

    def take_back_leaving(self, who: SignedIn, place: Place, leaving_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, leaving_id, reason, now
        self._did_move("take back leaving", who)

    def come_back(self, who: SignedIn, place: Place, typed: TypedReturn, now: datetime) -> uuid.UUID:
        del place, now
        self._did_move(f"come back {typed.leaving_id} {typed.class_id} {typed.first_day}", who)
        return ENROLMENT_ID

    def change_class(self, who: SignedIn, place: Place, typed: TypedClass, now: datetime) -> None:
        del place, typed, now
        self._did_move("change class", who)

    def last_classes(self, who: SignedIn, place: Place, now: datetime) -> tuple[LastClassRow, ...]:
        del who, place, now
        return LAST

    def refund_graduates(
        self, who: SignedIn, place: Place, classes: Sequence[str], reason: str, now: datetime
    ) -> uuid.UUID:
        del place, classes, reason, now
        self._did_move("refund graduates", who)
        return REFUND_ID
