"""The page of bank accounts over the web: two people, a password, letters to head and auditor, and a year of feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.ledger.tables import BankAccount
from billing.payments.tables import PaymentRequest
from notifications.tables import StaffMessage
from reconciliation.tables import Feed
from service.access.tables import RoleGrant, User
from service.channels import open_channels
from service.database import EVERYTHING
from service.jobs import accounts, notifying
from service.jobs.finding import waiting
from service.settings import Settings
from service.standins import mailbox as mailbox_program
from service.standins.mailbox import Mailbox
from service.wiring import Wiring
from tests.factories.schools import YEAR_STARTS, make_user
from tests.service.pages.worlds import PASSWORD, World

PATH = "/van-phong/tai-khoan"
KEY = bytes(range(32)).hex()
TYPED = {
    "ngan_hang": "970405",
    "so": "5600 2010 12345",
    "ten": "Trường Tiểu học Hoa Mai",
    "bao_tien": "statement",
    "ly_do": "Công văn 12",
}


def token(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(PATH).text)
    assert found
    return found[1]


def send(client: TestClient, path: str, **fields: str) -> int:
    return client.post(path, data={"csrf": token(client), **fields}).status_code


def change_id(client: TestClient) -> str:
    found = re.search(rf"{PATH}/([0-9a-f-]{{36}})/dung", client.get(PATH).text)
    assert found
    return found[1]


def asked_and_agreed(world: World, maker: TestClient, head: TestClient) -> str:
    """Let the accountant ask for another account and the head agree; return the change's id."""
    assert send(maker, PATH, **TYPED, thay=str(world.billing.account.id)) == 303
    key = change_id(head)
    assert send(head, f"{PATH}/{key}/dong-y", mat_khau=PASSWORD) == 303
    return key


def test_a_screen_left_open_agrees_to_nothing(world: World) -> None:
    maker, head = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    assert send(maker, PATH, **TYPED, thay=str(world.billing.account.id)) == 303
    key = change_id(head)
    assert send(head, f"{PATH}/{key}/dong-y", mat_khau="không phải mật khẩu này") == 401
    assert send(head, f"{PATH}/{key}/dong-y") == 401
    assert "Chờ đồng ý" in head.get(PATH).text
    assert send(maker, f"{PATH}/{key}/dong-y", mat_khau=PASSWORD) == 403, "an accountant agrees to nothing"
    assert send(head, f"{PATH}/{key}/dong-y", mat_khau=PASSWORD) == 303
    assert "chờ có hiệu lực" in head.get(PATH).text


def test_one_person_with_both_roles_cannot_do_it_alone(world: World) -> None:
    both = world.staff("accountant")
    world.change(lambda session: session.add(_grant(world, both, "approver")))
    client = world.signed_in(both)
    assert send(client, PATH, **TYPED, thay=str(world.billing.account.id)) == 303
    assert "mat_khau" not in client.get(PATH).text, "the form to agree is not even shown"
    assert send(client, f"{PATH}/{change_id(client)}/dong-y", mat_khau=PASSWORD) == 403


def test_from_the_asking_to_the_last_day_of_the_old_feed(world: World) -> None:
    """A day of waiting, the new account on new requests, the old QR still paid, and a year later the feed is closed."""
    maker, head = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    asked_and_agreed(world, maker, head)
    wiring, begun = world.wiring, world.clock.now
    world.clock.now = begun + timedelta(hours=23, minutes=59)
    assert waiting(wiring, "billing.open_accounts") is None
    assert accounts.open_accounts(wiring) == 0
    world.clock.now = begun + timedelta(hours=24)
    found = waiting(wiring, "billing.open_accounts")
    assert found is not None
    assert found.rows == 1
    assert accounts.open_accounts(wiring) == 1
    assert accounts.open_accounts(wiring) == 0
    head = world.signed_in(world.staff("approver"))
    text = head.get(PATH).text
    assert "5600 2010 1234 5" in text
    assert "Nhận tiền ở tài khoản cũ đến ngày 07/10/2026" in text

    request = world.collecting.requests[0]
    assert request.reference in world.client().get(world.link()).text
    world.collecting.hear_of(world.collecting.pays(request.reference, 100_000))
    assert world.collecting.states() == ["matched"], "money on the old account is still the school's"

    world.clock.now = begun + timedelta(days=366)
    assert waiting(wiring, "billing.open_accounts") is None, "the last day is not over"
    world.clock.now = begun + timedelta(days=368)
    assert waiting(wiring, "billing.open_accounts") is not None
    assert accounts.open_accounts(wiring) == 1
    with wiring.database.transaction(world.collecting.scope) as session:
        assert session.exec(select(Feed.id).where(col(Feed.closed_at).is_(None))).all() == []
        assert session.get_one(BankAccount, request.bank_account_id).closed_on is not None
        assert session.get_one(PaymentRequest, request.id).bank_account_id == world.billing.account.id
    assert waiting(wiring, "billing.open_accounts") is None


@pytest.fixture
def with_mail(world: World, tmp_path: Path) -> Iterator[tuple[Wiring, Mailbox]]:
    """The world's wiring with a mail server."""
    mailbox, port, letters = mailbox_program.start(tmp_path / "mail")
    settings = Settings.model_construct(
        secret=SecretStr(KEY),
        vault_key=SecretStr(KEY),
        smtp_url=f"smtp://127.0.0.1:{port}",
        mail_sender="Hocphi <thu-phi@hocphi.example>",
    )
    yield replace(world.wiring, settings=settings), mailbox
    letters.stop()


def with_address(world: World) -> User:
    """Make a head whose login is an e-mail address."""
    with world.wiring.database.transaction(EVERYTHING) as session:
        return session.get_one(User, make_user(session, world.billing.school, "approver").user_id)


def test_head_and_auditor_are_written_to_and_the_page_says_who_was_not(
    world: World, with_mail: tuple[Wiring, Mailbox]
) -> None:
    wiring, mailbox = with_mail
    notifying.plan(wiring)
    notifying.send(wiring)
    before = len(mailbox.kept)
    head, auditor = with_address(world), world.staff("auditor")
    maker = world.signed_in(world.staff("accountant"))
    assert send(maker, PATH, **TYPED, thay=str(world.billing.account.id)) == 303
    notifying.plan(wiring)
    notifying.send(wiring)
    letters = mailbox.kept[before:]
    assert [head.login] in [letter.to for letter in letters]
    assert len(letters) == 2, "this one and the school's first head, nobody else"
    assert "có đề nghị về tài khoản nhận tiền" in letters[0].subject
    written = mailbox.letter(letters[0].number)
    body = written.get_body(("plain",)) if written else None
    text = body.get_content() if body else ""
    for told in ("5600 2010 1234 5", world.billing.account.number[-2:], "Công văn 12", PATH):
        assert told in text
    with wiring.database.transaction(world.collecting.scope) as session:
        rows = dict(session.exec(select(StaffMessage.user_id, StaffMessage.state)).all())
    assert rows[head.id] == "accepted"
    assert rows[auditor.id] == "no_address"
    page = maker.get(PATH).text
    assert "đã gửi thư" in page
    assert "không phải địa chỉ thư" in page
    notifying.send(wiring)
    assert len(mailbox.kept) == before + 2, "nobody is written to twice"


def test_a_letter_that_is_not_taken_is_tried_again_and_in_the_end_given_up(
    world: World, with_mail: tuple[Wiring, Mailbox]
) -> None:
    wiring, _ = with_mail
    nowhere = replace(wiring, settings=wiring.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:9"}))
    head = with_address(world)
    maker = world.signed_in(world.staff("accountant"))
    assert send(maker, PATH, **TYPED, thay="") == 303
    notifying.plan(wiring)
    for _ in range(13):
        with open_channels(nowhere) as channels:
            accounts.tell_staff(nowhere, channels)
        world.clock.now += timedelta(hours=7)
    with wiring.database.transaction(world.collecting.scope) as session:
        row = session.exec(select(StaffMessage).where(StaffMessage.user_id == head.id)).one()
    assert (row.state, row.attempts) == ("failed", 12)


def test_the_auditor_stops_a_change_and_cannot_ask(world: World) -> None:
    maker, head = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    auditor = world.signed_in(world.staff("auditor"))
    key = asked_and_agreed(world, maker, head)
    assert auditor.post(PATH, data={"csrf": token(auditor), **TYPED}).status_code == 403
    assert send(auditor, f"{PATH}/{key}/dung", ly_do="Không có văn bản của ngân hàng") == 303
    world.clock.now += timedelta(days=3)
    assert accounts.open_accounts(world.wiring) == 0
    assert "Đã dừng" in world.signed_in(world.staff("auditor")).get(PATH).text


def test_a_number_that_stands_in_another_school_is_refused_without_telling_whose(world: World) -> None:
    other = world.staff("accountant")
    maker = world.signed_in(other)
    number = world.billing.account.number
    answer = maker.post(
        PATH, data={"csrf": token(maker), **TYPED, "ngan_hang": world.billing.account.bank_bin, "so": number}
    )
    assert answer.status_code == 409
    assert "đã có trong hệ thống" in answer.text


def _grant(world: World, user: User, role: str) -> RoleGrant:
    return RoleGrant(user_id=user.id, role=role, school_id=world.billing.id, valid_from=YEAR_STARTS)
