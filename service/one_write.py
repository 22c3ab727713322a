"""An HTTP answer leaves in one write: the server hands over head and body one by one, and a write is a system call.

On the bank's door the second call took a seventh of all time of the process; every page saves a packet.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteProtocol(HttpToolsProtocol):
    """The server's own protocol on a transport that gathers; for ``uvicorn.Config(http=...)``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server has it
        """Take a new connection."""
        super().connection_made(Gathering(transport, self.loop))


class Gathering(asyncio.Transport):
    """Holds one piece until the next one comes, or at the latest until the loop turns: nothing waits for a timer.

    What is held is one piece (the head of an answer); the second leaves with it at once, so that the limits of the
    transport below still count.
    """

    def __init__(self, below: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._below = below
        self._loop = loop
        self._held: bytes | None = None
        self._turn: asyncio.Handle | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a piece with what was held, or hold it."""
        if self._held is None:
            self._held = bytes(data)
            self._turn = self._loop.call_soon(self._flush)
        else:
            self._held += data
            self._flush()

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._below.close()

    def abort(self) -> None:
        """Close at once; what is held is lost, as what the transport below has not sent yet is."""
        self._drop()
        self._below.abort()

    def is_closing(self) -> bool:
        """Tell whether it closes or is closed."""
        return self._below.is_closing()

    def pause_reading(self) -> None:
        """Read nothing more for now."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._below.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand over to another protocol."""
        self._below.set_protocol(protocol)

    def get_extra_info(self, name: str, default: object = None) -> Any:  # noqa: ANN401  what it is depends on the name
        """Return what the transport below knows."""
        return self._below.get_extra_info(name, default)

    def _flush(self) -> None:
        held = self._held
        self._drop()
        if held is not None and not self._below.is_closing():
            self._below.write(held)

    def _drop(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
        self._held = self._turn = None
