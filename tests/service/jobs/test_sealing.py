"""Seals: given out once, in a chain of their own, by a role that alone may do it; every change shows."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, col, select

from billing.audit.chain import GENESIS, Value, link
from billing.audit.sealing import seal_audit, verify_audit_chain
from billing.audit.tables import AuditEntry, AuditSeal
from billing.ledger.sealing import seal_entries, verify_chain
from billing.ledger.tables import JournalEntry, Seal
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope, libpq_url, make_engine, psycopg_url
from service.jobs import sealing
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.sound_world import due_of, make_billed
from tests.standing import standing


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_billed(database, addresses, vault)


def seals(session: Session, school_id: UUID) -> list[Seal]:
    return list(session.exec(select(Seal).where(Seal.school_id == school_id).order_by(col(Seal.chain_seq))).all())


def problems(world: Collecting) -> list[str]:
    with world.database.transaction(world.scope) as session:
        return [*verify_chain(session, world.school.id), *verify_audit_chain(session, world.school.id)]


def tamper(addresses: Addresses, statement: str) -> None:
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def test_every_entry_and_deed_gets_one_seal_and_a_second_run_finds_nothing(world: Collecting) -> None:
    done = sealing.seal(world.wiring)
    with world.database.transaction(EVERYTHING) as session:
        entries = len(session.exec(select(JournalEntry.id)).all())
        deeds = len(session.exec(select(AuditEntry.id)).all())
        assert entries > 0
        assert deeds > 0
        assert done == entries + deeds
        chain = seals(session, world.school.id)
        assert [seal.chain_seq for seal in chain] == list(range(1, entries + 1))
        assert [seal.previous for seal in chain] == [GENESIS, *(seal.digest for seal in chain[:-1])]
        assert len(session.exec(select(AuditSeal.audit_id)).all()) == deeds
    assert sealing.seal(world.wiring) == 0
    assert problems(world) == []


def test_the_chain_goes_on_where_it_ended(world: Collecting) -> None:
    sealing.seal(world.wiring)
    world.hear_of(world.pays(world.requests[0].reference, due_of(world, 0)))
    assert sealing.seal(world.wiring) == 2  # the transfer and the payment
    assert problems(world) == []


def test_small_batches_make_the_same_chain(world: Collecting, addresses: Addresses) -> None:
    database = Database(make_engine(addresses.sealer, pool_size=1))
    done: list[int] = []
    while not done or done[-1]:
        with database.transaction(world.scope) as session:
            done.append(seal_entries(session, world.school.id, PAID_AT, 3))
    database.close()
    assert max(done) <= 3
    assert problems(world) == []


def test_five_sealers_at_once_make_one_chain(world: Collecting) -> None:
    with ThreadPoolExecutor(5) as pool:
        done = sum(pool.map(lambda _: sealing.seal(world.wiring), range(5)))
    with world.database.transaction(EVERYTHING) as session:
        assert done == len(session.exec(select(Seal.entry_id)).all()) + len(
            session.exec(select(AuditSeal.audit_id)).all()
        )
    assert problems(world) == []


TAMPERED = (
    ("UPDATE journal_entries SET value_date = value_date + 1 WHERE id = 1", "entry 1 was changed"),
    ("UPDATE postings SET amount = amount + 1 WHERE entry_id = 2", "entry 2 was changed"),
    ("UPDATE postings SET pupil_id = NULL WHERE entry_id = 2", "entry 2 was changed"),
    ("DELETE FROM postings WHERE entry_id = 2", "entry 2 was changed"),
    ("DELETE FROM journal_entries WHERE id = 2", "seal 2 is missing (next is 3)"),
    ("DELETE FROM seals WHERE chain_seq = 2", "seal 2 is missing (next is 3)"),
    ("UPDATE seals SET digest = 'x' WHERE chain_seq = 1", "seal 2 does not follow the one before"),
    ("UPDATE audit_entries SET actor_role = 'x' WHERE id = 1", "audit entry 1 was changed"),
    ("UPDATE audit_entries SET digest = 'x' WHERE id = 1", "audit entry 1 was changed"),
    ("DELETE FROM audit_seals WHERE chain_seq = 1", "audit seal 1 is missing (next is 2)"),
)


@pytest.mark.usefixtures("superuser")
def test_every_change_behind_the_guards_shows(world: Collecting, addresses: Addresses) -> None:
    sealing.seal(world.wiring)
    engine = create_engine(psycopg_url(addresses.owner))
    for statement, told in TAMPERED:
        with engine.connect() as connection, Session(connection) as session:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(statement))
            found = [*verify_chain(session, world.school.id), *verify_audit_chain(session, world.school.id)]
            assert any(told in problem for problem in found), (statement, found)
    engine.dispose()
    assert problems(world) == []


@pytest.mark.usefixtures("superuser")
def test_who_rewrites_one_link_has_to_rewrite_all_after_it(world: Collecting, addresses: Addresses) -> None:
    sealing.seal(world.wiring)
    with world.database.transaction(world.scope) as session:
        second = seals(session, world.school.id)[1]
    forged = link(second.previous, {"id": second.entry_id, "note": "nothing happened"})
    tamper(addresses, f"UPDATE seals SET digest = '\\x{forged.hex()}' WHERE chain_seq = 2")  # noqa: S608  hex
    assert "seal 3 does not follow the one before" in problems(world)


def test_the_application_may_not_seal(world: Collecting) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), world.database.transaction(world.scope) as session:
        seal_entries(session, world.school.id, PAID_AT)
    with pytest.raises(ProgrammingError, match="permission denied"), world.database.transaction(world.scope) as session:
        seal_audit(session, world.school.id, PAID_AT)


@pytest.mark.usefixtures("world")
def test_the_sealer_reads_no_more_than_it_seals(addresses: Addresses) -> None:
    database = Database(make_engine(addresses.sealer, pool_size=1))
    for table in ("payments", "receipts", "contacts", "pupils", "users", "inbox"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(EVERYTHING) as session:
            session.connection().exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608  a name from this line
    database.close()


def test_the_sealer_can_change_neither_book_nor_seal(world: Collecting, addresses: Addresses) -> None:
    sealing.seal(world.wiring)
    database = Database(make_engine(addresses.sealer, pool_size=1))
    for statement in (
        "UPDATE seals SET digest = 'x'",
        "DELETE FROM seals",
        "UPDATE postings SET amount = 1",
        "INSERT INTO journal_entries (kind) VALUES ('x')",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(EVERYTHING) as session:
            session.connection().exec_driver_sql(statement)
    database.close()


def test_a_school_sees_only_its_own_chain(world: Collecting) -> None:
    sealing.seal(world.wiring)
    with world.database.transaction(Scope()) as session:
        assert seals(session, world.school.id) == []


def test_a_link_is_what_anybody_can_compute() -> None:
    plain = bytes(32) + '{"id":1,"note":"Đảo bút toán","postings":[[7,"131","531",5]],"reverses_id":null}'.encode()
    facts: dict[str, Value] = {"reverses_id": None, "note": "Đảo bút toán", "id": 1, "postings": [[7, "131", "531", 5]]}
    assert link(GENESIS, facts) == hashlib.sha256(plain).digest()
    assert link(b"x" * 32, facts) != link(GENESIS, facts)
