"""The part of the sample desk that answers a family's page of its contract."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from billing.contracts.wording import Offer, Priced, contract_words
from billing.money import Money
from service.access.guardian_codes import Outcome
from service.access.roles import Place, SignedIn
from service.pages.contract_views import ContractPage, TypedEnd
from service.pages.guardian_contract_views import AgreedShown, FamilyContractPage, TypedAgreement
from service.pages.guardian_views import SentCode
from service.pages.views import BillPage
from tests.service.pages.sample_contracts import AGREED, DRAFT_PAGE, ROW, STARTS, TERMS, SampleContracts
from tests.service.pages.sample_guardians import CHOICES, CODE_ID

OFFER = Offer(
    school="Trường Tiểu học Hoa Mai",
    number=ROW.number,
    child="T. Thị Bảo An",
    school_year="2025-2026",
    plan="year",
    starts_on=STARTS,
    months=9,
    version="HD-2025",
    title="Hợp đồng dịch vụ giáo dục",
    body="Điều 1. Hai bên\nĐiều 2. Học phí và các khoản khác đóng theo bảng trên.",
    terms=TERMS,
    priced=(Priced("Học phí đóng cả năm", STARTS, 9, Money(2_500_000)),),
    deposit_due=date(2025, 6, 30),
)
WORDS = contract_words(OFFER)
UNTIL = date(2025, 6, 20)


class SampleFamilyContract(SampleContracts):
    """A contract that waits for its family's answer; ``answered`` makes it an agreed one."""

    family: dict[bytes, BillPage]
    outcome: Outcome
    answered = False
    drafted = False

    def contract(
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, typed: TypedEnd | None, now: datetime
    ) -> ContractPage:
        return DRAFT_PAGE if self.drafted else super().contract(who, place, contract_id, typed, now)

    def family_contract(self, link_digest: bytes, token: str, now: datetime) -> FamilyContractPage | None:
        del now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        shown = AgreedShown(AGREED.at, AGREED.masked, tuple(WORDS.text.splitlines())) if self.answered else None
        return FamilyContractPage(
            token, bill.school, OFFER.number, OFFER.child, () if shown else WORDS.sections, WORDS.digest.hex(), UNTIL,
            CHOICES, unreachable=False, signed_on=AGREED.at.date() if shown else None, agreed=shown,
            pay=f"/t/{token}" if shown else "",
        )  # fmt: skip

    def ask_to_agree(self, link_digest: bytes, typed: TypedAgreement, language: str, now: datetime) -> uuid.UUID | None:
        del typed, language, now
        return CODE_ID if link_digest in self.family else None

    def agree_code(self, link_digest: bytes, code_id: uuid.UUID, now: datetime) -> SentCode | None:
        del now
        bill = self.family.get(link_digest)
        return None if bill is None else SentCode(str(code_id), "09•• ••• 123", "phone", 9, 5, True, bill.school)  # noqa: FBT003  open

    def finish_agreeing(self, link_digest: bytes, code_id: uuid.UUID, typed: str, now: datetime) -> Outcome | None:
        del code_id, typed, now
        return self.outcome if link_digest in self.family else None
