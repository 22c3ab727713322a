"""The part of the sample desk that answers the pages of rounds, slips and corrections."""

from __future__ import annotations

import io
import uuid
from datetime import date, datetime, timedelta
from typing import IO

from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn
from service.pages.round_views import (
    AgainstLast,
    CalendarDay,
    CalendarMonth,
    CorrectedRow,
    CorrectionPage,
    CorrectionRow,
    ExplainedBill,
    ExplainedLine,
    ItemTotals,
    NewRound,
    Notice,
    NoticesPage,
    OddGroup,
    OddPupil,
    PayerTotals,
    PupilCharges,
    RoundMore,
    RoundPupil,
    RoundPupils,
    SlipClass,
    SlipsPage,
    StartStep,
    TypedCorrection,
    TypedRound,
)
from service.pages.views import Download
from service.papers.print_state import PrintState, Standing
from tests.service.pages.sample_fees import CLASS_ID, SampleFees

ROUND = str(uuid.UUID(int=42))
PUPIL_ID = uuid.UUID(int=71)
CORRECTION_ID = uuid.UUID(int=72)
PRINT_ID = uuid.UUID(int=73)
TOTALS = PayerTotals(Money(512_340_000), Money(400_000_000), Money(100_000_000), ZERO, Money(12_340_000))
WEEK = (None, None, *(CalendarDay(date(2025, 10, day), ticked=day < 4) for day in range(1, 6)))
FORM = NewRound(
    year="2025-2026",
    months=(("2025-10", "10/2025"), ("2025-11", "11/2025")),
    first="2025-10",
    last="2025-10",
    code="2025-10",
    name="Tháng 10/2025",
    due_on=date(2025, 10, 20),
    calendar=(CalendarMonth("Tháng 10/2025", (WEEK,)),),
    missing=(("Chưa có học sinh nào của năm học này.", "/van-phong/tai-len", "Bảng tính"),),
    waiting_reductions=2,
)
MORE = RoundMore(
    code="2025-10",
    days="01/10/2025 – 31/10/2025",
    meal_days=23,
    kind="regular",
    base=None,
    totals=TOTALS,
    items=(ItemTotals("Tiền ăn bán trú", "Vietcombank …8901", 410, 9430, TOTALS),),
    codes=(("TIENAN", "Tiền ăn bán trú"),),
    against_last=AgainstLast(Money(390_000_000), Money(400_000_000), 3, 1, 12),
    odd=(
        OddGroup(
            "Chưa có số điện thoại hoặc e-mail",
            "In giấy báo cho các em này.",
            51,
            (OddPupil(str(PUPIL_ID), "Điểu Bảo", "3A1", "Chưa có số điện thoại hoặc e-mail để báo thu."),),
        ),
    ),
    shares=((40, date(2025, 10, 20)), (60, date(2025, 12, 20))),
    late=2,
    corrections=1,
    came_after=(2, 1),
)
BILL = ExplainedBill(
    bill_id=str(uuid.UUID(int=73)),
    number="TB2510-000001",
    account="Vietcombank …8901",
    gross=Money(736_000),
    due=Money(368_000),
    received=ZERO,
    state="open",
    lines=(
        ExplainedLine(
            "Tiền ăn bán trú",
            Money(368_000),
            ("32.000 đ × 23 ngày ăn = 736.000 đ.", "Nhà tài trợ chịu 50 %: 368.000 đ.", "Gia đình nộp 368.000 đ."),
            5,
            Money(300_000),
        ),
    ),
    reference="FW2345678AB",
)
ASKED = CorrectionRow(
    str(CORRECTION_ID), "Tháng 10/2025", "Ghi giảm thông báo TB2510-000001 của Điểu Bảo", "Nghỉ ốm", "Lê Thu Hà"
)


class SampleRounds(SampleFees):
    """Frozen records for the pages of rounds."""

    def __init__(self) -> None:
        super().__init__()
        self.more = MORE

    def start_steps(self, who: SignedIn, place: Place, now: datetime) -> tuple[StartStep, ...]:
        del who, place, now
        return (
            StartStep("/van-phong/khoan-thu", "Khoản thu", "Items", 5),
            StartStep("/van-phong/tai-len", "Danh sách", "Roster", 0),
        )

    def round_alert(self, who: SignedIn, place: Place) -> int:
        del who, place
        return 20

    def set_round_alert(self, who: SignedIn, place: Place, percent: int, now: datetime) -> None:
        del place, now
        self.done.append((f"alert {percent}", who.login))

    def new_round(self, who: SignedIn, place: Place, first: str, last: str, now: datetime) -> NewRound:
        del who, place, first, last, now
        return FORM

    def draft_round(self, who: SignedIn, place: Place, typed: TypedRound, now: datetime) -> uuid.UUID:
        del place, now
        self.done.append((f"draft {typed.code} {len(typed.meal_days)}", who.login))
        return uuid.UUID(ROUND)

    def draft_supplementary(
        self, who: SignedIn, place: Place, base: uuid.UUID, due_on: date, now: datetime
    ) -> uuid.UUID:
        del place, due_on, now
        self.done.append(("supplement", who.login))
        return base

    def round_more(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> RoundMore:
        del who, place, round_id
        return self.more

    def round_pupils(self, who: SignedIn, place: Place, round_id: uuid.UUID, words: str, page: int) -> RoundPupils:
        del who, place, round_id
        row = RoundPupil(
            str(PUPIL_ID), "Điểu Bảo", "7500000002", "3A1", Money(736_000), Money(368_000), Money(100_000), "part_paid"
        )
        return RoundPupils("Tháng 10/2025", issued=True, words=words, page=page, pages=2, total=101, rows=(row,))

    def pupil_charges(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, round_id: uuid.UUID, pupil_id: uuid.UUID, language: str, now: datetime
    ) -> PupilCharges:
        del place, round_id, language, now
        self.looks.append((str(pupil_id), who.login))
        return PupilCharges(
            ROUND, "Tháng 10/2025", str(pupil_id), "Điểu Bảo", "7500000002", "3A1", issued=True, locked=False,
            bills=(BILL,),
        )  # fmt: skip

    def withdraw_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, round_id, reason, now
        self.done.append(("withdraw round", who.login))

    def lock_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        del place, round_id, now
        self.done.append(("lock", who.login))

    def unlock_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, round_id, reason, now
        self.done.append(("unlock", who.login))

    # on paper
    def slips(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> SlipsPage:
        del who, place, round_id
        making = PrintState(PRINT_ID, Standing.MAKING, 12, 30, 408, now, now + timedelta(days=1))
        return SlipsPage(ROUND, "Tháng 10/2025", (SlipClass(str(CLASS_ID), "3A1", 34, 2),), making)

    def class_slips(
        self, who: SignedIn, place: Place, round_id: uuid.UUID, class_id: uuid.UUID, now: datetime
    ) -> Download:
        del who, place, round_id, class_id, now
        return Download(b"%PDF-", "application/pdf", "Giấy báo 3A1.pdf")

    def ask_for_all_slips(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        del place, round_id, now
        self.done.append(("print", who.login))

    def all_slips(
        self, who: SignedIn, place: Place, round_id: uuid.UUID, print_id: uuid.UUID, now: datetime
    ) -> tuple[str, IO[bytes]]:
        del who, place, round_id, print_id, now
        return "Giấy báo.zip", io.BytesIO(b"PK")

    def notices(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> NoticesPage:
        del who, place, round_id, now
        rows = (
            Notice("Điểu Bảo", "7500000002", Money(368_000)),
            Notice("Nguyễn Thị Minh Ánh", "7500000001", ZERO, ("Zalo: đã gửi",), reachable=True),
        )
        return NoticesPage(ROUND, "Tháng 10/2025", (("3A1", rows),), 1, 1, 2)

    # corrections
    def corrections(self, who: SignedIn, place: Place) -> tuple[CorrectionRow, ...]:
        del who, place
        return (ASKED,)

    def correction(self, who: SignedIn, place: Place, correction_id: uuid.UUID) -> CorrectionPage:
        del who, place, correction_id
        bill = CorrectedRow("TB2510-000001", "Điểu Bảo", Money(368_000), Money(300_000), Money(68_000), ZERO)
        return CorrectionPage(ASKED, (bill,), Money(68_000), ZERO)

    def ask_correction(self, who: SignedIn, place: Place, typed: TypedCorrection, now: datetime) -> uuid.UUID:
        del place, now
        self.done.append((f"ask {typed.kind}", who.login))
        return CORRECTION_ID

    def ask_price(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, round_id: uuid.UUID, item: str, price: str, reason: str, now: datetime
    ) -> uuid.UUID:
        del place, round_id, reason, now
        self.done.append((f"ask price {item} {price}", who.login))
        return CORRECTION_ID

    def approve_correction(self, who: SignedIn, place: Place, correction_id: uuid.UUID, now: datetime) -> None:
        del place, correction_id, now
        self.done.append(("approve correction", who.login))

    def reject_correction(
        self, who: SignedIn, place: Place, correction_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, correction_id, reason, now
        self.done.append(("reject correction", who.login))
