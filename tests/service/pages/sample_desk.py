"""A desk that hands out the frozen records of ``samples.py``, and remembers what was done."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from billing.errors import BadRows, Conflict, NotFound, RowProblem, SamePerson
from billing.money import ZERO, Money
from service.access import links, passwords
from service.access.limits import LocalLimiter
from service.access.roles import ROLES, Actor, Grant, Place, SignedIn
from service.access.staff import Account, Noted
from service.pages.desk import Caller, Desk, ShownRound, WebParts
from service.pages.trouble_views import TroublePage
from service.pages.upload_views import Upload, UploadChoices, UploadDone, UploadKind
from service.pages.views import (
    AuditPage,
    BillList,
    BillPage,
    BillQuery,
    BillStatus,
    Download,
    OfficeHome,
    ProvincePage,
    Readiness,
    RoundPreview,
    RoundRow,
)
from tests.service.pages.sample_attendance import SampleAttendance
from tests.service.pages.sample_bank_accounts import SampleBankAccounts
from tests.service.pages.sample_cards import SampleCards
from tests.service.pages.sample_cash import SampleCash
from tests.service.pages.sample_choices import SampleChoices
from tests.service.pages.sample_claims import SampleClaims
from tests.service.pages.sample_closing import SampleClosing
from tests.service.pages.sample_credits import SampleCredits
from tests.service.pages.sample_family_contract import SampleFamilyContract
from tests.service.pages.sample_feeds import SampleFeeds
from tests.service.pages.sample_guardians import SampleGuardians
from tests.service.pages.sample_insurance import SampleInsurance
from tests.service.pages.sample_kin import SampleKin
from tests.service.pages.sample_late import SampleLate
from tests.service.pages.sample_matching import SampleMatching
from tests.service.pages.sample_messages import SampleMessages
from tests.service.pages.sample_money_out import SampleMoneyOut
from tests.service.pages.sample_moving import SampleMoving
from tests.service.pages.sample_newyear import SampleNewYear
from tests.service.pages.sample_places import SamplePlaces
from tests.service.pages.sample_plans import SamplePlans
from tests.service.pages.sample_queue import SampleQueue
from tests.service.pages.sample_relief import SampleRelief
from tests.service.pages.sample_reminders import SampleReminders
from tests.service.pages.sample_rounds import SampleRounds
from tests.service.pages.sample_shortfalls import SampleShortfalls
from tests.service.pages.sample_staff import SampleStaff
from tests.service.pages.sample_statements import SampleStatements
from tests.service.pages.sample_till import SampleTill
from tests.service.pages.sample_tokens import SampleTokens
from tests.service.pages.samples import (
    AUDIT,
    HOME,
    NOW,
    OTHER_SCHOOL,
    PASSWORD,
    PREVIEW,
    PROVINCE,
    PROVINCE_PAGE,
    ROUND_ID,
    SCHOOL,
    SECRET,
    TOKEN,
    WAITING,
    WAITING_LIST,
    bill_row,
)

PASSWORD_HASH = passwords.hash_password(PASSWORD)  # slow by design, so once


class SampleDesk(
    SampleTokens,
    SampleStaff,
    SampleKin,
    SampleRelief,
    SampleReminders,
    SampleMessages,
    SampleBankAccounts,
    SamplePlaces,
    SampleFeeds,
    SampleStatements,
    SampleMoneyOut,
    SampleShortfalls,
    SampleCards,
    SampleCash,
    SampleTill,
    SampleClosing,
    SampleMatching,
    SampleQueue,
    SampleLate,
    SampleGuardians,
    SampleChoices,
    SampleClaims,
    SampleCredits,
    SampleFamilyContract,
    SampleMoving,
    SampleInsurance,
    SampleNewYear,
    SamplePlans,
    SampleAttendance,
    SampleRounds,
):
    """A desk over the records above; remembers sessions and what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.family = dict.fromkeys([links.digest(TOKEN)], WAITING)
        self.accounts = {role.value: uuid.uuid5(uuid.NAMESPACE_URL, role.value) for role in ROLES}
        self.password_hash = PASSWORD_HASH
        self.sessions: dict[bytes, uuid.UUID] = {}
        self.preview = PREVIEW
        self.fail_commit = False
        self.must_change = False
        self.problems: list[RowProblem] = []
        self.callers: list[Caller] = []
        self.noted: list[Noted] = []
        self.renewed: list[uuid.UUID] = []
        self.home = HOME
        self.found = BillList(BillQuery(), tuple(map(bill_row, range(1, 9))), 412, 200, Money(512_340_000), ZERO)
        self.waiting_list = WAITING_LIST
        self.audit_page = AUDIT

    @contextmanager
    def open(self, caller: Caller) -> Iterator[Desk]:
        """Open the desk as a transaction would be; ``fail_commit`` breaks its end."""
        self.callers.append(caller)
        yield self
        if self.fail_commit:
            raise ConnectionError("the commit broke")

    # sign-in
    def account(self, login: str) -> Account | None:
        found = self.accounts.get(login)
        return None if found is None else Account(found, self.password_hash)

    def start_session(self, user_id: uuid.UUID, digest: bytes, now: datetime) -> None:
        del now
        self.sessions[digest] = user_id

    def signed_in(self, digest: bytes, now: datetime) -> SignedIn | None:
        del now
        user_id = self.sessions.get(digest)
        if user_id is None:
            return None
        role = next(Actor(name) for name, known in self.accounts.items() if known == user_id)
        places = (PROVINCE,) if role is Actor.PROVINCE else (SCHOOL, OTHER_SCHOOL)
        grants = tuple(Grant(role, place) for place in places)
        return SignedIn(user_id, f"Người thử {role.value}", role.value, digest, grants, self.must_change)

    def end_session(self, digest: bytes, now: datetime) -> None:
        del now
        self.sessions.pop(digest, None)

    def renew_hash(self, user_id: uuid.UUID, password_hash: str) -> None:
        self.password_hash = password_hash
        self.renewed.append(user_id)

    def change_password(self, user_id: uuid.UUID, password_hash: str, keep: bytes, now: datetime) -> None:
        del now
        self.password_hash, self.must_change = password_hash, False
        others = [key for key, owner in self.sessions.items() if owner == user_id and key != keep]
        for key in others:
            del self.sessions[key]

    def note(self, noted: Noted, now: datetime) -> None:
        del now
        self.noted.append(noted)

    # families
    def bill(self, link_digest: bytes, token: str, now: datetime) -> BillPage | None:
        del now
        found = self.family.get(link_digest)
        return None if found is None else dataclasses.replace(found, token=token)

    def bill_status(self, link_digest: bytes, now: datetime) -> BillStatus | None:
        del now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        return BillStatus(bill.state, bill.received, len(bill.receipts), bill.surplus, bill.instant, bill.checking)

    def qr_png(self, link_digest: bytes, now: datetime) -> Download | None:
        del now
        bill = self.family.get(link_digest)
        return Download(b"\x89PNG", "image/png", "qr-tan-lap.png") if bill and bill.payment else None

    def receipt_pdf(self, link_digest: bytes, number: str, now: datetime) -> Download | None:
        del now
        bill = self.family.get(link_digest)
        numbers = {receipt.number for receipt in bill.receipts} if bill else set()
        return Download(b"%PDF-", "application/pdf", f"Biên lai {number}.pdf") if number in numbers else None

    # office
    def office_home(self, who: SignedIn, place: Place, now: datetime) -> OfficeHome:
        del who, place, now
        return self.home

    def bills(self, who: SignedIn, place: Place, query: BillQuery) -> BillList:
        del who, place
        return dataclasses.replace(self.found, query=query)

    def troubles(self, who: SignedIn, place: Place, now: datetime) -> TroublePage:
        del who, place, now
        return TroublePage((), 0, (), 0)

    def mark_seen(self, who: SignedIn, place: Place, inbox_id: int, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("seen", f"{inbox_id} {reason}"))

    def rounds(self, who: SignedIn, place: Place) -> tuple[RoundRow, ...]:
        del who, place
        return (self.preview.row,)

    def round_preview(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> RoundPreview:
        del who, place
        if round_id != ROUND_ID:
            raise NotFound("Không có đợt thu này.")
        return self.preview

    def calculate_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        del place, round_id, now
        self.done.append(("calculate", who.login))

    def submit_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        del place, now
        if shown.digest != self.preview.digest:
            raise Conflict("Đợt thu đã thay đổi sau khi mở trang.")
        self.done.append(("submit", who.login))

    def approve_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        del place, shown, now
        if self.preview.row.maker == who.name:
            raise SamePerson("Người lập không được tự duyệt.")
        self.done.append(("approve", who.login))

    def retry_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        del place, round_id, now
        self.done.append(("retry", who.login))

    def upload_choices(self, who: SignedIn, place: Place) -> UploadChoices:
        del who, place
        return UploadChoices(("2025-2026",))

    def upload(self, who: SignedIn, place: Place, upload: Upload, now: datetime) -> UploadDone:
        del place, now
        if self.problems:
            raise BadRows("Tệp có chỗ cần sửa; chưa lưu gì cả.", self.problems)
        self.done.append((f"upload {upload.kind.value} {len(upload.data)}", who.login))
        return UploadDone(3, 1, 40)

    def sheet(self, who: SignedIn, place: Place, kind: UploadKind, year: str, now: datetime) -> Download:
        del place, year, now
        self.done.append((f"sheet {kind.value}", who.login))
        return Download(b"PK", "application/zip", f"{kind.value}.xlsx")

    # audit and province
    def audit(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> AuditPage:
        del who, place, now
        return dataclasses.replace(self.audit_page, first=first, last=last)

    def audit_report(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> Download:
        del who, place, now
        name = f"Đối soát {first} {last}.xlsx"
        return Download(b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name)

    def province(self, who: SignedIn, place: Place, now: datetime) -> ProvincePage:
        del who, place, now
        return PROVINCE_PAGE


def sample_parts(desk: SampleDesk, *, production: bool = False, origin: str = "http://testserver") -> WebParts:
    """Return the parts of a web that stands on a sample desk."""
    return WebParts(
        production=production,
        origin=origin,
        secret=SECRET,
        clock=lambda: NOW,
        open_desk=desk.open,
        limiter=LocalLimiter(NOW.timestamp),
        ready=lambda: Readiness(ready=True, database_ms=2, schema="0001", degraded=("redis",)),
        open_card_page=lambda order: f"https://checkout.stripe.com/c/pay/{order.checkout_id}",
        card_origin="https://checkout.stripe.com",
    )
