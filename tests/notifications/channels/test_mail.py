"""The mail channel against the stand-in, over SMTP."""

from __future__ import annotations

import logging
import smtplib
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.channels.mail import (
    Attachment,
    Letter,
    MailChannel,
    MailServer,
    Sender,
    compose,
    connector,
    is_address,
    one_line,
)
from notifications.errors import DeliveryProblem, PermanentFailure, TemporaryFailure, UnknownOutcome, Unreachable
from service.standins.mailbox import Mailbox
from service.standins.serving import Running, free_port
from tests.notifications.channels.conftest import SENDER

WRITTEN = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
PDF = Attachment("bien-lai-000123.pdf", "application/pdf", b"%PDF-1.7\n\x00\xff not really")


def a_letter(to: str = "hong@gia-dinh.example", **changes: str) -> Letter:
    values: dict[str, Any] = {
        "subject": "Đã nhận 500.000 đ – học sinh N. T. M. Anh",
        "text": "Đã nộp đủ.\n",
        "html": "<p>Đã nộp đủ.</p>",
    }
    return Letter("m-1", to, **(values | changes), written_at=WRITTEN, attachments=(PDF,))


def body_of(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_letter_arrives_whole(mail: MailChannel, mailbox: Mailbox) -> None:
    accepted = mail.send(a_letter())
    assert accepted.provider_id == "<m-1@truong.example>"
    assert accepted.raw.startswith("250 ")
    letter = mailbox.letter(1)
    assert letter is not None
    assert letter["Subject"] == "Đã nhận 500.000 đ – học sinh N. T. M. Anh"
    assert letter["From"].addresses[0].display_name == "Trường Tiểu học Đồng Tâm"
    assert letter["Reply-To"] == "van-phong@truong.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == WRITTEN
    assert body_of(letter, "plain").strip() == "Đã nộp đủ."
    assert body_of(letter, "html").strip() == "<p>Đã nộp đủ.</p>"
    [part] = letter.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == (PDF.file_name, "application/pdf")
    assert part.get_content() == PDF.content


@pytest.mark.parametrize(
    ("mode", "error", "code"),
    [
        ("busy", TemporaryFailure, "451"),
        ("no-such-mailbox", Unreachable, "550"),
        ("refused", PermanentFailure, "554"),
        ("accept-then-silence", UnknownOutcome, "SMTPServerDisconnected"),
        ("accept-then-hang-up", UnknownOutcome, "SMTPServerDisconnected"),
    ],
)
def test_what_a_server_can_do_to_a_letter(
    mail: MailChannel, mailbox: Mailbox, mode: str, error: type[DeliveryProblem], code: str
) -> None:
    mailbox.trouble.order(mode, 1)
    with pytest.raises(error) as refused:
        mail.send(a_letter())
    assert type(refused.value) is error
    assert refused.value.code == code
    assert len(mailbox.kept) == (error is UnknownOutcome)
    mail.send(a_letter())
    assert len(mailbox.kept) == 1 + (error is UnknownOutcome)


class Counted:
    """Connects to a server and counts how often."""

    def __init__(self, port: int) -> None:
        self.made: list[smtplib.SMTP] = []
        self._connect = connector(MailServer("127.0.0.1", port, "none", timeout=0.7))

    def __call__(self) -> smtplib.SMTP:
        self.made.append(self._connect())
        return self.made[-1]


def test_letters_share_a_connection_until_one_is_refused(mail_running: tuple[Mailbox, int, Running]) -> None:
    mailbox, port, _ = mail_running
    connect = Counted(port)
    channel = MailChannel(connect, SENDER)
    channel.send(a_letter())
    channel.send(a_letter("lan@gia-dinh.example"))
    assert (len(connect.made), [kept.to for kept in mailbox.kept]) == (
        1,
        [["hong@gia-dinh.example"], ["lan@gia-dinh.example"]],
    )
    mailbox.trouble.order("no-such-mailbox", 1)
    with pytest.raises(Unreachable):
        channel.send(a_letter())
    channel.send(a_letter())
    assert (len(connect.made), len(mailbox.kept)) == (2, 3)
    channel.close()
    assert all(connection.sock is None for connection in connect.made)


def test_a_connection_that_the_server_has_ended_is_made_anew(mail_running: tuple[Mailbox, int, Running]) -> None:
    mailbox, port, _ = mail_running
    connect = Counted(port)
    channel = MailChannel(connect, SENDER)
    channel.send(a_letter())
    connect.made[0].docmd("QUIT")  # the server hangs up; our side does not know yet
    channel.send(a_letter())
    assert (len(connect.made), len(mailbox.kept)) == (2, 2)
    channel.close()


def test_no_server_is_surely_not_sent() -> None:
    channel = MailChannel(connector(MailServer("127.0.0.1", free_port(), "none", timeout=0.5)), SENDER)
    with pytest.raises(TemporaryFailure):
        channel.send(a_letter())


def test_a_server_that_cannot_encrypt_gets_no_letter_and_no_password(
    mail_running: tuple[Mailbox, int, Running],
) -> None:
    mailbox, port, _ = mail_running
    server = MailServer("127.0.0.1", port, "starttls", user="truong", password="bí mật", timeout=0.7)
    with pytest.raises(TemporaryFailure):
        MailChannel(connector(server), SENDER).send(a_letter())
    assert mailbox.kept == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hong",
        "a@b",
        "a@b..vn",
        "a b@c.vn",
        "a@c.vn,b@c.vn",
        "A <a@c.vn>",
        "a@c.vn\nBcc: b@c.vn",
        "hồng@c.vn",
        "a@-c.vn",
    ],
)
def test_what_is_no_single_address_is_not_tried(mail: MailChannel, mailbox: Mailbox, address: str) -> None:
    with pytest.raises(Unreachable) as refused:
        mail.send(a_letter(to=address))
    assert refused.value.code == "address"
    assert mailbox.kept == []


@given(name=st.text(max_size=80), subject=st.text(max_size=120), file_name=st.text(min_size=1, max_size=40))
@example(name="x\r\nBcc: b@c.vn", subject="a\nBcc: b@c.vn\n\nhi", file_name='a"\r\nX: y')
@example(name="\u2028", subject="\x0b\x0c\x85\x00", file_name="\ud7ff")
def test_nothing_can_be_smuggled_into_headers(name: str, subject: str, file_name: str) -> None:
    letter = Letter(
        "m-1", "a@c.vn", subject, "t", "<p>t</p>", WRITTEN, name, (Attachment(file_name, "text/csv", b"x"),)
    )
    sent = compose(letter, Sender("S", "thu-phi@truong.example")).as_bytes()
    head = sent.split(b"\r\n\r\n", 1)[0]
    names = {line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
    assert names <= {
        b"From", b"To", b"Subject", b"Message-ID", b"Auto-Submitted", b"Date", b"MIME-Version", b"Content-Type",
    }  # fmt: skip
    assert sent.isascii()


@given(name=st.text(max_size=90), subject=st.text(max_size=160))
@example(
    name="Trường Tiểu học – THCS Tư thục Đất Đỏ",
    subject="Trường Tiểu học – THCS Tư thục Đất Đỏ: đã nhận 4.895.000 đ cho học sinh P. P. X. Sẵn",
)
def test_names_and_subjects_arrive_letter_by_letter(name: str, subject: str) -> None:
    letter = Letter("m-1", "a@c.vn", subject, "t", "<p>t</p>", WRITTEN, name)
    sent = compose(letter, Sender("S", "thu-phi@truong.example")).as_bytes()
    read = message_from_bytes(sent)  # the plain reader: no folding of its own
    assert str(make_header(decode_header(read["Subject"]))) == one_line(subject)
    shown, address = parseaddr(read["From"])
    assert str(make_header(decode_header(shown))) == one_line(name or "S")
    assert address == "thu-phi@truong.example"
    assert all(len(line) <= 78 for line in sent.split(b"\r\n\r\n", 1)[0].split(b"\r\n"))


@given(st.text(max_size=200))
def test_an_address_that_passes_is_one_token(text: str) -> None:
    if is_address(text):
        assert text.isascii()
        assert text.count("@") == 1
        assert not set(text) & set(' \t\r\n,;:<>()[]"\\')


@given(st.text(max_size=200))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line


def test_a_bad_tracking_id_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="tracking"):
        compose(Letter("a\nb", "a@c.vn", "s", "t", "h", WRITTEN), SENDER)


def test_logs_and_errors_hold_no_person(mail: MailChannel, mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    mail.send(a_letter())
    mailbox.trouble.order("no-such-mailbox", 1)
    with pytest.raises(Unreachable) as refused:
        mail.send(a_letter())
    told = " ".join([*caplog.messages, str(refused.value), str(refused.value.facts), str(refused.value.__cause__)])
    assert "email m-1: Accepted" in told
    assert "gia-dinh" not in told
    assert "Anh" not in told


def test_login_trouble_is_ours_and_the_letter_waits() -> None:
    def refuse() -> smtplib.SMTP:
        raise smtplib.SMTPAuthenticationError(535, b"no")

    with pytest.raises(TemporaryFailure) as refused:
        MailChannel(refuse, SENDER).send(a_letter())
    assert refused.value.code == "535"


def test_the_page_shows_letters_safely(
    mail: MailChannel, mail_running: tuple[Mailbox, int, Running], client: httpx.Client
) -> None:
    evil = "<script>alert(1)</script>"
    mail.send(a_letter(subject=evil, text=evil, html=evil))
    url = mail_running[2].url
    assert "<script" not in client.get(url).text
    shown = client.get(f"{url}/letters/1")
    assert "<script" not in shown.text
    assert "sandbox=" in shown.text
    html = client.get(f"{url}/letters/1/html")
    assert "sandbox" in html.headers["content-security-policy"]
    assert "allow-scripts" not in html.headers["content-security-policy"] + shown.text
    attached = client.get(f"{url}/letters/1/attachments/0")
    assert attached.content == PDF.content
    assert attached.headers["x-content-type-options"] == "nosniff"
    for missing in ("/letters/2", "/letters/2/html", "/letters/1/attachments/1", "/letters/2/attachments/0"):
        assert client.get(url + missing).status_code == 404
