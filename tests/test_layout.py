"""Traps of the layout that would be found late: a folder named as a library, packages from the wrong place."""

import importlib
from pathlib import Path

import alembic
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("service", "billing", "reconciliation", "notifications", "benchmarks")


def test_our_folder_of_migrations_does_not_hide_the_library() -> None:
    assert not list((ROOT / "alembic").rglob("__init__.py"))
    assert alembic.__file__ is not None
    assert "site-packages" in Path(alembic.__file__).parts
    assert hasattr(importlib.import_module("alembic.op"), "create_table")


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_come_from_this_repository(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).is_relative_to(ROOT)


@pytest.mark.parametrize("name", [*PACKAGES, "tests"])
def test_every_folder_with_code_is_a_package_with_one_sentence(name: str) -> None:
    folders = {path.parent for path in (ROOT / name).rglob("*.py")}
    assert folders
    for folder in folders:
        text = (folder / "__init__.py").read_text(encoding="utf-8").strip()
        assert text.startswith('"""'), folder
        assert text.endswith('"""'), folder


def test_no_two_rooms_are_named_after_nothing() -> None:
    """Such names gather whatever fits nowhere."""
    forbidden = {"utils", "helpers", "common", "manager", "misc", "models"}
    found = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if path.stem in forbidden]
    assert found == []
