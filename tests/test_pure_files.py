"""Every file that calls itself pure is held to it by the import contract, and no other file is listed."""

import tomllib
from pathlib import Path

from tools.list_pure_files import pure_modules

ROOT = Path(__file__).resolve().parent.parent


def test_the_contract_lists_exactly_the_pure_files() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [listed] = [contract["source_modules"] for contract in contracts if contract["name"] == "pure files are pure"]
    assert listed == pure_modules(), "run: python tools/list_pure_files.py"
