"""The invariants hold in a sound school, and every planted violation of each is found and named."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlmodel import Session

from billing.vault import Vault
from service.__main__ import main
from service.commands.invariants import as_document, check
from service.database import Database, libpq_url, make_engine, psycopg_url
from service.invariants import PROVEN_BY_TESTS, check_all
from service.preparing import ROOT, Addresses
from service.settings import read_settings
from tests.conftest import TestServers
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.sound_world import make_sound

PLANTED = {
    name: [statement for statement in statements.split(";") if statement.strip()]
    for name, _, statements in (
        block.partition("\n")
        for block in Path(__file__).with_name("planted_violations.sql").read_text("utf-8").split("\n@ ")[1:]
    )
}


@pytest.fixture(scope="module")
def sound(servers: TestServers, template: str) -> Iterator[Collecting]:
    """One sound school for all plants: each is rolled back."""
    name = f"hocphi_test_{secrets.token_hex(6)}"
    addresses = servers.addresses(name)
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        database = Database(make_engine(addresses.app, pool_size=5))
        yield make_sound(database, addresses, Vault(bytes(range(32))))
        database.close()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def unguarded(sound: Collecting, superuser: None) -> Iterator[Session]:
    """A superuser's transaction with triggers and foreign keys switched off; nothing of it stays."""
    del superuser  # only asked whether there is one
    engine = create_engine(psycopg_url(sound.wiring.addresses.owner))
    with engine.connect() as connection, connection.begin() as transaction, Session(connection) as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session
        transaction.rollback()
    engine.dispose()


def test_a_sound_school_breaks_nothing_and_everything_was_looked_at(sound: Collecting) -> None:
    results, now = check(sound.wiring)
    assert {result.id: result.problems for result in results if not result.ok} == {}
    assert [result.id for result in results] == [f"I{n}" for n in (*range(1, 9), *range(11, 17))]
    assert [result.id for result in results if not result.checked] == ["I16"]  # this school has no statement
    document = as_document(results, now)
    assert document["ok"] is True


@pytest.mark.parametrize("name", PLANTED)
def test_every_planted_violation_is_found_and_named(name: str, sound: Collecting, unguarded: Session) -> None:
    broken, (*before, last) = name.split(maxsplit=1)[0], PLANTED[name]
    for statement in before:
        unguarded.execute(text(statement))
    named = [str(row) for row in unguarded.execute(text(last)).scalars()]
    assert named, "nothing was planted"
    results = {result.id: result for result in check_all(unguarded, sound.wiring.vault, PAID_AT)}
    assert not results[broken].ok
    assert any(named[0] in problem for problem in results[broken].problems), results[broken].problems


def test_every_invariant_has_a_plant() -> None:
    assert {name.split()[0] for name in PLANTED} == {f"I{n}" for n in (*range(1, 9), *range(11, 17))}


def test_the_others_name_the_tests_that_prove_them() -> None:
    assert list(PROVEN_BY_TESTS) == ["I9", "I10", "I17", "I18"]
    for _, test in PROVEN_BY_TESTS.values():
        file, _, function = test.partition("::")
        assert f"\ndef {function}(" in (ROOT / file).read_text("utf-8"), test


def ask_the_door(world: Collecting, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run ``python -m service invariants`` on the world's database; return its exit code."""
    monkeypatch.setenv("DATABASE_URL", world.wiring.addresses.app)
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)  # the tests' own; nothing is to be prepared
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("HOCPHI_SECRET", bytes(range(32)).hex())
    monkeypatch.setenv("HOCPHI_VAULT_KEY", bytes(range(32)).hex())
    read_settings.cache_clear()
    try:
        return main(["invariants"])
    finally:
        read_settings.cache_clear()


def test_the_door_says_yes_in_json(
    sound: Collecting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask_the_door(sound, monkeypatch) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert [each["id"] for each in answer["invariants"]] == [f"I{n}" for n in range(1, 19)]


@pytest.mark.usefixtures("superuser")
def test_a_broken_invariant_makes_the_answer_no(
    addresses: Addresses,
    database: Database,
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = make_sound(database, addresses, vault)
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE receipts SET number = 9 WHERE number = 3")
    assert ask_the_door(world, monkeypatch) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert [each["id"] for each in answer["invariants"] if not each.get("ok", True)] == ["I4", "I6"]
