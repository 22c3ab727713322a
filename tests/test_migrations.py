"""The history of the database's shape: one line, independent of our code, and it can be walked both ways."""

import ast
from pathlib import Path

import psycopg
from alembic import command
from alembic.script import ScriptDirectory

from service.database import libpq_url
from service.preparing import Addresses, alembic_config, check_shape

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
