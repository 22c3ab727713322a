"""The part of the sample desk that answers the pages of the State's money."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import date, datetime

from billing.errors import NotFound
from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn
from service.pages.claims_views import (
    Came,
    ChoiceRow,
    ClaimLineRow,
    ClaimPage,
    ClaimRow,
    EntitlementRow,
    EntitlementsPage,
    PayoutLine,
    PayoutPage,
    RateRow,
    StateMoneyPage,
    StatePaymentRow,
    TypedChoice,
    TypedClaim,
    TypedEntitlement,
    TypedPayment,
    TypedPayout,
    TypedStep,
)
from service.pages.fee_views import PupilHit
from service.pages.views import Download

CLAIM_ID = uuid.UUID(int=71)
SOME_ID = uuid.UUID(int=72)
ROW = ClaimRow(
    str(CLAIM_ID), "private_support", "Hỗ trợ học phí trường ngoài công lập", "2025-2026", 1, 1, "draft",
    "09/2025–12/2025", 2, Money(1_200_000), "Trần Thị Thu",
)  # fmt: skip
LINE = ClaimLineRow(
    "Nguyễn Thị Minh Ánh", str(SOME_ID), "3A1", "09, 10, 11, 12", 4, Money(150_000), Money(600_000), "gia đình"
)
PAYMENT = StatePaymentRow(str(SOME_ID), Money(600_000), date(2025, 10, 3), "về tài khoản Kho bạc", "LC 12")
CLAIM = ClaimPage(
    row=ROW,
    lines=(LINE, dataclasses.replace(LINE, pupil="Điểu Bảo", amount=Money(-150_000))),
    line_count=212,
    number=2,
    pages=3,
    problems=("Điểu Bảo: Không thuộc diện được Nhà nước chi trả: quốc tịch nước ngoài.",),
    digest="b7c1",
    codes=("822", "", "6199"),
    approver="",
    changed=False,
    came=None,
    payments=(),
    ways=(("treasury", "về tài khoản Kho bạc"), ("families", "Nhà nước trả thẳng gia đình")),
    unpaid=0,
)
APPROVED = dataclasses.replace(
    CLAIM,
    row=dataclasses.replace(ROW, state="approved", kind="learning_cost", kind_name="Hỗ trợ chi phí học tập"),
    approver="Lê Văn Duyệt",
    came=Came(ZERO, Money(1_200_000), ZERO, Money(600_000), Money(600_000)),
    payments=(PAYMENT,),
    unpaid=1,
)
WAITING = PayoutLine(str(SOME_ID), "Điểu Bảo", "3A1", 4, Money(600_000))
PAYOUTS = PayoutPage(
    row=APPROVED.row,
    waiting=(WAITING,),
    paid=(
        dataclasses.replace(
            WAITING, pupil="Nguyễn Thị Minh Ánh", payout_id=str(SOME_ID), received_by="Nguyễn Văn Hòa",
            received_on=date(2025, 10, 4), way="tiền mặt",
        ),
    ),
    waiting_sum=Money(600_000),
    paid_sum=Money(600_000),
    today=date(2025, 10, 6),
)  # fmt: skip
CHOICE = ChoiceRow(
    str(SOME_ID), "nhà trường", "QĐ 12/2025", date(2025, 10, 1), date(2025, 11, 1), approved=False, maker="Thu"
)
MONEY = StateMoneyPage(
    claims=(ROW, APPROVED.row),
    rates=(
        RateRow(
            "Hỗ trợ chi phí học tập", "tiểu học", "", Money(150_000), 9, "Nghị định 238/2025/NĐ-CP",
            date(2025, 9, 1), None,
        ),
    ),
    choices=(CHOICE,),
    private=True,
    payee_now="gia đình",
    kinds=(("private_support", "Hỗ trợ học phí trường ngoài công lập"), ("learning_cost", "Hỗ trợ chi phí học tập")),
    years=("2025-2026",),
    codes=("822", "071", "6199"),
    budget_code="1012345",
    entitlements_waiting=1,
)  # fmt: skip
RIGHT = EntitlementRow(
    str(SOME_ID), "Điểu Bảo", "3A1", "Hộ nghèo", "Nghị định 238/2025/NĐ-CP", "Giấy chứng nhận số 15/2025",
    date(2025, 9, 1), None, approved=False, maker="Thu", mine=False,
)  # fmt: skip
HIT = PupilHit(str(SOME_ID), "Trần Đăng Khôi", "7500000001", "3A1", date(2017, 5, 4))
RIGHTS = EntitlementsPage(
    rows=(RIGHT, dataclasses.replace(RIGHT, approved=True, last=date(2025, 12, 31))),
    classes=(("HONGHEO", "Hộ nghèo"),),
    words="khoi",
    hits=(HIT,),
    chosen=None,
    first=date(2025, 10, 1),
)


class SampleClaims:
    """Frozen lists of a school; remembers what was done."""

    done: list[tuple[str, str]]
    claim_page: ClaimPage = CLAIM

    def _did(self, what: str, who: SignedIn) -> None:
        self.done.append((what, who.login))

    def state_money(self, who: SignedIn, place: Place, now: datetime) -> StateMoneyPage:
        del who, place, now
        return MONEY

    def draft_claim(self, who: SignedIn, place: Place, typed: TypedClaim, now: datetime) -> uuid.UUID:
        del place, now
        self._did(f"draft claim {typed.instalment}", who)
        return CLAIM_ID

    def claim(self, who: SignedIn, place: Place, claim_id: uuid.UUID, page: int) -> ClaimPage:
        del who, place, page
        if claim_id != CLAIM_ID:
            raise NotFound("Không có danh sách này.")
        return self.claim_page

    def step_claim(self, who: SignedIn, place: Place, claim_id: uuid.UUID, step: TypedStep, now: datetime) -> None:
        del place, claim_id, now
        self._did(f"claim {step.step}", who)

    def claim_list(self, who: SignedIn, place: Place, claim_id: uuid.UUID, now: datetime) -> Download:
        del who, place, claim_id, now
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Download(b"PK", kind, "Danh sách.xlsx")

    def record_state_payment(
        self, who: SignedIn, place: Place, claim_id: uuid.UUID, typed: TypedPayment, now: datetime
    ) -> None:
        del place, claim_id, now
        self._did(f"came {typed.amount}", who)

    def undo_state_payment(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, claim_id: uuid.UUID, payment_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, claim_id, payment_id, now
        self._did(f"undo payment {reason}", who)

    def payout_lists(self, who: SignedIn, place: Place) -> tuple[tuple[ClaimRow, int], ...]:
        del who, place
        return ((APPROVED.row, 1),)

    def payouts(self, who: SignedIn, place: Place, claim_id: uuid.UUID, now: datetime) -> PayoutPage:
        del who, place, claim_id, now
        return PAYOUTS

    def pay_out(self, who: SignedIn, place: Place, claim_id: uuid.UUID, typed: TypedPayout, now: datetime) -> None:
        del place, claim_id, now
        self._did(f"pay out {typed.way}", who)

    def undo_payout(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, claim_id: uuid.UUID, payout_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, claim_id, payout_id, now
        self._did(f"undo payout {reason}", who)

    def choose_support(self, who: SignedIn, place: Place, typed: TypedChoice, now: datetime) -> None:
        del place, now
        self._did(f"choose {typed.payee}", who)

    def decide_choice(
        self, who: SignedIn, place: Place, choice_id: uuid.UUID, now: datetime, *, approved: bool
    ) -> None:
        del place, choice_id, now
        self._did(f"choice {approved}", who)

    def entitlements(self, who: SignedIn, place: Place, words: str, chosen: str, now: datetime) -> EntitlementsPage:
        del who, place, words, now
        return dataclasses.replace(RIGHTS, chosen=HIT, hits=()) if chosen else RIGHTS

    def entitle(self, who: SignedIn, place: Place, typed: TypedEntitlement, now: datetime) -> None:
        del place, now
        self._did(f"entitle {typed.code}", who)

    def approve_entitlement(self, who: SignedIn, place: Place, entitlement_id: uuid.UUID, now: datetime) -> None:
        del place, entitlement_id, now
        self._did("approve entitlement", who)

    def end_entitlement(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, entitlement_id: uuid.UUID, last: date, reason: str, now: datetime
    ) -> None:
        del place, entitlement_id, last, now
        self._did(f"end entitlement {reason}", who)

    def proof_of_study(self, who: SignedIn, place: Place, enrolment_id: uuid.UUID, now: datetime) -> Download:
        del who, place, enrolment_id, now
        return Download(b"%PDF-", "application/pdf", "Xác nhận.pdf")
