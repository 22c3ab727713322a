"""A mail server that keeps every letter, and a page that shows what families got.

    python -m service.standins.mailbox --port 8803 --smtp-port 8825 --folder .hocphi/mail

A letter is on disk before the server says 250. Nothing ever leaves this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import email
import logging
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as _modern
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from notifications.quiet import SCHOOL_TIME
from service.standins.journal import Journal
from service.standins.screens import GUARDS, page, style
from service.standins.serving import HOST, Running, free_port, serve, start_in_thread
from service.standins.trouble import Trouble

TROUBLES = ("busy", "no-such-mailbox", "refused", "accept-then-silence", "accept-then-hang-up")
_SILENCE_SECONDS = 120
_SHOWN = 200
_LARGEST = 25 * 1024 * 1024
# A letter's HTML is somebody else's: no script, no picture from outside, no form, a link
# only into a new window.
_LETTER_GUARDS = GUARDS | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that arrived: its number, who it was for, its subject and the names of its attachments."""

    number: int
    to: list[str]
    subject: str
    message_id: str
    attachments: list[str]
    at: str


class Mailbox:
    """All letters, one file each, and a journal of them."""

    def __init__(self, folder: Path) -> None:
        self.trouble = Trouble(TROUBLES)
        self._folder = folder / "letters"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(folder / "letters.jsonl")
        self._lock = threading.Lock()
        self.kept = [Kept(**entry) for entry in self._journal.entries()]

    def keep(self, to: list[str], content: bytes) -> Kept:
        """Write a letter down: first its file, whole or not at all, then its line in the journal."""
        letter = email.message_from_bytes(content, policy=_modern)
        with self._lock:
            kept = Kept(
                number=self.kept[-1].number + 1 if self.kept else 1,
                to=to,
                subject=str(letter["Subject"] or ""),
                message_id=str(letter["Message-ID"] or ""),
                attachments=[part.get_filename() or "tep" for part in letter.iter_attachments()],
                at=datetime.now(UTC).isoformat(),
            )
            unfinished = self._folder / "unfinished"
            unfinished.write_bytes(content)
            unfinished.replace(self._file(kept.number))
            self._journal.append(asdict(kept))
            self.kept.append(kept)
        return kept

    def letter(self, number: int) -> EmailMessage | None:
        """Read a letter back."""
        if not any(kept.number == number for kept in self.kept):
            return None
        return email.message_from_bytes(self._file(number).read_bytes(), policy=_modern)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06}.eml"


class _Door:
    """What aiosmtpd asks at each step of a delivery."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._modes: dict[int, str] = {}  # by envelope, for deliveries run side by side

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, unless trouble was ordered."""
        del server, session, options
        mode = self._mailbox.trouble.take()
        if mode == "no-such-mailbox":
            return "550 5.1.1 No such mailbox"
        self._modes[id(envelope)] = mode
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        """Keep the letter and answer, or make the ordered trouble."""
        del session
        mode = self._modes.pop(id(envelope), "")
        if mode == "busy":
            return "451 4.3.0 Try again later"
        if mode == "refused":
            return "554 5.6.0 Content refused"
        content = envelope.original_content or b""
        kept = self._mailbox.keep(list(envelope.rcpt_tos), content)
        if mode == "accept-then-silence":
            await asyncio.sleep(_SILENCE_SECONDS)
        if mode == "accept-then-hang-up" and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return f"250 2.0.0 OK kept as {kept.number}"


class _Pages:
    """What the inbox answers over HTTP."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def inbox(self, request: Request) -> Response:
        """List the letters, newest first."""
        wanted = request.query_params.get("to", "")
        chosen = [kept for kept in self._mailbox.kept if wanted == "" or wanted in kept.to]
        newest = [{"kept": kept, "at": _local(kept.at)} for kept in reversed(chosen[-_SHOWN:])]
        return page("mails.html", letters=newest, count=len(chosen), to=wanted)

    async def letters(self, request: Request) -> Response:
        """All letters as JSON."""
        del request
        return JSONResponse([asdict(kept) for kept in self._mailbox.kept])

    async def one(self, request: Request) -> Response:
        """One letter: headers, attachments, its HTML in a frame, its text."""
        number = request.path_params["number"]
        letter = self._mailbox.letter(number)
        if letter is None:
            return _missing()
        headers = [(name, str(letter[name])) for name in ("From", "To", "Subject", "Date") if letter[name]]
        names = [part.get_filename() or "tep" for part in letter.iter_attachments()]
        text = letter.get_body(("plain",))
        words = str(text.get_content()) if text else ""
        has_html = letter.get_body(("html",)) is not None
        return page("mail.html", number=number, headers=headers, text=words, has_html=has_html, names=names)

    async def html(self, request: Request) -> Response:
        """Serve a letter's HTML to the frame."""
        letter = self._mailbox.letter(request.path_params["number"])
        body = letter.get_body(("html",)) if letter else None
        if body is None:
            return _missing()
        guards = _LETTER_GUARDS | {"X-Frame-Options": "SAMEORIGIN"}
        return HTMLResponse(str(body.get_content()), headers=guards)

    async def attachment(self, request: Request) -> Response:
        """Serve a file that came with a letter."""
        letter = self._mailbox.letter(request.path_params["number"])
        parts = list(letter.iter_attachments()) if letter else []
        place = request.path_params["place"]
        if place >= len(parts):
            return _missing()
        return _file_answer(parts[place])

    async def trouble(self, request: Request) -> Response:
        """Order a trouble: ``{"mode": …, "times": n}``."""
        try:
            wish = await request.json()
            self._mailbox.trouble.order(str(wish["mode"]), int(wish["times"]))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"ordered": wish})


def app(mailbox: Mailbox) -> Starlette:
    """Return the ASGI program that shows the letters."""
    pages = _Pages(mailbox)
    return Starlette(
        routes=[
            Route("/", pages.inbox),
            Route("/letters", pages.letters),
            Route("/letters/{number:int}", pages.one),
            Route("/letters/{number:int}/html", pages.html),
            Route("/letters/{number:int}/attachments/{place:int}", pages.attachment),
            Route("/trouble", pages.trouble, methods=["POST"]),
            Route("/style.css", style),
        ]
    )


@contextlib.contextmanager
def smtp_door(mailbox: Mailbox, port: int) -> Iterator[int]:
    """Take letters on 127.0.0.1 in a thread of this process; gives the port."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would note each address
    controller = Controller(_Door(mailbox), hostname=HOST, port=port, data_size_limit=_LARGEST)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def start(folder: Path, port: int = 0, smtp_port: int = 0) -> tuple[Mailbox, int, Running]:
    """Start both doors in threads of this process: the mailbox, its SMTP port, and its page."""
    mailbox = Mailbox(folder)
    doors = contextlib.ExitStack()
    taken = doors.enter_context(smtp_door(mailbox, smtp_port or free_port()))
    shown = start_in_thread(app(mailbox), port)
    doors.callback(shown.stop)
    return mailbox, taken, Running(shown.url, doors.close)


def _file_answer(part: EmailMessage) -> Response:
    """Serve an attachment: a PDF opens in the browser, anything else is only saved."""
    content = part.get_payload(decode=True)
    is_pdf = part.get_content_type() == "application/pdf"
    media_type = "application/pdf" if is_pdf else "application/octet-stream"
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    headers["Content-Disposition"] = "inline" if is_pdf else "attachment"
    return Response(content if isinstance(content, bytes) else b"", media_type=media_type, headers=headers)


def _missing() -> Response:
    return page("missing.html", status=404)


def _local(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(SCHOOL_TIME)


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m service.standins.mailbox", description="A local mail inbox.")
    parser.add_argument("--port", type=int, default=8803)
    parser.add_argument("--smtp-port", type=int, default=8825)
    parser.add_argument("--folder", type=Path, default=Path(".hocphi/mail"))
    chosen = parser.parse_args(arguments)
    mailbox = Mailbox(chosen.folder)
    with smtp_door(mailbox, chosen.smtp_port):
        serve(app(mailbox), chosen.port)


if __name__ == "__main__":
    main()
