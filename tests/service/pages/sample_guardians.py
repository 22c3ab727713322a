"""The part of the sample desk that answers the pages of guardians."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from billing.errors import Refused
from billing.money import ZERO, Money
from service.access.guardian_codes import Outcome
from service.access.roles import Place, SignedIn
from service.pages.guardian_views import (
    ContactChoice,
    ExplainedPage,
    FullBill,
    FullLine,
    FullView,
    RegisterPage,
    SentCode,
    TypedRegistration,
    WaitingContact,
)
from service.pages.views import BillPage

UNTIL = datetime(2025, 10, 6, 1, 30, tzinfo=UTC)
CODE_ID = uuid.UUID(int=71)
REGISTRATION_ID = uuid.UUID(int=72)
CHOICES = (ContactChoice(1, "phone", "09•• ••• 123"), ContactChoice(2, "email", "h•••@example.com"))
FULL = FullView(
    child_name="Nguyễn Thị Minh Ánh",
    bills=(
        FullBill(
            "TB25-0001",
            "tháng 10/2025",
            Money(970_000),
            Money(817_950),
            (
                FullLine(
                    "Bảo hiểm y tế học sinh",
                    Money(157_950),
                    (
                        "Đơn giá 315.900 đ/năm, theo Luật BHYT.",
                        "315.900 đ × 1 năm = 315.900 đ.",
                        "Nhà nước chịu 50 %: 157.950 đ (Học sinh; căn cứ: Nghị định 188/2025/NĐ-CP).",
                        "Gia đình nộp 157.950 đ.",
                    ),
                ),
            ),
            ZERO,
        ),
    ),
    until=UNTIL,
    told=True,
)
CONTACT = WaitingContact(
    str(REGISTRATION_ID), "Nguyễn Thị Minh Ánh", "1A", "Trần Thị Hồng Nhung", "mẹ", "phone", "09•• ••• 123", UNTIL
)


class SampleGuardians:
    """Codes that are always right, and one registration that waits."""

    family: dict[bytes, BillPage]
    done: list[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.full: FullView | None = None
        self.choices = CHOICES
        self.outcome = Outcome.RIGHT
        self.tries_left = 5
        self.kinds = frozenset({"phone", "email"})
        self.contacts = (CONTACT,)

    def explained(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> ExplainedPage | None:
        del token, session_digest, language, now
        bill = self.family.get(link_digest)
        return (
            None
            if bill is None
            else ExplainedPage(bill, self.choices, unreachable=False, signed_in=False, full=self.full)
        )

    def send_code(self, link_digest: bytes, contact: int, language: str, now: datetime) -> uuid.UUID | None:
        del contact, language, now
        return CODE_ID if link_digest in self.family else None

    def sent_code(self, link_digest: bytes, code_id: uuid.UUID, now: datetime) -> SentCode | None:
        del now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        return SentCode(str(code_id), "09•• ••• 123", "phone", 9, self.tries_left, bool(self.tries_left), bill.school)

    def use_code(
        self, link_digest: bytes, code_id: uuid.UUID, typed: str, fresh: bytes, now: datetime
    ) -> Outcome | None:
        del code_id, typed, fresh, now
        return self.outcome if link_digest in self.family else None

    def end_guardian(self, session_digest: bytes, now: datetime) -> None:
        del session_digest, now

    def stop_notices(self, link_digest: bytes, session_digest: bytes, now: datetime) -> bool | None:
        del session_digest, now
        return True if link_digest in self.family else None

    def register_page(self, link_digest: bytes, now: datetime) -> RegisterPage | None:
        del now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        return RegisterPage(bill.school, bill.child_name, (("mother", "mẹ"), ("father", "cha")), self.kinds)

    def ask_to_register(
        self, link_digest: bytes, typed: TypedRegistration, language: str, now: datetime
    ) -> uuid.UUID | None:
        del language, now
        if not typed.agreed_to:
            raise Refused("Chưa đánh dấu đồng ý.")
        return CODE_ID if link_digest in self.family else None

    def register_code(self, link_digest: bytes, code_id: uuid.UUID, now: datetime) -> SentCode | None:
        return self.sent_code(link_digest, code_id, now)

    def finish_registering(self, link_digest: bytes, code_id: uuid.UUID, typed: str, now: datetime) -> Outcome | None:
        return self.use_code(link_digest, code_id, typed, b"", now)

    def waiting_contacts(self, who: SignedIn, place: Place) -> tuple[WaitingContact, ...]:
        del who, place
        return self.contacts

    def accept_contact(self, who: SignedIn, place: Place, registration_id: uuid.UUID, now: datetime) -> None:
        del place, registration_id, now
        self.done.append(("accept contact", who.login))

    def refuse_contact(
        self, who: SignedIn, place: Place, registration_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, registration_id, reason, now
        self.done.append(("refuse contact", who.login))
