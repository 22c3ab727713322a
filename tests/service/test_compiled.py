"""Compiled rules decide as the source does, byte by byte, and are never older than it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciliation import deciding
from service.compiled import MODULES, ROOT, _Compiled, compiled_files, folder_of, prefer_compiled, source_of
from service.logs import write_logs
from tools.compile import compile_rules

TRANSFERS, PUPILS = 3_000, 500
DECIDING = f"""
import hashlib, importlib, sys
if sys.argv[1] == "compiled":
    from service.compiled import prefer_compiled
    assert prefer_compiled()
made = importlib.import_module("benchmarks.accuracy.__main__").made
MemoryBook = importlib.import_module("reconciliation.memory_book").MemoryBook
deciding = importlib.import_module("reconciliation.deciding")
assert deciding.__file__.endswith(".py") == (sys.argv[1] == "plain"), deciding.__file__
world, labelled = made({TRANSFERS}, {PUPILS})
book = MemoryBook([asked.request for asked in world.requests], world.people)
told = "\\n".join(repr(deciding.decide(each.transfer, book)) for each in labelled)
print(len(labelled), hashlib.sha256(told.encode()).hexdigest())
"""


def sources_in(root: Path) -> Path:
    for module in MODULES:
        path = root / source_of(module)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source_of(module), path)
    return root


def decided(how: str) -> str:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", DECIDING, how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.timeout(600)  # to compile takes 15 seconds of a processor, of which there may be few
def test_compiled_rules_decide_as_the_source_does_byte_by_byte() -> None:
    why = compile_rules()
    if why and shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    if why and "setuptools" in why:
        pytest.skip("no setuptools here")
    assert not why

    plain = decided("plain")

    assert plain.startswith(f"{TRANSFERS} ")
    assert decided("compiled") == plain


@pytest.mark.parametrize("module", MODULES)
def test_a_changed_source_is_not_taken_for_what_was_compiled(tmp_path: Path, module: str) -> None:
    root = sources_in(tmp_path)
    before = folder_of(root)
    path = root / source_of(module)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")

    assert before == root / folder_of().relative_to(ROOT)
    assert folder_of(root) != before


def test_half_of_the_modules_are_none(tmp_path: Path) -> None:
    folder = folder_of(sources_in(tmp_path))
    suffix = Path(sys.modules["service.compiled"]._SUFFIX)
    for module in MODULES[:-1]:
        path = folder / f"{module.replace('.', '/')}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert compiled_files(folder) == {}
    assert prefer_compiled(tmp_path) is False


def test_what_is_loaded_already_is_not_loaded_twice(tmp_path: Path) -> None:
    folder = folder_of(sources_in(tmp_path))
    suffix = Path(sys.modules["service.compiled"]._SUFFIX)
    for module in MODULES:
        path = folder / f"{module.replace('.', '/')}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert set(compiled_files(folder)) == set(MODULES)
    assert deciding.__name__ in sys.modules
    assert prefer_compiled(tmp_path) is False


def test_a_program_says_at_its_start_which_rules_it_runs(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "service.logs")
    write_logs("test")
    monkeypatch.setattr(sys, "meta_path", [_Compiled({}), *sys.meta_path])
    write_logs("test")

    assert [record.getMessage() for record in caplog.records if record.name == "service.logs"] == [
        "the rules of matching run as they stand, which is slower",
        "the rules of matching run compiled",
    ]
