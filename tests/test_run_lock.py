"""The programs need nothing that only the development lock brings: a fresh ``make demo`` would find out too late."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Some are imported only when a connection is made, so they are named here.
LATE = ("kombu.transport.redis", "celery.concurrency.prefork", "celery.loaders.app", "uvicorn.protocols.http.auto")

PROGRAM = """
import importlib, pkgutil, sys
from pathlib import Path

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
for room in ("service", "billing", "reconciliation", "notifications"):
    for path in sorted(Path(room).rglob("*.py")):
        if path.stem != "__main__":
            importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
for name in LATE:
    importlib.import_module(name)
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> set[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {plain(found) for found in re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*\])?==", text, flags=re.MULTILINE)}


def test_every_room_can_be_imported_with_the_run_lock_alone() -> None:
    extra = locked("requirements-dev.lock") - locked("requirements.lock")
    assert "pytest" in extra
    hidden = sorted(
        package for package, names in packages_distributions().items() if {plain(name) for name in names} <= extra
    )
    assert "pytest" in hidden
    program = f"HIDDEN = {set(hidden)!r}\nLATE = {LATE!r}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert done.returncode == 0, done.stderr[-2000:]
