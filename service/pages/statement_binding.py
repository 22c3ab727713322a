"""The desk of the pages of bank statements, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from reconciliation.statements.uploading import bytes_of, confirm_upload, find_upload, keep_upload
from service.access.roles import Actor, Place, SignedIn
from service.pages import statement_rows
from service.pages.statement_views import (
    BroughtFile,
    StatementPreview,
    StatementsPage,
    StatementToExplain,
    TypedHow,
)
from service.pages.within import RowsWithin

SETTLE = "reconciliation.settle"


class StatementRows(RowsWithin):
    """Bank statements: brought, shown, explained, confirmed; answered from rows."""

    def statements(self, who: SignedIn, place: Place, now: datetime) -> StatementsPage:
        """Return the accounts and the newest statements."""
        del who, now
        return statement_rows.statements_page(self._within(place), place.id)

    def bring_statement(self, who: SignedIn, place: Place, brought: BroughtFile, now: datetime) -> UUID:
        """Keep a file to be looked at."""
        session = self._within(place)
        self._allow_long_work()
        account = statement_rows.account_of(session, place.id, brought.account_id)
        statement_rows.demand_readable(session, account, brought.data, now)
        vault = self._wiring.vault
        return keep_upload(session, vault, account, brought.name, brought.data, user_id=who.user_id, now=now).id

    def brought_statement(
        self, who: SignedIn, place: Place, upload_id: UUID, typed: TypedHow, now: datetime
    ) -> StatementPreview | StatementToExplain:
        """Return what a kept file would bring, or what has to be said of it first."""
        del who
        session, vault = self._within(place), self._wiring.vault
        self._allow_long_work()
        upload, _ = find_upload(session, place.id, upload_id)
        return statement_rows.brought(session, vault, place.id, upload_id, typed, bytes_of(vault, upload), now)

    def confirm_statement(  # noqa: PLR0913, PLR0917  as the desk asks
        self, who: SignedIn, place: Place, upload_id: UUID, typed: TypedHow, seen: str, now: datetime
    ) -> tuple[int, int]:
        """Import a kept file as it was shown; its money is then settled."""
        session, vault, actor = self._within(place), self._wiring.vault, self._actor(who, Actor.ACCOUNTANT)
        self._allow_long_work()
        upload, account = find_upload(session, place.id, upload_id)
        how = statement_rows.how_of(vault, upload, typed)
        done = confirm_upload(session, vault, upload, account, how, seen, actor, now)
        self.bells.append(SETTLE)
        return done.new, done.known
