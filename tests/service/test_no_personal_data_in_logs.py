"""What the programs write while they work tells of no child, no family and no payer, also when everything fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
from sqlmodel import select

from billing.people.tables import Contact, Guardian, Pupil
from billing.vault import Vault
from reconciliation.tables import InboxResult
from service.database import EVERYTHING, Database, libpq_url
from service.jobs import reconciling, sealing
from service.logs import write_logs
from service.preparing import Addresses
from tests.factories.collecting import Collecting
from tests.factories.sound_world import due_of, make_billed, tell
from tests.standing import standing

MEMO = "ong ngoai chau Bui Canh Chim nop tien"


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_billed(database, addresses, vault, pupils=2)


def personal(world: Collecting) -> list[str]:
    """Return every name, phone number, account and memo that the school's people brought."""
    with world.database.transaction(EVERYTHING) as session:
        names = [row.full_name for row in session.exec(select(Pupil)).all()]
        names += [row.full_name for row in session.exec(select(Guardian)).all()]
        contacts = [
            world.wiring.vault.open(row.sealed, f"contacts.{row.kind}") for row in session.exec(select(Contact)).all()
        ]
    return [*names, *contacts, MEMO, "Nguyễn Văn Phú", "0161000879000"]


def written(capsys: pytest.CaptureFixture[str]) -> str:
    return "".join(capsys.readouterr())


def run_everything(world: Collecting) -> None:
    world.receive(
        world.bank.callback(world.pays(world.requests[0].reference, due_of(world, 0))),
        world.bank.callback(world.pays(MEMO, 70_000)),
        b'{"this is": "no callback", "of": "Nguy\\u1ec5n V\\u0103n Ph\\u00fa"}',
    )
    world.reconcile()
    tell(world)
    sealing.seal(world.wiring)


@pytest.fixture
def logging_everything(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Log as the programs do, but every line there is; afterwards as before."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    for handler in before:
        root.removeHandler(handler)
    write_logs("test")
    root.setLevel(logging.DEBUG)
    yield capsys
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


def test_a_good_day_tells_of_nobody(world: Collecting, logging_everything: pytest.CaptureFixture[str]) -> None:
    secrets = personal(world)
    logging.getLogger("service").info("the alarm works")
    run_everything(world)
    lines = written(logging_everything)
    assert "the alarm works" in lines
    assert [secret for secret in secrets if secret in lines] == []


@pytest.mark.parametrize("table", ["transfers", "receipts", "events", "journal_entries"])
def test_a_database_that_refuses_tells_of_nobody(
    world: Collecting, addresses: Addresses, logging_everything: pytest.CaptureFixture[str], table: str
) -> None:
    secrets = personal(world)
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (school_id IS NULL) NOT VALID")
    world.receive(
        world.bank.callback(world.pays(world.requests[0].reference, due_of(world, 0))),
        world.bank.callback(world.pays(MEMO, 70_000)),
    )
    reconciling.normalise(world.wiring)
    reconciling.settle(world.wiring)
    with world.database.transaction(EVERYTHING) as session:
        reasons = session.exec(select(InboxResult.reason)).all()
    lines = written(logging_everything) + "\n".join(reasons)
    assert "refused" in lines
    assert [secret for secret in secrets if secret in lines] == []
