"""Tests of the bank's door for every provider, in one world: its own answer, and money on the books of the school."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.tables import InboxMessage, InboxResult
from service.database import EVERYTHING, Database
from service.door import Door
from service.preparing import Addresses
from tests.factories.collecting import Collecting, make_collecting
from tests.factories.serving import serving
from tests.reconciliation.feeds.bank_samples import BIDV, MB, VIETQR, VIETQR_SECRET, message
from tests.reconciliation.feeds.samples import SAMPLES, Sample

LIMIT = Money(100_000)
LATER = datetime(2026, 4, 1, tzinfo=UTC)
UNSIGNED = {("mb", "checksum"): "ftCode", ("bidv", "checksum"): "service_id", ("vietqrvn", "agency"): "referencenumber"}


def open_all(collecting: Collecting) -> list[tuple[Sample, str]]:
    """Open a feed for each sample on the school's account; return it with the secret part of its address."""
    vault, account = collecting.wiring.vault, collecting.account
    with collecting.database.transaction(collecting.scope) as session:
        return [
            (each, open_feed(session, vault, account, each.provider, each.scheme, each.secret, LIMIT, LATER)[1])
            for each in SAMPLES
        ]


def another_dress(sample: Sample) -> bytes:
    """Return a copy of a message that is believed as well and names another id where the id is not signed."""
    field = UNSIGNED.get((sample.provider, sample.scheme))
    return message(json.loads(sample.body), **{field: "FT0"}) if field else sample.body


def log_in_and_send_again(client: httpx.Client, token: str) -> None:
    """Do as VietQR.vn does: ask for a token below our address, send with it; any other path is nothing."""
    login = client.post(f"/callbacks/{token}/api/token_generate", auth=("vietqr", VIETQR_SECRET))
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    sent = client.post(f"/callbacks/{token}/bank/api/transaction-sync", content=message(VIETQR), headers=headers)

    assert (login.status_code, sent.status_code, sent.json()["error"]) == (200, 200, False)
    assert client.post(f"/callbacks/{token}/api/token_generate", auth=("vietqr", "x")).status_code == 400
    assert client.get(f"/callbacks/{token}/api/token_generate").status_code == 405
    assert client.post(f"/callbacks/{token}/other", content=message(VIETQR), headers=headers).status_code == 404


def test_every_provider_is_answered_as_it_expects_and_its_money_posted_once(
    database: Database, addresses: Addresses, vault: Vault
) -> None:
    collecting = make_collecting(database, addresses, vault)
    now = [LATER]
    collecting.wiring = replace(collecting.wiring, clock=lambda: now[0])
    opened = open_all(collecting)
    with serving(Door(collecting.wiring)) as url, httpx.Client(base_url=url) as client:
        for sample, token in opened:
            feed = sample.feed()
            now[0] = feed.signed_at(sample.body, sample.headers) or LATER
            headers = dict(sample.headers)
            copies = [sample.body, another_dress(sample)]
            answers = [client.post(f"/callbacks/{token}", content=each, headers=headers) for each in copies]
            refusal = client.post(f"/callbacks/{token}", content=b"{}")
            expected = feed.accepted(sample.body)

            assert {(each.status_code, each.content) for each in answers} == {(200, expected.body)}
            assert (refusal.status_code, refusal.content) == (feed.refused.status, feed.refused.body)
        now[0] = LATER
        log_in_and_send_again(client, {sample.scheme: token for sample, token in opened}["token"])
    collecting.reconcile()

    with database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(InboxMessage)).all()) == len(SAMPLES) + len(UNSIGNED)
        reasons = {row.reason for row in session.exec(select(InboxResult)).all()}
    # The published samples speak of other accounts; those that name none speak of the feed's own.
    assert reasons == {"", "Thông báo nói về một tài khoản khác với tài khoản của kênh"}
    assert {(each.provider, each.bank_reference, each.state) for each in collecting.transfers()} == {
        ("bidv", BIDV["trans_id"], "waiting"),
        ("mb", MB["ftCode"], "held"),
    }
