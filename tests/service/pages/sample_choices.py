"""The part of the sample desk that answers the pages of what families choose."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime

from billing.money import Money
from notifications.rules import Invitation
from service.access.roles import Place, SignedIn
from service.pages.choice_views import (
    ChoiceRow,
    Chosen,
    FamilyChoicesPage,
    FullChoices,
    OfferForm,
    OfferPage,
    OfferRow,
    OffersPage,
    ShownHeld,
    ShownOffer,
    Ticked,
    TypedOffer,
)
from service.pages.views import BillPage
from tests.service.pages.sample_family_account import SampleFamilyAccount
from tests.service.pages.sample_guardians import CHOICES
from tests.service.pages.samples import NOW

OFFER_ID = uuid.UUID(int=101)
CHOICE_ID = uuid.UUID(int=102)
_DAY, _FIRST = date(2025, 10, 6), date(2025, 11, 1)
_AT = datetime(2025, 10, 6, 3, tzinfo=UTC)
ROW = OfferRow(str(OFFER_ID), "Xe đưa rước", _FIRST, date(2025, 10, 20), "open", 1, 1, "Xe 16 chỗ, có người trông em.")
OPEN = ShownOffer(
    str(OFFER_ID),
    "Xe đưa rước",
    (
        "Xe đưa rước: 300.000 đ/tháng.",
        "Xe 16 chỗ, có người trông em.",
        "Dùng từ ngày 01/11/2025 đến khi gia đình thôi đăng ký. Hạn đăng ký: hết ngày 20/10/2025.",
        "Mức thu theo kế hoạch đã duyệt: Số 12/QĐ-UBND ngày 01/09/2025 (UBND phường).",
        "Đây là khoản tự nguyện: không đăng ký thì nhà trường không thu.",
    ),
    "ab" * 32,
)
HELD = ShownHeld(
    "BANTRU",
    "Tiền tổ chức, quản lý và vệ sinh bán trú",
    date(2025, 9, 1),
    None,
    ("Thôi đăng ký Tiền tổ chức, quản lý và vệ sinh bán trú cho con sau ngày 31/10/2025.",),
    "cd" * 32,
)
BY_CONTRACT = ShownHeld("HOCPHI-KY", "Học phí đóng kỳ", date(2025, 9, 1), date(2026, 2, 28), by_contract=True)
FULL = FullChoices(
    "Nguyễn Thị Minh Ánh",
    (OPEN,),
    (HELD, ShownHeld("TIENAN", "Tiền ăn bán trú", date(2025, 9, 1), date(2025, 10, 31)), BY_CONTRACT),
    (("Câu lạc bộ cờ vua", "Lớp đã đủ 20 em"),),
    datetime(2025, 10, 6, 1, 30, tzinfo=UTC),
)
ROWS = (
    ChoiceRow(
        str(CHOICE_ID),
        "Nguyễn Thị Minh Ánh",
        "1A",
        "Trần Thị Hồng Nhung",
        "…123",
        _AT,
        _FIRST,
        Money(300_000),
        "ab" * 32,
    ),
    ChoiceRow(
        str(uuid.UUID(int=103)), "Điểu Bảo", "1A", "Điểu Nam", "…456", _AT, _FIRST, Money(300_000), "ab" * 32, "Hết chỗ"
    ),
)


class SampleChoices(SampleFamilyAccount):
    """One open item, and two choices of it; remembers what was done."""

    family: dict[bytes, BillPage]
    done: list[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.full_choices: FullChoices | None = None

    def family_choices(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> FamilyChoicesPage | None:
        del session_digest, language, now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        full = self.full_choices
        return FamilyChoicesPage(token, bill.school, bill.child_name, CHOICES, False, full is not None, full)  # noqa: FBT003  a record

    def choose(
        self, link_digest: bytes, session_digest: bytes, ticked: Sequence[Ticked], language: str, now: datetime
    ) -> Chosen | None:
        del session_digest, ticked, language, now
        return Chosen.DONE if link_digest in self.family else None

    def stop_choice(  # noqa: PLR0913, PLR0917  as the desk promises
        self, link_digest: bytes, session_digest: bytes, code: str, digest: bytes, language: str, now: datetime
    ) -> Chosen | None:
        del session_digest, code, digest, language, now
        return Chosen.DONE if link_digest in self.family else None

    def offers(self, who: SignedIn, place: Place, code: str, now: datetime) -> OffersPage:
        del who, place, now
        form = OfferForm(code, "Xe đưa rước", "300.000 đ/tháng", "Xe 16 chỗ.", _FIRST, date(2025, 10, 20))
        return OffersPage((ROW,), (("XE", "Xe đưa rước"),), _DAY, form if code else None)

    def open_offer(self, who: SignedIn, place: Place, typed: TypedOffer, now: datetime) -> uuid.UUID:
        del place, typed, now
        self.done.append(("open offer", who.login))
        return OFFER_ID

    def offer(self, who: SignedIn, place: Place, offer_id: uuid.UUID, now: datetime) -> OfferPage:
        del who, place, offer_id, now
        return OfferPage(ROW, ROWS, (Invitation(NOW, 412, 380, 2, 30),))

    def invite_to_offer(self, who: SignedIn, place: Place, offer_id: uuid.UUID, now: datetime) -> None:
        del place, offer_id, now
        self.done.append(("invite to offer", who.login))

    def close_offer(self, who: SignedIn, place: Place, offer_id: uuid.UUID, now: datetime) -> None:
        del place, offer_id, now
        self.done.append(("close offer", who.login))

    def refuse_choice(self, who: SignedIn, place: Place, choice_id: str, reason: str, now: datetime) -> None:
        del place, choice_id, reason, now
        self.done.append(("refuse choice", who.login))
