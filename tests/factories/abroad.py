"""Money that the bank itself says comes from abroad: a provider that tells the payer's name, and a firm that remits."""

from __future__ import annotations

import json
from uuid import UUID

from sqlmodel import select

from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.payos import CHECKSUM
from reconciliation.tables import Feed, Transfer
from tests.factories.collecting import PAID_AT, Collecting
from tests.reconciliation.feeds import payos_published

WESTERN_UNION = "WESTERN UNION BUSINESS SOLUTIONS"


def pay_from_abroad(collecting: Collecting, memo: str, dong: int, payer: str = WESTERN_UNION) -> UUID:
    """Let payOS tell of money with its payer's name, read it in and settle it; return the transfer."""
    number = f"TF{len(collecting.transfers()):06d}"
    data = {
        **payos_published.DATA,
        "accountNumber": collecting.account.number,
        "amount": dong,
        "description": memo,
        "reference": number,
        "orderCode": 77,
        "paymentLinkId": number,
        "transactionDateTime": "2025-10-06 09:00:00",
        "counterAccountName": payer,
    }
    with collecting.database.transaction(collecting.scope) as session:
        vault, account = collecting.wiring.vault, collecting.account
        feed = session.exec(select(Feed).where(Feed.bank_account_id == account.id, Feed.provider == "payos")).first()
        if feed is None:
            feed, _ = open_feed(session, vault, account, "payos", CHECKSUM, payos_published.KEY, None, PAID_AT)
    collecting.receive(json.dumps({"data": data, "signature": ""}).encode(), feed=feed)
    collecting.reconcile()
    with collecting.database.transaction(collecting.scope) as session:
        return session.exec(select(Transfer.id).where(Transfer.bank_reference == number)).one()
