"""The desk of a family's page of the account for refunds, on rows."""

from __future__ import annotations

from datetime import datetime

from billing.credits.receiving import accounts_of, enter_account, guardian_payee, read_account
from billing.payments.banks import bank_by_bin
from billing.people.names import masked
from billing.people.tables import Pupil
from service.access import links
from service.pages import family_rows, guardian_rows
from service.pages.choice_binding import ChoiceRows
from service.pages.family_account_views import FamilyAccountPage, FullAccount, ShownBack, TypedAccount
from service.pages.returning_rows import bank_choices
from service.pages.typed import school_day


class FamilyAccountRows(ChoiceRows):
    """The account for refunds, entered by a guardian; and what guardians ask for otherwise."""

    def family_account(
        self, link_digest: bytes, token: str, session_digest: bytes | None, now: datetime
    ) -> FamilyAccountPage | None:
        """Return the family's page of the account."""
        proved = self._proved(session_digest, now)
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        pupil_id = family_rows.open_request(self._session, link, now).request.pupil_id
        name = self._session.get_one(Pupil, pupil_id).full_name
        full = None
        if proved is not None and self._is_hers(link, proved, pupil_id, now):
            row = accounts_of(self._session, link.school_id, [pupil_id], school_day(now)).get(pupil_id)
            hers = row is not None and row.guardian_id in proved.guardians
            payee = guardian_payee(self._wiring.vault, row) if row is not None and hers else None
            full = FullAccount(
                child_name=name,
                bank=_bank(payee.bank_bin) if payee else "",
                masked=payee.masked if payee else "",
                holder=payee.name if payee else "",
                since=row.at if row is not None else None,
                of_another=row is not None and not hers,
                banks=bank_choices(),
                until=proved.until,
            )
        choices, unreachable = self._contact_choices(link.school_id, pupil_id, now)
        school = guardian_rows.school_face(self._session, link.school_id)
        return FamilyAccountPage(token, school, masked(name), choices, unreachable, proved is not None, full)

    def show_account_back(self, typed: TypedAccount) -> ShownBack:
        """Return what was typed as it would be kept."""
        new = read_account(typed.bank, typed.number, typed.holder)
        return ShownBack(_bank(new.bank_bin), new.bank_bin, new.account, new.holder)

    def keep_account(
        self, link_digest: bytes, session_digest: bytes, typed: TypedAccount, now: datetime
    ) -> bool | None:
        """Keep the account that a guardian entered."""
        opened = self._chooser(link_digest, session_digest, now)
        if not isinstance(opened, tuple):
            return None if opened is None else False
        link, chooser = opened
        new = read_account(typed.bank, typed.number, typed.holder)
        enter_account(self._session, self._wiring.vault, link.school_id, chooser, new, self._guardian(), now)
        return True


def _bank(bank_bin: str) -> str:
    bank = bank_by_bin(bank_bin)
    return bank.short_name if bank else bank_bin
