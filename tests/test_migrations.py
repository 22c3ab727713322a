"""The history of the database's shape: one line, independent of our code, and it can be walked both ways."""

import ast
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy.engine import make_url

from service.database import libpq_url
from service.preparing import (
    GROUP_ROLES,
    OWNER_ROLE,
    Addresses,
    OtherShape,
    alembic_config,
    check_shape,
    prepare,
    prepare_local,
)
from tests.conftest import TestServers

ROOT = Path(__file__).resolve().parent.parent
OURS = {"service", "billing", "reconciliation", "notifications", "tests", "benchmarks"}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_a_migration_imports_none_of_our_code() -> None:
    versions = sorted((ROOT / "alembic" / "versions").glob("*.py"))
    assert len(versions) >= 2
    for path in versions:
        assert not imported(path) & OURS, path


def test_the_history_is_one_line() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("postgresql://nobody@127.0.0.1/none"))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert all(not script.is_branch_point and not script.is_merge_point for script in scripts.walk_revisions())


def tables(owner_url: str) -> set[str]:
    with psycopg.connect(libpq_url(owner_url)) as connection:
        rows = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall()
    return {row[0] for row in rows}


def test_up_and_down_and_up_again_gives_the_shape_of_the_code(addresses: Addresses) -> None:
    config = alembic_config(addresses.owner)
    before = tables(addresses.owner)
    command.downgrade(config, "base")
    assert {name for name in tables(addresses.owner) if not name.startswith("alembic_version")} == set()
    command.upgrade(config, "head")
    assert tables(addresses.owner) == before
    check_shape(addresses.owner)


@pytest.fixture
def plain_owner(servers: TestServers, template: str) -> Iterator[Addresses]:
    """The addresses of an empty database whose owner may make roles but is no superuser, as at a hosted PostgreSQL."""
    assert template  # our roles stand since the first preparation
    name, password = f"hocphi_plain_{secrets.token_hex(6)}", secrets.token_hex(16)
    role = sql.Identifier(name)
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}").format(role, password))
        ours = sql.SQL(", ").join(map(sql.Identifier, (OWNER_ROLE, *GROUP_ROLES)))
        connection.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(ours, role))
        connection.execute(sql.SQL("GRANT {} TO current_user").format(role))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        given = servers.addresses(name)
        owner = make_url(given.owner).set(username=name, password=password)
        yield replace(given, owner=owner.render_as_string(hide_password=False))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(role))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_an_owner_who_is_no_superuser_prepares_the_database_too(plain_owner: Addresses, addresses: Addresses) -> None:
    prepare(plain_owner)
    prepare(plain_owner)
    assert tables(plain_owner.owner) == tables(addresses.owner)
    check_shape(plain_owner.owner)


@pytest.mark.parametrize(
    "change",
    ["DROP TABLE staff_sessions CASCADE", "UPDATE alembic_version SET version_num = '9999'"],
    ids=["tables missing", "unknown mark"],
)
def test_a_local_database_of_another_version_is_refused_in_words(addresses: Addresses, change: str) -> None:
    prepare_local(addresses)
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute(change.encode())
    with pytest.raises(OtherShape, match="make clean-data"):
        prepare_local(addresses)


def test_every_file_of_tables_is_known_where_the_database_is_opened() -> None:
    """``db check`` compares only what service/database.py imports; another table looks superfluous to it."""
    rooms = ("billing", "reconciliation", "notifications", "service")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py") if "table=True" in file.read_text("utf-8")]
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files}
    tree = ast.parse((ROOT / "service" / "database.py").read_text("utf-8"))
    known = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert len(modules) > 30
    assert modules - known == set()
