"""The desk of the pages on rows: one transaction for one request, limited to what the caller may see."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime

from billing.documents.payment_qr import payload_for
from billing.documents.receipt_pdf import receipt_pdf
from billing.people.names import masked
from billing.people.tables import Pupil
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.previewing import preview_round
from reconciliation.receipt_source import sourced_receipt
from reconciliation.reports.filling import reconciliation_report
from reconciliation.seeing import mark_seen
from service.access import links, staff
from service.access.roles import Actor, Place, SignedIn
from service.access.staff import Account, Noted
from service.code_sending import code_sender
from service.database import EVERYTHING, Scope, use_scope
from service.jobs.rounds import ask_again, ask_to_issue
from service.pages import (
    audit_rows,
    card_rows,
    family_rows,
    office_rows,
    round_rows,
    sheet_rows,
    trouble_rows,
    upload_rows,
)
from service.pages.attendance_binding import AttendanceRows
from service.pages.bank_account_binding import BankAccountRows
from service.pages.card_binding import CardRows
from service.pages.cash_binding import CashRows
from service.pages.claims_binding import ClaimRows
from service.pages.closing_binding import ClosingRows
from service.pages.contract_binding import ContractRows
from service.pages.credit_binding import CreditRows
from service.pages.desk import Caller, Desk, ShownRound
from service.pages.enquiry_binding import EnquiryRows
from service.pages.family_account_binding import FamilyAccountRows
from service.pages.fee_binding import FeeRows
from service.pages.feed_binding import FeedDeskRows
from service.pages.guardian_contract_binding import FamilyContractRows
from service.pages.insurance_binding import InsuranceRows
from service.pages.kin_binding import KinRows
from service.pages.late_binding import LateRows
from service.pages.matching_binding import MatchingRows
from service.pages.message_binding import MessageRows
from service.pages.money_out_binding import MoneyOutRows
from service.pages.moving_binding import MovingRows
from service.pages.newyear_binding import NewYearRows
from service.pages.place_binding import PlaceRows
from service.pages.plan_binding import PlanRows
from service.pages.qr_picture import labelled_qr
from service.pages.queue_binding import QueueRows
from service.pages.relief_binding import ReliefRows
from service.pages.reminder_binding import ReminderRows
from service.pages.shortfall_binding import ShortfallRows
from service.pages.statement_binding import StatementRows
from service.pages.till_binding import TillRows
from service.pages.token_binding import TokenRows
from service.pages.trouble_views import TroublePage
from service.pages.typed import school_day
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
    RoundPreview,
    RoundRow,
)
from service.wiring import Wiring

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ISSUE_ROUNDS = "billing.issue_rounds"


def desk_opener(wiring: Wiring) -> Callable[[Caller], AbstractContextManager[Desk]]:
    """Return what opens a desk for a caller; bells are rung and codes sent after the commit, and only then."""
    send_code = code_sender(wiring)

    @contextmanager
    def open_desk(caller: Caller) -> Iterator[Desk]:
        with wiring.database.transaction(Scope()) as session:
            desk = RowDesk(session, caller, wiring)
            yield desk
        for bell in desk.bells:
            wiring.ring(bell)
        for code in desk.codes:
            send_code(code)

    return open_desk


class RowDesk(
    FamilyAccountRows,
    FamilyContractRows,
    ClaimRows,
    CreditRows,
    ContractRows,
    MovingRows,
    InsuranceRows,
    NewYearRows,
    PlanRows,
    AttendanceRows,
    FeeRows,
    TokenRows,
    KinRows,
    ReliefRows,
    ReminderRows,
    MessageRows,
    BankAccountRows,
    PlaceRows,
    FeedDeskRows,
    EnquiryRows,
    StatementRows,
    MoneyOutRows,
    ShortfallRows,
    CardRows,
    CashRows,
    TillRows,
    ClosingRows,
    MatchingRows,
    QueueRows,
    LateRows,
):
    """Everything that pages ask of the house, answered from rows. ``bells`` are to be rung after the commit."""

    # Sign-in and sessions: tables that decide the scope, so they need none.

    def account(self, login: str) -> Account | None:
        """Find a staff account by its login."""
        return staff.find_account(self._session, login)

    def start_session(self, user_id: uuid.UUID, digest: bytes, now: datetime) -> None:
        """Store a new session."""
        staff.start_session(self._session, user_id, digest, now)

    def signed_in(self, digest: bytes, now: datetime) -> SignedIn | None:
        """Return who is behind a living session."""
        return staff.read_session(self._session, digest, now)

    def end_session(self, digest: bytes, now: datetime) -> None:
        """End a session."""
        staff.end_session(self._session, digest, now)

    def renew_hash(self, user_id: uuid.UUID, password_hash: str) -> None:
        """Store a stronger hash of the same password."""
        staff.store_hash(self._session, user_id, password_hash)

    def change_password(self, user_id: uuid.UUID, password_hash: str, keep: bytes, now: datetime) -> None:
        """Store a new password and end the other sessions."""
        staff.change_password(self._session, user_id, password_hash, keep, now)

    def note(self, noted: Noted, now: datetime) -> None:
        """Append a line to the log of access."""
        staff.note(self._session, noted, now)

    # Families: the link limits the transaction to its school.

    def _opened(self, link_digest: bytes, now: datetime) -> family_rows.Opened | None:
        link = links.opened_by(self._session, link_digest, now)
        return None if link is None else family_rows.open_request(self._session, link, now)

    def bill(self, link_digest: bytes, token: str, now: datetime) -> BillPage | None:
        """Return the page of one payment request."""
        opened = self._opened(link_digest, now)
        if opened is None:
            return None
        card = card_rows.may_pay_by_card(self._session, opened)
        return replace(family_rows.bill_page(self._session, opened, token), card=card)

    def bill_status(self, link_digest: bytes, now: datetime) -> BillStatus | None:
        """Return the state only."""
        opened = self._opened(link_digest, now)
        return None if opened is None else family_rows.bill_status(opened)

    def qr_png(self, link_digest: bytes, now: datetime) -> Download | None:
        """Return the QR of what is asked for as a picture with name, amount and payee under it."""
        opened = self._opened(link_digest, now)
        if opened is None or opened.covered_soon:
            return None
        payload = payload_for(opened.account, opened.paid_by, opened.asked)
        if payload is None:
            return None
        pupil = self._session.get_one(Pupil, opened.request.pupil_id)
        lines = (masked(pupil.full_name), str(opened.asked), opened.account.holder)
        return Download(labelled_qr(payload, lines), "image/png", f"QR {opened.request.reference}.png")

    def receipt_pdf(self, link_digest: bytes, number: str, now: datetime) -> Download | None:
        """Return one receipt of this request in the plain view: the child's name masked, no pupil code."""
        opened = self._opened(link_digest, now)
        receipt_id = None if opened is None else family_rows.receipt_id(opened, number)
        if opened is None or receipt_id is None:
            return None
        wiring = self._wiring
        # Whoever holds the paper sees on the family's own page whether the receipt stands.
        address = links.link_address(wiring.link_key, wiring.settings.base_url, opened.request)
        full = sourced_receipt(self._session, receipt_id, address)
        name = masked(full.pupil_name)
        plain = replace(full, pupil_name=name, payer_name=f"Gia đình học sinh {name}", pupil_code="", class_name="")
        return Download(receipt_pdf(plain), "application/pdf", f"Biên lai {number}.pdf")

    # The office: one school at a time, the one that was chosen among the granted.

    def office_home(self, who: SignedIn, place: Place, now: datetime) -> OfficeHome:
        """Return the three numbers."""
        del who
        return office_rows.office_home(self._within(place), place.id, now)

    def bills(self, who: SignedIn, place: Place, query: BillQuery) -> BillList:
        """Return one page of bills."""
        del who
        return office_rows.bill_list(self._within(place), place.id, query, school_day(self._wiring.clock()))

    def troubles(self, who: SignedIn, place: Place, now: datetime) -> TroublePage:
        """Return what went astray."""
        del who
        return trouble_rows.trouble_page(self._within(place), place.id, now)

    def mark_seen(self, who: SignedIn, place: Place, inbox_id: int, reason: str, now: datetime) -> None:
        """Mark a message that was put aside as seen."""
        mark_seen(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, inbox_id, reason, now)

    def rounds(self, who: SignedIn, place: Place) -> tuple[RoundRow, ...]:
        """Return the billing rounds."""
        del who
        return round_rows.round_list(self._within(place), place.id)

    def round_preview(self, who: SignedIn, place: Place, round_id: uuid.UUID) -> RoundPreview:
        """Return what a round will do."""
        del who
        return round_rows.round_preview(self._within(place), place.id, round_id)

    def calculate_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        """Calculate a round anew."""
        session = self._within(place)
        round_rows.round_of(session, place.id, round_id)
        preview_round(session, round_id, self._actor(who, Actor.ACCOUNTANT), now)

    def submit_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        """Hand a round to the approver."""
        session = self._within(place)
        round_rows.round_of(session, place.id, shown.round_id)
        submit_round(session, shown.round_id, self._actor(who, Actor.ACCOUNTANT), now, shown=shown.digest)

    def approve_round(self, who: SignedIn, place: Place, shown: ShownRound, now: datetime) -> None:
        """Approve a round and ask for its bills to be issued."""
        session = self._within(place)
        round_rows.round_of(session, place.id, shown.round_id)
        actor = self._actor(who, Actor.APPROVER)
        approved = approve_round(session, shown.round_id, actor, now, confirm=shown.agreed, shown=shown.digest)
        ask_to_issue(session, approved, now)
        self.bells.append(ISSUE_ROUNDS)

    def retry_round(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> None:
        """Ask once more for the bills of an approved round that could not be issued."""
        del who
        session = self._within(place)
        ask_again(session, round_rows.round_of(session, place.id, round_id), now)
        self.bells.append(ISSUE_ROUNDS)

    def upload_choices(self, who: SignedIn, place: Place) -> UploadChoices:
        """Return what an upload can be for."""
        del who
        return upload_rows.upload_choices(self._within(place), place.id)

    def upload(self, who: SignedIn, place: Place, upload: Upload, now: datetime) -> UploadDone:
        """Import a file, or only try it."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return upload_rows.take_upload(session, self._wiring.vault, actor, place.id, upload, now)

    def sheet(self, who: SignedIn, place: Place, kind: UploadKind, year: str, now: datetime) -> Download:
        """Return what is stored as a sheet to edit and bring back; what is of pupils is written down as taken."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return Download(sheet_rows.take_sheet(session, actor, place.id, kind, year, now), _XLSX, f"{kind.value}.xlsx")

    # Audit and province: reading only.

    def audit(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> AuditPage:
        """Return totals, differences and exceptions of a period."""
        del who
        return audit_rows.audit_page(self._within(place), place.id, first, last, now)

    def audit_report(self, who: SignedIn, place: Place, first: date, last: date, now: datetime) -> Download:
        """Return the reconciliation report, and log that it was taken."""
        session = self._within(place)
        content = reconciliation_report(session, place.id, first, last, now)
        caller = self._caller
        noted = Noted("export_report", "done", who.user_id, place.id, caller.address, caller.request_id)
        staff.note(session, noted, now)
        name = f"Đối soát {place.name} {first:%Y-%m-%d} {last:%Y-%m-%d}.xlsx"
        return Download(content, _XLSX, name)

    def province(self, who: SignedIn, place: Place, now: datetime) -> ProvincePage:
        """Return the sums of each school under an authority."""
        del who
        use_scope(self._session, EVERYTHING)
        schools = staff.schools_below(self._session, place.id)
        use_scope(self._session, Scope.of(*(school.id for school in schools)))
        return audit_rows.province_page(self._session, schools, now)
