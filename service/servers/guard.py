"""The guard: a small process that keeps the servers running while anybody uses them, and then stops them.

It is started as ``python -m service.servers.guard STATE FD``. FD is the reading end of ``users.fifo``; every user holds
the writing end. The kernel closes it when a user ends, in whatever way, so "no writer is left" is the moment to stop.
Users write the first letter of each server they need. The guard leaves the session of its starter (Ctrl-C in a
terminal must not stop the database before the programs that use it). The servers are forked from its only thread,
with a parent-death signal: they end even if the guard itself is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

from service.servers.account import Account, choose_account
from service.servers.folder import Folder, ServersFailed
from service.servers.keeper import Keeper, stop_all
from service.servers.postgres import Postgres
from service.servers.valkey import Valkey

_RETRY_SECONDS = 0.05


class Guard:
    """Watches the users and the servers of one state folder."""

    def __init__(self, folder: Folder, users: int) -> None:
        self.folder = folder
        self.users = users
        self.account, self.place = settle(folder)
        self.keepers: dict[str, Keeper] = {}
        self._asked_to_stop = False
        self._wake, self._wake_writer = os.pipe()

    def watch(self) -> None:
        """Run until no user is left, or until told to end."""
        os.set_blocking(self.users, False)
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wake_writer, False)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        while True:
            used = self._hear_users()
            if (self._asked_to_stop or not used) and self._leave():
                return
            # Not any(...) over a generator: each keeper must be looked after.
            if any([keeper.tick() for keeper in self.keepers.values()]):  # noqa: C419  as said above
                self._publish()
            self._sleep()

    def _hear_users(self) -> bool:
        """Take the users' wishes; False if no user is left."""
        try:
            wishes = os.read(self.users, 4096)
        except BlockingIOError:
            return True
        for server in (Postgres, Valkey):
            if server.name[0].encode() in wishes:
                if server.name not in self.keepers:
                    self.keepers[server.name] = Keeper(server(self.folder, self.account, self.place), self.folder)
                self.keepers[server.name].wish()
        return bool(wishes)

    def _leave(self) -> bool:
        """Stop everything, unless a new user came or is just coming (he holds the start lock)."""
        try:
            with self.folder.locked(wait_seconds=0):
                if not self._asked_to_stop and self._hear_users():
                    return False
                self.folder.status.unlink(missing_ok=True)
                os.close(self.users)
                stop_all(list(self.keepers.values()))
                return True
        except ServersFailed:
            time.sleep(_RETRY_SECONDS)
            return False
        except FileNotFoundError:  # somebody removed the state folder
            stop_all(list(self.keepers.values()))
            return True

    def _publish(self) -> None:
        shown = {name: status for name, keeper in self.keepers.items() if (status := keeper.status())}
        with contextlib.suppress(FileNotFoundError):  # the state folder was removed
            self.folder.write_private(self.folder.status, json.dumps({"guard": os.getpid(), "servers": shown}))

    def _sleep(self) -> None:
        waits = [wait for keeper in self.keepers.values() if (wait := keeper.wait_seconds()) is not None]
        select.select([self.users, self._wake], [], [], min(waits, default=None))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)

    def _ask_to_stop(self, *_: object) -> None:
        self._asked_to_stop = True


def settle(folder: Folder) -> tuple[Account, Path]:
    """Return the servers' account and where their data lies.

    Data lies in the state folder. Where the unprivileged account cannot get there (a home of mode 0700), a folder of
    our own in the system's place for temporary files takes it, and the state folder remembers which.
    """
    place = folder.root
    with contextlib.suppress(FileNotFoundError):
        remembered = Path(folder.place.read_text(encoding="utf-8"))
        place = remembered if remembered.is_dir() else place
    data = next((place / name for name in ("postgres", "valkey", "redis") if (place / name).exists()), None)
    account = choose_account(data)
    if account.may_enter(place):
        return account, place
    if data is not None:
        raise ServersFailed(f"{data} was made by an account that cannot reach it any more; open its parent folders")
    shelf = Path(tempfile.mkdtemp(prefix="hocphi-", dir="/var/tmp"))
    shelf.chmod(0o711)
    folder.write_private(folder.place, str(shelf))
    return account, shelf


def main() -> None:
    """Leave the starter's session, then watch."""
    state, users = Path(sys.argv[1]), int(sys.argv[2])
    if os.fork():
        os._exit(0)  # the starter waits only for this, and has no child to look after later
    os.setsid()
    os.umask(0o077)
    Guard(Folder(state), users).watch()


if __name__ == "__main__":
    main()
