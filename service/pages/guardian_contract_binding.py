"""The desk of a family's page of its contract, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing.contracts.confirming import Confirmed, confirm
from billing.contracts.deposits import deposit_of
from billing.contracts.offering import words_of
from billing.contracts.reading import agreement_of, find_contract, state_of, steps_of
from billing.contracts.stepping import hold_contract
from billing.contracts.tables import Contract
from billing.errors import Conflict, NotFound, Refused
from billing.people.names import masked
from billing.people.tables import Contact, Pupil
from notifications.wording.codes import Purpose
from service.access import contract_links, guardian_codes, guardian_sessions, links
from service.access.guardian_codes import Outcome, Wanted
from service.access.guardian_tables import ContractLink
from service.pages import contract_rows, guardian_rows
from service.pages.guardian_binding import GuardianRows
from service.pages.guardian_contract_views import AgreedShown, FamilyContractPage, TypedAgreement
from service.pages.guardian_views import SentCode

_AGREE: Purpose = "agree"
_ABOUT = "guardian_codes.contract"


class FamilyContractRows(GuardianRows):
    """A contract behind its link, answered from rows."""

    def family_contract(self, link_digest: bytes, token: str, now: datetime) -> FamilyContractPage | None:
        """Return the contract."""
        link = contract_links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        contract = find_contract(self._session, link.school_id, link.contract_id)
        steps = steps_of(self._session, contract)
        is_open = state_of(steps) == "draft" and now < link.expires_at
        words = words_of(self._session, contract, link.deposit_due) if is_open else None
        choices, unreachable = self._contact_choices(link.school_id, contract.pupil_id, now) if is_open else ((), False)
        agreed, kept = steps.get("agreed"), agreement_of(self._session, contract)
        return FamilyContractPage(
            token=token,
            school=guardian_rows.school_face(self._session, link.school_id),
            number=contract.number,
            child_name=masked(self._session.get_one(Pupil, contract.pupil_id).full_name),
            sections=words.sections if words else (),
            digest=words.digest.hex() if words else "",
            until=contract_links.last_day(link),
            choices=choices,
            unreachable=unreachable,
            signed_on=agreed.day if agreed else None,
            agreed=AgreedShown(kept.at, kept.contact_masked, tuple(kept.words.splitlines())) if kept else None,
            pay=self._pay(contract, agreed.bill_id, now) if agreed and state_of(steps) == "agreed" else "",
        )

    def ask_to_agree(self, link_digest: bytes, typed: TypedAgreement, language: str, now: datetime) -> UUID | None:
        """Send a code for what was read."""
        link = contract_links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        contract = self._draft(link, now)
        if not typed.shown:
            raise Refused("Chưa đánh dấu đồng ý. Xin đọc hợp đồng, đánh dấu rồi lấy mã.")
        digest = words_of(self._session, contract, link.deposit_due).digest.hex()
        if digest != typed.shown:
            raise Conflict("Nội dung hợp đồng vừa thay đổi. Xin mở lại đường dẫn, đọc lại rồi xác nhận.")
        choices = dict(guardian_sessions.contact_choices(self._session, contract.pupil_id, now))
        chosen = choices.get(typed.contact)
        if chosen is None or chosen.kind not in self._code_kinds(link.school_id):
            raise NotFound("Cách liên lạc này không còn. Xin tải lại trang rồi chọn lại.")
        vault = self._wiring.vault
        address = vault.open(self._session.get_one(Contact, typed.contact).sealed, f"contacts.{chosen.kind}")
        wanted = Wanted(link.school_id, _AGREE, link_digest, chosen, vault.seal(digest, _ABOUT))
        return self._issue(wanted, _AGREE, address, language, now)

    def agree_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""
        if contract_links.opened_by(self._session, link_digest, now) is None:
            return None
        return self._sent(_AGREE, link_digest, code_id, now)

    def finish_agreeing(self, link_digest: bytes, code_id: UUID, typed: str, now: datetime) -> Outcome | None:
        """Try a code; when it is right, the contract is agreed to."""
        link = contract_links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        row = guardian_codes.find_code(self._session, _AGREE, link_digest, code_id)
        if row is None or row.about_sealed is None:
            return Outcome.ENDED
        shown = bytes.fromhex(self._wiring.vault.open(row.about_sealed, _ABOUT))
        contract = self._draft(link, now)
        outcome = guardian_codes.try_code(self._session, self._code_key, row, typed, now)
        self._note("contract_code", outcome.value, link.school_id, now)
        if outcome is Outcome.RIGHT:
            confirmed = Confirmed(row.id, row.contact_kind, row.contact_blind, shown, link.deposit_due)
            key = self._wiring.reference_key
            confirm(self._session, link.school_id, contract.id, confirmed, self._guardian(), now, key)
        return outcome

    def _draft(self, link: ContractLink, now: datetime) -> Contract:
        """Return the contract of a link that is open for an answer; raises ``Conflict`` or ``Refused``."""
        contract = hold_contract(self._session, link.school_id, link.contract_id, "draft")
        if now >= link.expires_at:
            raise Refused("Đường dẫn đã hết hạn trả lời. Xin hỏi văn phòng nhà trường để lấy đường dẫn mới.")
        return contract

    def _pay(self, contract: Contract, bill_id: UUID | None, now: datetime) -> str:
        """Return where the deposit is paid, while something of it is open."""
        if bill_id is None or not deposit_of(self._session, contract.school_id, bill_id).balance.rest:
            return ""
        request, _ = contract_rows.deposit_request(self._session, contract.school_id, bill_id)
        return links.ensure_link(self._session, self._wiring.link_key, "", request, now)
