"""The rules that every transfer passes, compiled from the very same source where somebody has compiled them.

``python -m tools.compile`` puts them into a folder named after a digest of their sources and of this Python. A folder
of any other digest is passed over: what is compiled is never older than the source, and where there is none the source
runs as it stands.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from sysconfig import get_config_var
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ".compiled"
MODULES = (
    "billing.payments.reference",
    "reconciliation.deciding",
    "reconciliation.match_case",
    "reconciliation.matching",
    "reconciliation.memo",
    "reconciliation.memory_book",
    "reconciliation.names",
    "reconciliation.spelling",
    "reconciliation.suggesting",
    "reconciliation.weak_signs",
)
"""Pure files that import each other and little else."""
_SUFFIX = str(get_config_var("EXT_SUFFIX"))  # names the Python and the machine


def source_of(module: str) -> str:
    """Return the path of a module's source below the root."""
    return f"{module.replace('.', '/')}.py"


def folder_of(root: Path = ROOT) -> Path:
    """Return where the sources, as they stand now, are or would be compiled to."""
    digest = hashlib.sha256(f"{sys.version}{_SUFFIX}".encode())
    for module in MODULES:
        digest.update((root / source_of(module)).read_bytes())
    return root / FOLDER / digest.hexdigest()[:32]


def compiled_files(folder: Path) -> dict[str, Path]:
    """Return the compiled modules of a folder by name; nothing unless all are there."""
    found = {
        ".".join(path.relative_to(folder).parts).removesuffix(_SUFFIX): path for path in folder.rglob(f"*{_SUFFIX}")
    }
    return found if found.keys() >= set(MODULES) else {}


def prefer_compiled(root: Path = ROOT) -> bool:
    """Let what is imported from now on be the compiled modules; tell whether there are any for these sources.

    Before any of them is imported: half of them compiled and half as they stand would be two of each class.
    """
    files = compiled_files(folder_of(root))
    if not files or any(module in sys.modules for module in MODULES):
        return False
    sys.meta_path.insert(0, _Compiled(files))
    return True


def in_use() -> bool:
    """Tell whether the rules that this process imports are compiled ones."""
    return any(isinstance(finder, _Compiled) for finder in sys.meta_path)


class _Compiled(MetaPathFinder):
    """Finds compiled modules, and the library that they share."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is compiled; nothing for all the others."""
        del path, target
        file = self._files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))
