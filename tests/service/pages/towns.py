"""A town for all tests of a file: a school that tells its families, and browsers that ask it for codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.people.tables import Contact, Guardianship
from billing.vault import Vault
from service.database import EVERYTHING, Database, make_engine
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.factories.rounds import BillingSchool
from tests.service.pages.telling import Telling, telling
from tests.service.pages.visiting import Visitor


class Town(Telling):
    """A school, its families, and their browsers."""

    def visitor(self) -> Visitor:
        return Visitor(self.world.app())

    def contacts(self, number: int = 0) -> dict[str, int]:
        """Return the keys of a child's contacts, by kind."""
        with self.world.collecting.database.transaction(EVERYTHING) as session:
            rows = session.exec(
                select(Contact)
                .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
                .where(Guardianship.pupil_id == self.world.billing.pupils[number].id)
            ).all()
            return {row.kind: row.id or 0 for row in rows}

    def asks(self, browser: Visitor, kind: str = "phone", number: int = 0) -> str:
        """Let a browser ask for a code; return the path of the page where it is typed."""
        link = self.world.link(number)
        answer = browser.sends(f"{link}/ma", f"{link}/chi-tiet", lien_lac=str(self.contacts(number)[kind]))
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def code(self) -> str:
        """Return the code that came to a phone last."""
        return self.zalo.delivered[-1].params["otp"]

    def signs_in(self, browser: Visitor, number: int = 0) -> None:
        """Let a browser prove the phone of a child's guardian."""
        form = self.asks(browser, number=number)
        assert browser.sends(form, form, ma=self.code()).status_code == 303

    def audit(self, action: str) -> int:
        """Return how often something was done today."""
        with self.world.collecting.database.transaction(EVERYTHING) as session:
            found = text("SELECT count(*) FROM audit_entries WHERE action = :action AND at > :since")
            since = self.world.clock.now - timedelta(hours=12)
            return int(session.execute(found, {"action": action, "since": since}).scalar_one())


@contextmanager
def open_town(
    clean_databases: CleanDatabases,
    servers: TestServers,
    folder: Path,
    before_issue: Callable[[Session, BillingSchool], None] | None = None,
) -> Iterator[Town]:
    """Issue October in a database of its own, with Zalo and a mailbox running."""
    name = clean_databases.take()
    addresses = servers.addresses(name)
    database = Database(make_engine(addresses.app, pool_size=5))
    with telling(database, addresses, Vault(bytes(range(32))), servers, folder, before_issue) as told:
        yield Town(told.world, told.zalo, told.mailbox, told.esms)
    database.close()
    clean_databases.give_back(name)
