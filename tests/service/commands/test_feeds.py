"""The door ``feeds``: a school's account is told of by a provider, as the operator configures it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.vault import Vault
from reconciliation.tables import InboxMessage
from service.__main__ import main
from service.commands import acting
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from service.settings import Settings
from service.standins.stripe_wire import signature
from service.web import build_app
from service.wiring import Wiring
from tests.conftest import TestServers
from tests.factories.schools import make_account, make_school

Door = Callable[..., tuple[int, str, str]]
CHANGE = {
    "id": 92704, "gateway": "Vietcombank", "transactionDate": "2025-10-06 08:00:00", "accountNumber": "0123499999",
    "subAccount": None, "code": None, "content": "chuyen tien", "transferType": "in", "transferAmount": 2_277_000,
    "accumulated": 0, "referenceCode": "MBVCB.3278907687", "description": "",
}  # fmt: skip


@pytest.fixture
def wiring(database: Database, addresses: Addresses, vault: Vault, now: datetime, servers: TestServers) -> Wiring:
    values: dict[str, Any] = {"base_url": "https://hocphi.example"}
    return Wiring(Settings.model_construct(**values), addresses, servers.redis_url, database, vault, lambda: now)


@pytest.fixture
def school(database: Database) -> str:
    """The code of a school with one account."""
    with database.transaction(EVERYTHING) as session:
        made = make_school(session)
        make_account(session, made, number="0123499999")
        return made.code


@pytest.fixture
def door(wiring: Wiring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the door, opened on the test's database."""

    @contextmanager
    def opened(given: Settings, *, ring: bool = True) -> Iterator[Wiring]:
        assert not ring
        assert given is wiring.settings
        yield wiring

    monkeypatch.setattr(acting, "open_wiring", opened)
    monkeypatch.setattr(acting, "read_settings", lambda: wiring.settings)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["feeds", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def post(wiring: Wiring, path: str, key: str) -> int:
    """Send a change of the balance as the provider does; a new web process reads the feeds anew."""
    with TestClient(build_app(wiring)) as client:
        return client.post(path, json=CHANGE, headers={"authorization": f"Apikey {key}"}).status_code


def test_from_opening_to_closing_the_provider_is_believed_by_the_right_secret(
    door: Door, wiring: Wiring, school: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("khoa-mot\n")
    second.write_text("khoa-hai\n")
    words = ("--school", school, "--account", "0123 499 999", "--provider", "sepay", "--scheme", "apikey")
    code, out, err = door("open", *words, "--secret-file", str(first), "--from-anywhere", "thử trên máy này")
    assert (code, err) == (0, "")
    [path] = re.findall(r"https://hocphi\.example(/callbacks/\S+)", out)
    assert "khoa-mot" not in out
    [shown] = [json.loads(line) for line in door("list", "--school", school)[1].splitlines()]
    assert (shown["account"], shown["hold_above"]) == ("…9999", 20_000_000), "a key proves no amount"
    assert [post(wiring, path, key) for key in ("khoa-mot", "khoa-hai")] == [200, 401]
    feed = ("--feed", shown["feed"])
    assert door("rotate", *feed, "--secret-file", str(second))[0] == 0
    assert [post(wiring, path, key) for key in ("khoa-mot", "khoa-hai")] == [200, 200]
    assert door("rotate", *feed, "--secret-file", str(first))[0] == 1, "one change at a time"
    assert door("forget-old", *feed)[0] == 0
    assert [post(wiring, path, key) for key in ("khoa-mot", "khoa-hai")] == [401, 200]
    assert door("close", *feed)[0] == 0
    assert post(wiring, path, "khoa-hai") == 404
    assert [door(act, *feed)[0] for act in ("forget-old", "close")] == [1, 1]
    with wiring.database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(InboxMessage)).all()) == 1
        deeds = session.exec(select(AuditEntry.action).order_by("id")).all()
    assert list(deeds) == ["feed.open", "feed.rotate", "feed.forget_old", "feed.close"]


def test_what_cannot_be_is_said_on_one_line_and_nothing_is_stored(door: Door, school: str, tmp_path: Path) -> None:
    secret, empty = tmp_path / "1", tmp_path / "2"
    secret.write_text("khoa-mot")
    empty.write_text(" \n")
    right = {
        "school": school,
        "account": "0123499999",
        "provider": "sepay",
        "scheme": "hmac",
        "secret-file": f"{secret}",
    }
    for wrong in (
        {"school": "00000000"}, {"account": "1"}, {"scheme": "none"}, {"provider": "vietinbank", "scheme": "rsa"},
        {"secret-file": f"{empty}"}, {"secret-file": f"{tmp_path / 'none'}"},
    ):  # fmt: skip
        words = [word for name, value in {**right, **wrong}.items() for word in (f"--{name}", value)]
        code, out, err = door("open", *words)
        assert (code, out, len(err.splitlines())) == (2, "", 1), wrong
    assert door("list") == (0, "", "")
    words = [word for name, value in right.items() for word in (f"--{name}", value)]
    assert door("open", *words, "--hold-above", "5000000")[0] == 0
    [shown] = [json.loads(line) for line in door("list")[1].splitlines()]
    assert shown["hold_above"] == 5_000_000
    assert door("open", *words)[0] == 1, "one feed of a provider for an account"


def test_an_account_is_told_of_by_callbacks_and_asked_for_by_a_list(door: Door, school: str, tmp_path: Path) -> None:
    secret, odd = tmp_path / "1", tmp_path / "2"
    secret.write_text("khoa-mot")
    odd.write_text("hai chu")
    words = ("--school", school, "--account", "0123499999", "--provider", "sepay", "--scheme")
    assert door("open", *words, "hmac", "--secret-file", str(secret))[0] == 0
    code, out, err = door("open", *words, "list", "--secret-file", str(secret))
    assert (code, err) == (0, "")
    assert "/callbacks/" not in out, "nobody is told an address"
    shown = [json.loads(line) for line in door("list")[1].splitlines()]
    assert [(each["scheme"], each["hold_above"]) for each in shown] == [("hmac", None), ("list", None)]
    assert door("open", *words, "list", "--secret-file", str(secret))[0] == 1, "one list of a provider for an account"
    assert door("rotate", "--feed", shown[1]["feed"], "--secret-file", str(odd))[0] == 2
    assert door("close", "--feed", shown[1]["feed"])[0] == 0
    bidv = ("--school", school, "--account", "0123499999", "--provider", "bidv", "--scheme", "list")
    assert door("open", *bidv, "--secret-file", str(secret))[0] == 2, "BIDV hands out no list"


def test_a_feed_with_a_bare_key_needs_addresses_or_a_reason_and_only_listed_ones_are_let_in(
    door: Door, wiring: Wiring, school: str, tmp_path: Path
) -> None:
    secret = tmp_path / "1"
    secret.write_text("khoa-mot")
    words = ("--school", school, "--account", "0123499999", "--secret-file", str(secret))
    for provider, scheme in (("sepay", "apikey"), ("casso", "v1"), ("pay2s", "bearer"), ("vietqrvn", "token")):
        code, _, err = door("open", *words, "--provider", provider, "--scheme", scheme)
        assert (code, "--from" in err) == (2, True), provider
    right = (*words, "--provider", "sepay", "--scheme", "apikey")
    for wrong in (
        ("--from", "nowhere"),
        ("--from", "0.0.0.0/0"),
        ("--from", "203.0.113.1/24"),
        ("--from-anywhere", " "),
    ):
        assert door("open", *right, *wrong)[0] == 2, wrong
    code, out, _ = door("open", *right, "--from", "203.0.113.7", "198.51.100.0/24")
    assert code == 0
    [path] = re.findall(r"https://hocphi\.example(/callbacks/\S+)", out)
    [shown] = [json.loads(line) for line in door("list")[1].splitlines()]
    assert shown["from"] == ["203.0.113.7/32", "198.51.100.0/24"]
    assert post(wiring, path, "khoa-mot") == 401, "the test's peer is not on the list"
    assert door("addresses", "--feed", shown["feed"])[0] == 2, "nothing to change"
    assert door("addresses", "--feed", shown["feed"], "--from-anywhere", "đổi nhà mạng")[0] == 0
    assert post(wiring, path, "khoa-mot") == 200
    with wiring.database.transaction(EVERYTHING) as session:
        deeds = session.exec(select(AuditEntry.action, AuditEntry.reason).order_by("id")).all()
    assert list(deeds) == [("feed.open", ""), ("feed.addresses", "đổi nhà mạng")]


def test_cards_have_a_webhook_and_an_api_key(door: Door, wiring: Wiring, school: str, tmp_path: Path) -> None:
    key, public, secret = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    key.write_text("sk_test_51Mo7khoa")
    public.write_text("pk_test_51Mo7khoa")
    secret.write_text("whsec_bi_mat")
    words = ("--school", school, "--account", "0123499999", "--provider", "stripe", "--scheme")
    code, out, err = door("open", *words, "list", "--secret-file", str(public))
    assert (code, out) == (2, "")
    assert "sk_" in err
    assert door("open", *words, "list", "--secret-file", str(key))[0] == 0
    code, out, _ = door("open", *words, "v1", "--secret-file", str(secret))
    [path] = re.findall(r"https://hocphi\.example(/callbacks/\S+)", out)
    assert door("open", *words, "v1", "--secret-file", str(secret))[0] == 1, "one webhook for an account"
    shown = [json.loads(line) for line in door("list")[1].splitlines()]
    assert [each["hold_above"] for each in shown] == [None, None], "both prove amounts"
    body = b'{"id": "evt_1", "object": "event"}'
    signed = {"Stripe-Signature": signature(body, ["whsec_bi_mat"], int(wiring.clock().timestamp()))}
    with TestClient(build_app(wiring)) as client:
        assert client.post(path, content=body, headers=signed).status_code == 200
        assert client.post(path, content=body + b" ", headers=signed).status_code == 400


@pytest.mark.parametrize("key", ["sk_test_51Mo7khoa", "rk_test_51Mo7khoa"])
def test_a_key_of_stripes_test_mode_opens_nothing_where_money_is_real(
    door: Door, wiring: Wiring, school: str, tmp_path: Path, key: str
) -> None:
    test, real = tmp_path / "1", tmp_path / "2"
    test.write_text(key)
    real.write_text("sk_live_51Mo7khoa")
    wiring.settings.__dict__["env"] = "production"
    words = ("--school", school, "--account", "0123499999", "--provider", "stripe", "--scheme", "list", "--secret-file")
    code, out, err = door("open", *words, str(test))
    assert (code, out) == (2, "")
    assert "sk_live_" in err
    assert door("open", *words, str(real))[0] == 0
    feed = json.loads(door("list")[1])["feed"]
    assert door("rotate", "--feed", feed, "--secret-file", str(test))[0] == 2
