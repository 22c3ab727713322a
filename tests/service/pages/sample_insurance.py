"""The part of the sample desk that answers the pages of pupils' health insurance."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn
from service.pages.insurance_views import (
    BoughtRow,
    CardPage,
    CardRow,
    ClassCards,
    DoubleRow,
    InsurancePage,
    InsuredClass,
    ListedRow,
    ListPage,
    PayoutRow,
    RateRow,
    SentList,
    Sums,
    TypedCard,
    TypedClassCards,
    TypedPayout,
)
from service.pages.views import Download
from tests.service.pages.sample_claims import SOME_ID
from tests.service.pages.sample_credits import REFUND_ID
from tests.service.pages.sample_fees import CLASS_ID
from tests.service.pages.sample_rounds import CORRECTION_ID, PUPIL_ID

LIST_ID = uuid.UUID(int=95)
SENT_AT = datetime(2025, 10, 20, 2, 0, tzinfo=UTC)
OCTOBER = date(2025, 10, 1)
FAMILY = Money(157_950)
CARD = CardRow(str(PUPIL_ID), "Nguyễn Thị Minh Ánh", "school", date(2025, 9, 30), 3, ("10/2025",), numbered=True)
OTHER = CardRow(str(uuid.UUID(int=96)), "Điểu Bảo", "other")
LISTED = ListedRow(
    CARD.name, date(2017, 3, 14), "3A1", True, OCTOBER, 3,  # noqa: FBT003  numbered
    Money(315_900), FAMILY, ZERO, ZERO, FAMILY,
)  # fmt: skip
RATE = RateRow(Money(2_340_000), 45, 50, 0, Money(105_300), Money(52_650), "Luật BHYT", date(2026, 6, 30))
SUMS = Sums(
    billed=3 * FAMILY, unpaid=FAMILY, collected=2 * FAMILY, given_back=ZERO, passed_on=FAMILY, held=FAMILY,
    difference=ZERO, told=FAMILY, not_told=FAMILY, to_pass_on=ZERO, odd=(),
)  # fmt: skip


def payout(state: str, *, own: bool = False) -> PayoutRow:
    return PayoutRow(str(SOME_ID), 1, FAMILY, date(2025, 10, 20), "FT25293001", state, "Trần Thị Thu", own)


def sent(list_id: str = "", at: datetime | None = None) -> ListPage:
    unpaid = () if at else (("Lê Văn Chín", FAMILY),)
    return ListPage(2025, 1, list_id, "ab" * 32, (LISTED,), at, "Trần Thị Thu", LISTED, unpaid)


class SampleInsurance:
    """Frozen insurance; remembers what was done."""

    done: list[tuple[str, str]]

    def _insured(self, what: str, who: SignedIn) -> None:
        self.done.append((what, who.login))

    def insurance(self, who: SignedIn, place: Place, year: str, now: datetime) -> InsurancePage:
        del who, place, year
        return InsurancePage(
            year=2025, today=now.date(), opened=True, accounts=(("a1", "BIDV …4321"),), rate=RATE,
            classes=(InsuredClass(str(CLASS_ID), "3A1", 30, 24, 5),),
            lists=(SentList(str(LIST_ID), 1, SENT_AT, 2, 2 * FAMILY),),
            payouts=(payout("asked"), payout("asked", own=True), payout("approved")), sums=SUMS,
        )  # fmt: skip

    def open_insurance(self, who: SignedIn, place: Place, account: str, now: datetime) -> None:
        del place, account, now
        self._insured("open insurance", who)

    def class_cards(self, who: SignedIn, place: Place, class_id: uuid.UUID, year: str, now: datetime) -> ClassCards:
        del who, place, year, now
        unknown = CardRow(str(uuid.UUID(int=97)), "Lê Văn Chín", "")
        return ClassCards(str(class_id), "3A1", 2025, "2025-10", (CARD, OTHER, unknown))

    def enter_class_cards(
        self, who: SignedIn, place: Place, class_id: uuid.UUID, typed: TypedClassCards, now: datetime
    ) -> int:
        del place, class_id, now
        self._insured("enter class cards", who)
        return len(typed.pupils)

    def pupil_card(self, who: SignedIn, place: Place, pupil_id: uuid.UUID, year: str, now: datetime) -> CardPage:
        del who, place, year
        return CardPage(
            pupil_id=str(pupil_id), name=CARD.name, year=2025, today=now.date(), row=CARD, reason="", number="…4321",
            at_a_time=6, month="2025-10", reasons=(("poor", "Hộ nghèo", "Poor household"),),
            bought=(BoughtRow("TB2510-000001", OCTOBER, 3, FAMILY, True, 1),),  # noqa: FBT003  settled
            doubles=(DoubleRow(date(2025, 12, 1), 1, Money(52_650), "waiting", str(CORRECTION_ID)),),
            free=Money(52_650),
        )  # fmt: skip

    def enter_card(self, who: SignedIn, place: Place, pupil_id: uuid.UUID, typed: TypedCard, now: datetime) -> None:
        del place, pupil_id, typed, now
        self._insured("enter card", who)

    def show_other_card(
        self, who: SignedIn, place: Place, pupil_id: uuid.UUID, typed: TypedCard, now: datetime
    ) -> None:
        del place, pupil_id, typed, now
        self._insured("show other card", who)

    def refund_insurance(self, who: SignedIn, place: Place, pupil_id: uuid.UUID, now: datetime) -> uuid.UUID:
        del place, pupil_id, now
        self._insured("refund insurance", who)
        return REFUND_ID

    def next_insurance_list(self, who: SignedIn, place: Place, year: str, now: datetime) -> ListPage:
        del who, place, year, now
        return sent()

    def send_insurance_list(self, who: SignedIn, place: Place, year: str, shown: str, now: datetime) -> uuid.UUID:
        del place, year, shown, now
        self._insured("send insurance list", who)
        return LIST_ID

    def insurance_list(self, who: SignedIn, place: Place, list_id: uuid.UUID) -> ListPage:
        del who, place
        return sent(str(list_id), SENT_AT)

    def insurance_list_sheet(self, who: SignedIn, place: Place, list_id: uuid.UUID, now: datetime) -> Download:
        del who, place, list_id, now
        return Download(b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "BHYT.xlsx")

    def enter_insurance_payout(self, who: SignedIn, place: Place, typed: TypedPayout, now: datetime) -> int:
        del place, typed, now
        self._insured("enter insurance payout", who)
        return 2025

    def decide_insurance_payout(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, payout_id: uuid.UUID, deed: str, reason: str, now: datetime
    ) -> None:
        del place, payout_id, reason, now
        self._insured(f"insurance payout {deed}", who)
