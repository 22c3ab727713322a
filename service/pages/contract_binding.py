"""The desk of the pages of contracts, on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from billing.contracts.admitting import admit, decline, refund_deposit
from billing.contracts.agreeing import Agreement, agree, open_paper
from billing.contracts.applying import (
    Applicant,
    WantedContract,
    apply_for_place,
    draft_contract,
    pupil_of_enrolment,
)
from billing.contracts.charging_late import add_late_charges
from billing.contracts.giving_back import ask_back_again
from billing.contracts.reading import find_contract
from billing.contracts.releasing import release_month
from billing.contracts.versions import NewTerm, NewVersion, approve_version, draft_version, open_term
from billing.contracts.withdrawing import Telling, withdraw_from
from billing.errors import Conflict
from billing.plans.papers import read_paper
from notifications.inviting import contract_invitations, invite_to_contract
from service.access import contract_links
from service.access.roles import Actor, Place, SignedIn
from service.pages import contract_rows
from service.pages.contract_forms import needed_day, starts_typed, sum_shown, terms_typed, whole
from service.pages.contract_views import (
    ContractPage,
    ContractsPage,
    IncomePage,
    LatePage,
    LinkFacts,
    NewVersionPage,
    TypedContract,
    TypedEnd,
    TypedTerm,
    TypedVersion,
    VersionPage,
)
from service.pages.plan_views import TypedFile
from service.pages.typed import read_day, read_id, read_money, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin


class ContractRows(RowsWithin):
    """Contracts of private schools, answered from rows."""

    def contracts(self, who: SignedIn, place: Place, words: str, now: datetime) -> ContractsPage:
        """Return the contracts of a school."""
        del who
        return contract_rows.contracts_page(self._within(place), place.id, words, school_day(now))

    def draft_contract(self, who: SignedIn, place: Place, typed: TypedContract, now: datetime) -> UUID:
        """Draft the contract of a pupil or of a child that applies."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        starts_on, months = needed_day(typed.starts_on, "ngày bắt đầu học"), whole(typed.months, "Số tháng")
        wanted = WantedContract(read_id(typed.version_id), typed.plan, starts_on, months)
        if typed.enrolment_id:
            pupil = pupil_of_enrolment(session, place.id, read_id(typed.enrolment_id))
            return draft_contract(session, place.id, pupil, wanted, actor, now).id
        applicant = Applicant(
            typed.full_name,
            needed_day(typed.birth_date, "ngày sinh"),
            typed.sex,
            typed.guardian_name,
            typed.relation,
            typed.phone,
        )
        return apply_for_place(session, self._wiring.vault, place.id, applicant, wanted, actor, now).id

    def new_contract_version(self, who: SignedIn, place: Place, now: datetime) -> NewVersionPage:
        """Return the form of a new version."""
        del who
        return contract_rows.new_version_page(self._within(place), place.id, school_day(now))

    def draft_contract_version(self, who: SignedIn, place: Place, typed: TypedVersion, now: datetime) -> UUID:
        """Write a new version."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        first = needed_day(typed.valid_from, "ngày áp dụng")
        new = NewVersion(typed.code, typed.title, typed.body, terms_typed(typed), first)
        return draft_version(session, place.id, new, actor, now).id

    def open_contract_term(self, who: SignedIn, place: Place, typed: TypedTerm, now: datetime) -> None:
        """Make an item for paying ahead."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        new = NewTerm(typed.code, typed.name, typed.monthly_item, read_money(typed.price), starts_typed(typed))
        open_term(session, place.id, new, actor, now)

    def contract_version(self, who: SignedIn, place: Place, version_id: UUID, now: datetime) -> VersionPage:
        """Return one version."""
        del now
        return contract_rows.version_page(self._within(place), place.id, version_id, who.user_id)

    def approve_contract_version(self, who: SignedIn, place: Place, version_id: UUID, now: datetime) -> None:
        """Approve a version."""
        approve_version(self._within(place), place.id, version_id, self._actor(who, Actor.APPROVER), now)

    def contract(
        self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd | None, now: datetime
    ) -> ContractPage:
        """Return one contract."""
        del who
        day = None if typed is None else read_day(typed.day)
        told = None if day is None else (day, "Xem trước")
        session = self._within(place)
        page = contract_rows.contract_page(session, place.id, contract_id, told, now, school_day(now))
        link = contract_links.live_link(session, find_contract(session, place.id, contract_id))
        if link is None or page.row.state != "draft":
            return page
        address = contract_links.link_address(self._wiring.link_key, self._wiring.settings.base_url, link)
        facts = LinkFacts(address, contract_links.last_day(link), link.deposit_due, now < link.expires_at)
        return replace(page, link=facts, asked=tuple(contract_invitations(session, place.id, contract_id)))

    def open_contract_link(  # noqa: PLR0913, PLR0917  of which contract, until when
        self, who: SignedIn, place: Place, contract_id: UUID, until: str, due: str, now: datetime
    ) -> None:
        """Make the link with which the family agrees."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        last = needed_day(until, "hạn để gia đình trả lời")
        due_on = read_day(due) or last
        link = contract_links.open_link(session, self._wiring.link_key, place.id, contract_id, last, due_on, actor, now)
        invite_to_contract(session, place.id, contract_id, link.turn, last, actor, now)
        self._wiring.ring("notifications.plan")

    def send_contract_link(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> None:
        """Send the open link once more."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        link = contract_links.live_link(session, find_contract(session, place.id, contract_id))
        if link is None:
            raise Conflict("Hợp đồng này chưa có đường dẫn. Hãy tạo đường dẫn; gia đình nhận tin ngay.")
        invite_to_contract(session, place.id, contract_id, link.turn, contract_links.last_day(link), actor, now)
        self._wiring.ring("notifications.plan")

    def agree_to_contract(  # noqa: PLR0913, PLR0917  to which, when, by what file
        self, who: SignedIn, place: Place, contract_id: UUID, day: str, due: str, file: TypedFile, now: datetime
    ) -> None:
        """Keep that a guardian signed."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        due_on = read_day(due) or school_day(now)
        agreement = Agreement(needed_day(day, "ngày ký"), due_on, read_paper(file.name, file.content))
        agree(session, place.id, contract_id, agreement, actor, now, self._wiring.reference_key)

    def admit_by_contract(self, who: SignedIn, place: Place, contract_id: UUID, class_id: str, now: datetime) -> None:
        """Enrol the child."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        admit(session, place.id, contract_id, read_id(class_id) if class_id else None, actor, now)

    def decline_contract(self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd, now: datetime) -> None:
        """Close the contract of a child that does not come."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        told_on = needed_day(typed.day, "ngày gia đình báo")
        decline(session, place.id, contract_id, told_on, typed.reason, actor, now)

    def refund_contract_deposit(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> UUID:
        """Ask for what comes back of the deposit."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return refund_deposit(session, self._wiring.vault, place.id, contract_id, actor, now)

    def withdraw_from_contract(  # noqa: PLR0913, PLR0917  from which, by whose word
        self, who: SignedIn, place: Place, contract_id: UUID, typed: TypedEnd, file: TypedFile | None, now: datetime
    ) -> UUID:
        """Let a child leave by its contract."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        last_day = needed_day(typed.day, "ngày học cuối")
        paper = read_paper(file.name, file.content) if file is not None and file.content else None
        telling = Telling(last_day, "left", typed.reason, sum_shown(typed.shown), paper)
        _, leaving = withdraw_from(session, self._wiring.vault, place.id, contract_id, telling, actor, now)
        return leaving.id

    def ask_contract_back_again(self, who: SignedIn, place: Place, contract_id: UUID, now: datetime) -> None:
        """Ask again for what was rejected."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        ask_back_again(session, place.id, contract_id, actor, now)

    def contract_paper(self, who: SignedIn, place: Place, contract_id: UUID, paper_id: UUID, now: datetime) -> Download:
        """Return a file of a contract."""
        paper = open_paper(self._within(place), place.id, contract_id, paper_id, self._looks(who, place), now)
        return Download(paper.content, paper.media_type, paper.name)

    def prepaid_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> IncomePage:
        """Return what closing a month would release."""
        del who
        return contract_rows.income_page(self._within(place), place.id, _month(month, now))

    def release_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> None:
        """Close a month."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        release_month(session, place.id, _month(month, now), actor, now)

    def late_charges(self, who: SignedIn, place: Place, now: datetime) -> LatePage:
        """Return the late bills."""
        del who
        return contract_rows.late_page(self._within(place), place.id, school_day(now))

    def add_late_charges(self, who: SignedIn, place: Place, bills: Sequence[str], month: str, now: datetime) -> None:
        """Add their charges to a round."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        add_late_charges(session, place.id, [read_id(each) for each in bills], _month(month, now), actor, now)


def _month(text: str, now: datetime) -> date:
    """Return a month typed as ``2025-10``, or this one."""
    return (read_day(f"{text}-01") if text else None) or school_day(now).replace(day=1)
