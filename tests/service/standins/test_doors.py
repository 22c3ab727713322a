"""What the stand-ins answer besides the channels' contract."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.standins import mailbox, zalo
from service.standins.serving import Running, start_in_thread


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Running]:
    _, running = zalo.start(tmp_path / "zalo")
    yield running
    running.stop()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Running]:
    _, _, running = mailbox.start(tmp_path / "mail")
    yield running
    running.stop()


def test_troubles_are_ordered_over_http(phone: Running) -> None:
    assert httpx.post(f"{phone.url}/trouble", json={"mode": "500", "times": 2}).status_code == 200
    answers = [httpx.post(f"{phone.url}/message/template", json={}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert answers[2].json()["error"] == -124


@pytest.mark.parametrize("wish", ["{}", "[]", "not json", '{"mode": "earthquake", "times": 1}'])
def test_an_unknown_trouble_is_refused(phone: Running, inbox: Running, wish: str) -> None:
    for running in (phone, inbox):
        assert httpx.post(f"{running.url}/trouble", content=wish).status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", -100),
        (b'{"phone": "0912345678"}', -108),
        (b'{"phone": "84912345678", "template_id": "1"}', -112),
        (b'{"phone": "84912345678", "template_id": "500101", "template_data": []}', -1122),
    ],
)
def test_zalo_says_what_is_wrong(phone: Running, body: bytes, code: int) -> None:
    headers = {"access_token": zalo.FIRST_ACCESS}
    answer = httpx.post(f"{phone.url}/message/template", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (200, code)


@pytest.mark.parametrize("change", [{"app_id": "1"}, {"refresh_token": "x"}, {"grant_type": "password"}])
def test_a_wrong_exchange_spends_nothing(phone: Running, change: dict[str, str]) -> None:
    right = {"refresh_token": zalo.FIRST_REFRESH, "app_id": zalo.APP_ID, "grant_type": "refresh_token"}
    secret = {"secret_key": zalo.APP_SECRET}
    url = f"{phone.url}/v4/oa/access_token"
    assert httpx.post(url, data=right | change, headers=secret).json()["error"] < 0
    assert httpx.post(url, data=right, headers={"secret_key": "x"}).json()["error"] < 0
    assert httpx.post(url, data=right, headers=secret).json()["expires_in"] == "90000"


def test_empty_pages_say_so(phone: Running, inbox: Running) -> None:
    assert "Chưa có tin nhắn nào" in httpx.get(phone.url).text
    assert "Chưa có thư nào" in httpx.get(inbox.url).text


def test_only_this_machine_can_reach_them(phone: Running) -> None:
    port = int(phone.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=1)


def test_a_taken_port_is_an_error_at_once(phone: Running, tmp_path: Path) -> None:
    port = int(phone.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        start_in_thread(zalo.app(zalo.Zalo(tmp_path)), port)
