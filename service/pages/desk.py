"""What the pages ask of the house: one desk per request, inside one transaction.

The routes know only this promise. ``service/pages/`` holds no query; tests put a desk of frozen records here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from starlette.types import ASGIApp

from service.access.limits import Limiter
from service.access.roles import Place, SignedIn
from service.access.staff import Account, Noted
from service.api.opening import ApiOpener, Opened
from service.pages.attendance_desk import AttendanceDesk
from service.pages.bank_account_views import BankAccountDesk
from service.pages.card_desk import CardDesk
from service.pages.card_views import CardOrder, OpenCardPage
from service.pages.cash_views import CashDesk
from service.pages.choice_desk import ChoiceDesk
from service.pages.claims_desk import ClaimDesk
from service.pages.closing_views import ClosingDesk
from service.pages.contract_desk import ContractDesk
from service.pages.credit_desk import CreditDesk
from service.pages.enquiry_views import EnquiryDesk
from service.pages.fee_desk import FeeDesk
from service.pages.feed_views import FeedDesk
from service.pages.guardian_contract_desk import FamilyContractDesk
from service.pages.guardian_desk import GuardianDesk
from service.pages.insurance_desk import InsuranceDesk
from service.pages.kin_views import KinDesk
from service.pages.late_views import LateDesk
from service.pages.matching_views import MatchingDesk
from service.pages.message_views import MessageDesk
from service.pages.money_out_views import MoneyOutDesk
from service.pages.moving_desk import MovingDesk
from service.pages.newyear_desk import NewYearDesk
from service.pages.place_views import PlaceDesk
from service.pages.plan_desk import PlanDesk
from service.pages.queue_views import QueueDesk
from service.pages.relief_views import ReliefDesk
from service.pages.reminder_views import ReminderDesk
from service.pages.round_desk import RoundWork
from service.pages.shortfall_views import ShortfallDesk
from service.pages.staff_views import StaffDesk
from service.pages.statement_views import StatementDesk
from service.pages.till_views import TillDesk
from service.pages.token_views import TokenDesk
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


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, and its id, for what is written down about it."""

    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ShownRound:
    """A round as somebody saw it: the digest of the preview, and whether its questions were agreed to."""

    round_id: uuid.UUID
    digest: str
    agreed: bool = False


class Gate(Protocol):
    """Sign-in and sessions."""

    def account(self, login: str) -> Account | None:
        """Find a staff account by its login (already folded and trimmed)."""

    def start_session(self, user_id: uuid.UUID, digest: bytes, now: datetime) -> None:
        """Store a new session by the digest of its token, and write it to the audit."""

    def signed_in(self, digest: bytes, now: datetime) -> SignedIn | None:
        """Return who is behind a living session, with the grants of today, and note its use."""

    def end_session(self, digest: bytes, now: datetime) -> None:
        """End a session; nothing happens if there is none."""

    def renew_hash(self, user_id: uuid.UUID, password_hash: str) -> None:
        """Store a stronger hash of the same password."""

    def change_password(self, user_id: uuid.UUID, password_hash: str, keep: bytes, now: datetime) -> None:
        """Store a new password; every other session of this person ends, ``keep`` (a digest) stays."""

    def note(self, noted: Noted, now: datetime) -> None:
        """Write down a sign-in, a refusal or an export."""


class FamilyDesk(Protocol):
    """What a payment link opens; every method answers nothing for an unknown or ended link."""

    def bill(self, link_digest: bytes, token: str, now: datetime) -> BillPage | None:
        """Return the page of one payment request."""

    def bill_status(self, link_digest: bytes, now: datetime) -> BillStatus | None:
        """Return the state only; asked every few seconds."""

    def qr_png(self, link_digest: bytes, now: datetime) -> Download | None:
        """Return the QR of what is still to be paid, as a picture with child and amount under it."""

    def receipt_pdf(self, link_digest: bytes, number: str, now: datetime) -> Download | None:
        """Return one receipt of this request."""


class OfficeDesk(Protocol):
    """What the office of one school sees and does; the desk limits itself to ``place``."""

    def office_home(self, who: SignedIn, place: Place, now: datetime) -> OfficeHome:
        """Return the three numbers."""

    def bills(self, who: SignedIn, place: Place, query: BillQuery) -> BillList:
        """Return one page of bills."""

    def troubles(self, who: SignedIn, place: Place, now: datetime) -> TroublePage:
        """Return the bank's messages that nobody could read, and ours that may not have arrived."""

    def mark_seen(self, who: SignedIn, place: Place, inbox_id: int, reason: str, now: datetime) -> None:
        """Mark a message that was put aside as seen; raises ``NotFound``, ``Refused``, ``Conflict``."""

    def rounds(self, who: SignedIn, place: Place) -> tuple[RoundRow, ...]:
        """Return the billing rounds, newest first."""

    def round_preview(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> RoundPreview:
        """Return what a round will do; raises ``NotFound``."""

    def calculate_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        """Calculate a round anew and keep what it will do."""

    def submit_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        """Hand a round to the approver; raises ``Conflict`` if it is no longer what was shown."""

    def approve_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        """Approve a round, which issues its bills; raises ``SamePerson``, ``Conflict`` or ``Refused``."""

    def retry_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        """Try again to issue an approved round; raises ``Conflict`` when nothing is the matter with it."""


class UploadDesk(Protocol):
    """What the office hands in."""

    def upload_choices(self, who: SignedIn, place: Place) -> UploadChoices:
        """Return what an upload can be for."""

    def upload(self, who: SignedIn, place: Place, upload: Upload, now: datetime) -> UploadDone:
        """Import a file, or only try it; raises ``BadRows`` with every problem, and then nothing is stored."""

    def sheet(self, who: SignedIn, place: Place, kind: UploadKind, year: str, now: datetime) -> Download:
        """Return what is stored as a sheet to edit and bring back; raises ``NotFound`` for what is not handed out."""


class AuditDesk(Protocol):
    """What an auditor and the province see. Each export is logged by the desk."""

    def audit(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> AuditPage:
        """Return totals, differences and exceptions of a period, both days included."""

    def audit_report(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> Download:
        """Return the reconciliation report as XLSX."""

    def province(self, who: SignedIn, place: Place, now: datetime) -> ProvincePage:
        """Return the sums of each school under an authority."""


class Desk(
    Gate,
    TokenDesk,
    StaffDesk,
    KinDesk,
    ReliefDesk,
    ReminderDesk,
    MessageDesk,
    BankAccountDesk,
    PlaceDesk,
    FeedDesk,
    EnquiryDesk,
    MoneyOutDesk,
    ShortfallDesk,
    CashDesk,
    TillDesk,
    ClosingDesk,
    MatchingDesk,
    QueueDesk,
    LateDesk,
    FamilyDesk,
    CardDesk,
    GuardianDesk,
    FamilyContractDesk,
    ChoiceDesk,
    OfficeDesk,
    UploadDesk,
    StatementDesk,
    AuditDesk,
    FeeDesk,
    RoundWork,
    ClaimDesk,
    AttendanceDesk,
    CreditDesk,
    ContractDesk,
    MovingDesk,
    InsuranceDesk,
    NewYearDesk,
    PlanDesk,
    Protocol,
):
    """Everything together."""


def no_figures(token: str) -> None:
    """Tell nothing: a web of pages alone."""
    del token


def no_api() -> AbstractContextManager[Opened]:
    """Open nothing: a web of pages alone, as tests of pages build it."""
    raise RuntimeError("this web has no API")


def no_card_page(order: CardOrder) -> str:
    """Open no page: a web without a card provider."""
    raise RuntimeError(f"this web has no card provider for checkout {order.checkout_id}")


@dataclass(frozen=True)
class WebParts:
    """What the web is built from; made in ``service/wiring.py``, or by a test.

    ``open_desk`` and ``open_api`` open one transaction, commit when left without an error, roll back otherwise.
    ``secret`` (at least 32 bytes) signs form tokens. ``origin`` is our own scheme, host and port; left
    empty, it is taken from the request (development only). ``door`` answers ``/callbacks/`` and is told
    when the server starts and stops. ``open_card_page`` asks the card provider, whose pages lie at ``card_origin``.
    ``figures`` tells Prometheus text to whoever brings the token.
    """

    production: bool
    origin: str
    secret: bytes
    clock: Callable[[], datetime]
    open_desk: Callable[[Caller], AbstractContextManager[Desk]]
    limiter: Limiter
    ready: Callable[[], Readiness]
    open_api: ApiOpener = no_api
    figures: Callable[[str], str | None] = no_figures
    door: ASGIApp | None = None
    open_card_page: OpenCardPage = no_card_page
    card_origin: str = ""
