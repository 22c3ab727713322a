"""Stand-ins as programs of their own: killed without warning and started again, families keep what they got."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from notifications.channels.esms import SEND, STATUS
from notifications.rules import Kind
from notifications.wording.sms import sms_text
from notifications.wording.zns import notice_params
from service.standins import esms
from service.standins.serving import free_port
from service.standins.zalo import APP_ID, APP_SECRET, FIRST_REFRESH, TEMPLATE_IDS
from tests.notifications.examples import a_notice

ROOT = Path(__file__).parents[3]


@contextmanager
def program(name: str, port: int, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"service.standins.{name}", "--port", str(port), *more]
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603  our own program
        try:
            _wait_until_it_answers(process, port)
            yield process
        finally:
            process.kill()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the stand-in did not start")


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_esms_keeps_texts_and_knows_their_ids_again(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    body = {
        "ApiKey": esms.API_KEY,
        "SecretKey": esms.SECRET_KEY,
        "Phone": "0912345678",
        "Content": sms_text(Kind.BILL_ISSUED, a_notice()),
        "Brandname": esms.BRANDNAME,
        "SmsType": "2",
        "RequestId": "m-1",
    }
    with ExitStack() as running:
        process = running.enter_context(program("esms", port, "--folder", str(tmp_path)))
        taken = httpx.post(f"{url}{SEND}", json=body).json()
        assert taken["CodeResult"] == "100"
        _kill(process)
        running.enter_context(program("esms", port, "--folder", str(tmp_path)))
        assert [one["request_id"] for one in httpx.get(f"{url}/messages").json()] == ["m-1"]
        assert httpx.post(f"{url}{SEND}", json=body).json()["CodeResult"] == "124"
        named = {"RefId": taken["SMSID"], "ApiKey": esms.API_KEY, "SecretKey": esms.SECRET_KEY}
        assert httpx.get(f"{url}{STATUS}", params=named).json()["CodeResponse"] == "100"
        assert body["Content"].partition("http")[0] in httpx.get(url).text


def test_zalo_keeps_messages_and_tokens(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder = ("--folder", str(tmp_path))
    form = {"refresh_token": FIRST_REFRESH, "app_id": APP_ID, "grant_type": "refresh_token"}
    with ExitStack() as running:
        process = running.enter_context(program("zalo", port, *folder))
        pair = httpx.post(f"{url}/v4/oa/access_token", data=form, headers={"secret_key": APP_SECRET}).json()
        body = {
            "phone": "84912345678",
            "template_id": TEMPLATE_IDS[Kind.BILL_ISSUED, "vi"],
            "template_data": notice_params(a_notice(), "Trần Thị Hồng"),
            "tracking_id": "m-1",
        }
        headers = {"access_token": pair["access_token"]}
        assert httpx.post(f"{url}/message/template", json=body, headers=headers).json()["error"] == 0
        _kill(process)
        running.enter_context(program("zalo", port, *folder))
        assert [one["tracking_id"] for one in httpx.get(f"{url}/messages").json()] == ["m-1"]
        assert httpx.post(f"{url}/message/template", json=body, headers=headers).json()["error"] == 0
        spent = httpx.post(f"{url}/v4/oa/access_token", data=form, headers={"secret_key": APP_SECRET}).json()
        assert spent["error"] == -14014


def test_the_mailbox_keeps_letters(tmp_path: Path) -> None:
    port, smtp_port = free_port(), free_port()
    options = ("--folder", str(tmp_path), "--smtp-port", str(smtp_port))
    letter = "Subject: xin chao\r\nMessage-ID: <m-1@truong.example>\r\n\r\nDa nop du.\r\n"

    def hand_in() -> None:
        with smtplib.SMTP("127.0.0.1", smtp_port, "localhost", timeout=5) as server:
            server.sendmail("thu-phi@truong.example", "hong@gia-dinh.example", letter)

    with ExitStack() as running:
        process = running.enter_context(program("mailbox", port, *options))
        hand_in()
        _kill(process)
        running.enter_context(program("mailbox", port, *options))
        hand_in()
        kept = httpx.get(f"http://127.0.0.1:{port}/letters").json()
        assert [(one["number"], one["subject"]) for one in kept] == [(1, "xin chao"), (2, "xin chao")]
        assert "Da nop du." in httpx.get(f"http://127.0.0.1:{port}/letters/1").text
