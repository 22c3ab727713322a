"""What every desk of a school stands on: one transaction, limited to the school that was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from billing.audit.recording import Actor as DeedActor
from billing.errors import NotFound
from service.access.errors import BeingWritten
from service.access.roles import Actor, Place, SignedIn
from service.database import Scope, use_scope, waited_too_long
from service.pages.desk import Caller
from service.wiring import Wiring


class RowsWithin:
    """A session, who calls, and what the house is made of. ``bells`` are to be rung after the commit."""

    def __init__(self, session: Session, caller: Caller, wiring: Wiring) -> None:
        self._session = session
        self._caller = caller
        self._wiring = wiring
        self.bells: list[str] = []

    def _within(self, place: Place) -> Session:
        """Limit the transaction to one school, the one that was chosen among the granted."""
        use_scope(self._session, Scope.of(place.id))
        return self._session

    @contextmanager
    def _within_for_a_while(self, place: Place) -> Iterator[Session]:
        """Limit a block to one school, and let the rest of the transaction see what it saw before."""
        settings = "SELECT current_setting('app.schools', true), current_setting('app.guardians', true)"
        schools, guardians = self._session.execute(text(settings)).one()
        yield self._within(place)
        restore = "SELECT set_config('app.schools', :schools, true), set_config('app.guardians', :guardians, true)"
        self._session.execute(text(restore), {"schools": schools or "", "guardians": guardians or ""})

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Run a block of which nothing stays half done, since the page itself tells what stood against it.

        Raises ``BeingWritten`` where another's act holds what it needs for too long.
        """
        try:
            with self._session.begin_nested():
                yield
        except OperationalError as error:
            if waited_too_long(error):
                raise BeingWritten from error
            raise

    def _allow_long_work(self) -> None:
        """Let Python take its time over tens of thousands of rows: else the server ends what idles for a minute."""
        self._session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10min'"))

    def _actor(self, who: SignedIn, role: Actor) -> DeedActor:
        return DeedActor(who.user_id, role.value, self._caller.request_id)

    def _looks(self, who: SignedIn, place: Place) -> DeedActor:
        """Return who acts, in the first of the roles held here that may."""
        ranked = (Actor.APPROVER, Actor.ACCOUNTANT, Actor.CASHIER, Actor.AUDITOR)
        role = next((role for role in ranked if role in who.roles_in(place)), None)
        if role is None:
            raise NotFound("Không có trường này trong quyền của tài khoản.")
        return self._actor(who, role)
