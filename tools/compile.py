"""Compile the rules that every transfer passes (``service/compiled.py``): ``python -m tools.compile``; exit 1 if not.

By mypyc, which mypy brings, and the C compiler of this machine. Without either nothing is lost but speed.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from service.compiled import FOLDER, MODULES, ROOT, compiled_files, folder_of, source_of

_INSIDE = "--inside"
_GROUP = "hocphi_matching"  # the name of the library that the modules share
_TOLD = 2000


def compile_rules(root: Path = ROOT) -> str:
    """Compile what is not compiled yet; return why it could not be, in words, and nothing when it is.

    In a process and a folder of its own, moved into place in one step: two at once do not disturb each other.
    """
    wanted = folder_of(root)
    if compiled_files(wanted):
        return ""
    wanted.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent) as work:
        command = [sys.executable, "-m", "tools.compile", _INSIDE, work]
        done = subprocess.run(  # noqa: S603  our own program
            command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
        )
        made = Path(work) / "made"
        if done.returncode or not compiled_files(made):
            return (done.stderr or done.stdout)[-_TOLD:].strip() or "nothing was compiled"
        if not compiled_files(wanted):
            shutil.rmtree(wanted, ignore_errors=True)
            made.rename(wanted)
    _forget_others(wanted)
    return ""


def _forget_others(wanted: Path) -> None:
    """Remove what was compiled of sources that have changed since."""
    for other in wanted.parent.iterdir():
        if other != wanted and len(other.name) == len(wanted.name):
            shutil.rmtree(other, ignore_errors=True)


def _compile_inside(work: Path) -> None:
    """Compile into a folder, from the root of the sources."""
    setuptools = importlib.import_module("setuptools")  # before mypyc, which takes what it finds
    build = importlib.import_module("mypyc.build")
    options = ["--config-file=", "--strict", "--follow-imports=silent", "--ignore-missing-imports"]
    options.append(f"--cache-dir={work / 'cache'}")
    extensions = build.mypycify(
        [*options, *(source_of(module) for module in MODULES)],
        opt_level="3",
        debug_level="0",
        target_dir=str(work / "c"),
        group_name=_GROUP,
    )
    words = ["build_ext", "--build-lib", str(work / "made"), "--build-temp", str(work / "built")]
    setuptools.setup(
        name=_GROUP, packages=[], py_modules=[], ext_modules=extensions, script_args=["--no-user-cfg", *words]
    )


def main(words: Sequence[str]) -> int:
    """Compile, or say in one line why not."""
    if words[:1] == [_INSIDE]:
        _compile_inside(Path(words[1]))
        return 0
    why = compile_rules()
    if why:
        sys.stderr.write(f"not compiled, the source runs as it stands: {why}\n")
        return 1
    sys.stdout.write(f"compiled into {FOLDER}/\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
