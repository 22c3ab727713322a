"""E-mail over SMTP: UTF-8, text with an HTML twin, attachments, nothing smuggled into headers."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import unicodedata
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as _SMTP
from typing import ClassVar, Literal

from notifications.channels.base import Accepted, Channel, Message
from notifications.errors import PermanentFailure, TemporaryFailure, UnknownOutcome, Unreachable

# One plain address, no display name, no list, no comment, no quoting: what a contact sheet may hold.
# Lengths are those of RFC 5321 §4.5.3.1 (64 before the @, 254 in all).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+\Z")
_TRACKING = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
# Pure ASCII on the wire, so that no relay without 8BITMIME re-codes a letter.
_POLICY = _SMTP.clone(cte_type="7bit", refold_source="none")  # our own folding of names and subjects stays
_MUST_REPAIR = {
    530,
    534,
    535,
    538,
}  # login wanted or refused: ours to repair, no fault of the family's address


_FINE = 250  # RFC 5321 §4.2.3


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    file_name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter(Message):
    """An e-mail to one person; ``to`` is a bare address, ``from_name`` the school if not the sender's own name."""

    subject: str
    text: str
    html: str
    written_at: datetime
    from_name: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom the letter is from; answers go to ``reply_to`` (the school) when there is one."""

    name: str
    address: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in. ``security``: ``none`` (own machine), ``starttls`` or ``tls``."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    user: str = ""
    password: str = ""
    timeout: float = 15.0


class MailChannel(Channel[Letter]):
    """Hands letters to a mail server, over connections made by ``connect``.

    A connection that took a letter takes the next one, until the server or ``close`` ends it. Threads may share a
    channel; each letter has a connection to itself.
    """

    name: ClassVar[str] = "email"

    def __init__(self, connect: Callable[[], smtplib.SMTP], sender: Sender) -> None:
        self._connect = connect
        self._sender = sender
        self._idle: deque[smtplib.SMTP] = deque()

    def close(self) -> None:
        """Take leave of the server."""
        while self._idle:
            _leave(self._idle.pop())

    def _deliver(self, message: Letter) -> Accepted:
        if not is_address(message.to):
            raise Unreachable("Địa chỉ e-mail không hợp lệ.", channel=self.name, code="address")
        letter = compose(message, self._sender)
        connection = self._welcomed() or self._open()
        try:
            answer = self._hand_over(connection, message.to, letter)
        except BaseException:
            _leave(connection)
            raise
        self._idle.append(connection)
        return Accepted(provider_id=str(letter["Message-ID"]), raw=answer)

    def _welcomed(self) -> smtplib.SMTP | None:
        """Return an idle connection that still answers; where one is gone, the others are not waited for."""
        with contextlib.suppress(IndexError):
            connection = self._idle.popleft()
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if connection.rset()[0] == _FINE:
                    return connection
            connection.close()
            while self._idle:
                self._idle.popleft().close()
        return None

    def _open(self) -> smtplib.SMTP:
        try:
            return self._connect()
        except smtplib.SMTPResponseException as refusal:
            raise self._later(str(refusal.smtp_code)) from None
        except (smtplib.SMTPException, OSError) as trouble:
            raise self._later(type(trouble).__name__) from None

    def _hand_over(self, connection: smtplib.SMTP, to: str, letter: EmailMessage) -> str:
        try:
            self._check(connection.mail(self._sender.address), whose="ours")
            self._check(connection.rcpt(to), whose="theirs")
        except (smtplib.SMTPException, OSError) as trouble:
            raise self._later(type(trouble).__name__) from None
        try:
            answer = connection.data(letter.as_bytes(policy=_POLICY))
        except smtplib.SMTPDataError as refusal:  # refused before a byte of the letter was sent
            answer = (refusal.smtp_code, _as_bytes(refusal.smtp_error))
        except (smtplib.SMTPException, OSError) as trouble:
            raise UnknownOutcome(
                "Máy chủ thư không trả lời sau khi nhận thư; không rõ thư đã đi hay chưa.",
                channel=self.name,
                code=type(trouble).__name__,
            ) from None
        self._check(answer, whose="letter")
        return f"{answer[0]} {answer[1].decode('utf-8', 'replace')}"

    def _check(self, answer: tuple[int, bytes], whose: Literal["ours", "theirs", "letter"]) -> None:
        """2xx is fine, 4xx comes back later, 5xx is final unless our own login or sender is refused."""
        code = answer[0]
        if 200 <= code < 300:  # noqa: PLR2004  the classes of SMTP replies, RFC 5321 §4.2.1
            return
        if code < 500 or code in _MUST_REPAIR or whose == "ours":  # noqa: PLR2004  as above
            raise self._later(str(code))
        if whose == "theirs":
            raise Unreachable("Máy chủ thư từ chối địa chỉ người nhận.", channel=self.name, code=str(code))
        raise PermanentFailure("Máy chủ thư từ chối nội dung thư.", channel=self.name, code=str(code))

    def _later(self, code: str) -> TemporaryFailure:
        return TemporaryFailure("Máy chủ thư tạm thời không nhận thư.", channel=self.name, code=code)


def connector(server: MailServer) -> Callable[[], smtplib.SMTP]:
    """Return what opens, secures and logs in to a connection; raises smtplib's errors and ``OSError``."""

    def connect() -> smtplib.SMTP:
        # The name we greet with is fixed: asking DNS for our own name can take seconds.
        connection: smtplib.SMTP
        if server.security == "tls":
            connection = smtplib.SMTP_SSL(
                server.host,
                server.port,
                "localhost",
                timeout=server.timeout,
                context=ssl.create_default_context(),
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, "localhost", timeout=server.timeout)
        try:
            _secure(connection, server)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def compose(message: Letter, sender: Sender) -> EmailMessage:
    """Build the letter. The Message-ID follows from the tracking id, so a letter sent twice is known as one.

    Raises ``ValueError`` for a tracking id that may not stand in a header.
    """
    if not _TRACKING.match(message.tracking_id):
        raise ValueError("a tracking id has 1 to 64 of A-Z a-z 0-9 . _ -")
    letter = EmailMessage(policy=_POLICY)
    name = one_line(message.from_name or sender.name)
    letter.set_raw("From", f"{_encoded(name, 'From')}\r\n <{sender.address}>")
    letter["To"] = Address(addr_spec=message.to)
    if sender.reply_to:
        letter["Reply-To"] = Address(addr_spec=sender.reply_to)
    letter.set_raw("Subject", _encoded(one_line(message.subject), "Subject"))
    letter["Date"] = message.written_at
    letter["Message-ID"] = f"<{message.tracking_id}@{sender.address.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
    letter.set_content(message.text)
    letter.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        main_type, _, sub_type = attachment.media_type.partition("/")
        letter.add_attachment(
            attachment.content, maintype=main_type, subtype=sub_type, filename=one_line(attachment.file_name)
        )
    return letter


def _encoded(text: str, header: str) -> str:
    """Return a text as RFC 2047 words of at most 75 characters.

    ``EmailMessage`` folds long ones by itself, but loses or adds a space between two words (Python before 3.12.4).
    """
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def one_line(text: str) -> str:
    """Make a text fit for a header: NFC, no line break or other control character, single spaces."""
    visible = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def is_address(text: str) -> bool:
    """Say whether a text is one bare e-mail address (ASCII; no list, no display name)."""
    return _ADDRESS.match(text) is not None


def _secure(connection: smtplib.SMTP, server: MailServer) -> None:
    connection.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
    if server.user:
        connection.login(server.user, server.password)


def _leave(connection: smtplib.SMTP) -> None:
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.quit()
    connection.close()


def _as_bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
