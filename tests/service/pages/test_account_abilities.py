"""What an account can do, as a family meets it: on the page, on paper and in the letter. One school, one world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from billing.documents.slip_filling import Printing, slip
from billing.documents.slip_pdf import SlipDocument, slip_pdf
from billing.documents.vietqr import decode
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.payments.reference import find
from billing.payments.tables import PaymentRequest, VirtualAccount
from notifications.gathering import notice_facts
from notifications.wording.letters import LetterText, notice_letter
from service.pages.typed import school_day
from tests.billing.documents.pages import codes, pictures, words
from tests.service.pages.worlds import World

LATER = "cập nhật trước 17 giờ ngày làm việc sau"
LATER_EN = "before 17:00 on the next working day"


@dataclass(frozen=True)
class Seen:
    """What one family gets: the page in both languages, the slip, and the letter in both languages."""

    page: str
    page_en: str
    slip: SlipDocument
    paper: bytes
    letter: LetterText
    letter_en: LetterText

    @property
    def printed(self) -> str:
        return words(self.paper)[0]

    @property
    def all_letters(self) -> tuple[str, ...]:
        return self.letter.text, self.letter.html, self.letter_en.text, self.letter_en.html


@contextmanager
def able(world: World, **abilities: object) -> Iterator[None]:
    """Let the school's account have other abilities for a while."""
    usual = {"told_by": "callback", "only_virtual": False, "can_qr": True, "memo_code": None}

    def put(values: Mapping[str, object]) -> None:
        here = col(BankAccount.id) == world.billing.account.id
        world.change(lambda session: session.execute(update(BankAccount).where(here).values(**values)))

    put(usual | abilities)
    try:
        yield
    finally:
        put(usual)


def see(world: World, number: int = 0) -> Seen:
    request, client, link = world.collecting.requests[number], world.client(), world.link(number)
    today = school_day(world.clock())

    def links(_: Session, asked: list[PaymentRequest]) -> dict[UUID, str]:
        return {each.id: "https://hocphi.example/t/x" for each in asked}

    with world.collecting.database.transaction(world.collecting.scope) as session:
        made = slip(session, request.id, Printing("https://hocphi.example", today))
        facts = notice_facts(session, world.billing.id, [request.id], links, today)[request.id]  # type: ignore[arg-type]  # a test's short hand
    return Seen(
        client.get(link).text,
        client.get(link, params={"lang": "en"}).text,
        made,
        slip_pdf(made),
        notice_letter(facts, "Bà Mai"),
        notice_letter(facts, "Bà Mai", "en"),
    )


def in_fours(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def test_by_callback_the_page_waits_by_itself_and_nothing_speaks_of_the_next_day(world: World) -> None:
    seen = see(world)
    assert 'data-again="1"' in seen.page
    assert "Trang này tự đổi" in seen.page
    for text in (seen.page, seen.page_en, seen.printed, *seen.all_letters):
        assert LATER not in text
        assert LATER_EN not in text


def test_by_statement_only_nothing_waits_and_all_say_when_it_will_show(world: World) -> None:
    with able(world, told_by="statement"):
        seen = see(world)
    assert 'data-again="0"' in seen.page
    assert "Trang này tự đổi" not in seen.page
    assert f"Nhà trường {LATER}" in seen.page
    assert LATER_EN in seen.page_en
    assert LATER in " ".join(seen.printed.split())
    for text in (seen.letter.text, seen.letter.html):
        assert f"Nhà trường {LATER}" in text
    for text in (seen.letter_en.text, seen.letter_en.html):
        assert LATER_EN in text


def test_an_account_without_vietqr_is_typed_in_fours_with_the_reference(world: World) -> None:
    request, number = world.collecting.requests[0], world.billing.account.number
    with able(world, told_by="statement", can_qr=False):
        seen = see(world)
        assert world.client().get(world.link() + "/qr.png").status_code == 404
    assert "<svg" not in seen.page
    assert "qr.png" not in seen.page
    assert "không nhận mã QR" in seen.page
    assert "takes no QR code" in seen.page_en
    assert codes(pictures(seen.paper, dots_per_inch=100)[0]) == []
    assert "Tài khoản này không nhận mã QR" in seen.printed
    for text in (seen.page, seen.page_en, seen.printed, *seen.all_letters):
        assert in_fours(number) in text
        assert request.reference in text
    for text in (seen.letter.text, seen.letter.html):
        assert "Xem chi tiết và cách nộp" in text
        assert "và mã QR" not in text


def test_a_provider_s_code_stands_before_the_reference_everywhere(world: World) -> None:
    request = world.collecting.requests[0]
    memo = f"SEVQR {request.reference}"
    with able(world, memo_code="SEVQR"):
        seen = see(world)
    assert decode(seen.slip.qr_payload).memo == memo
    assert find(memo).exact == (request.reference,)
    for text in (seen.page, seen.page_en, seen.printed, *seen.all_letters):
        assert memo in text


def test_where_there_is_no_qr_the_code_stands_there_too(world: World) -> None:
    with able(world, memo_code="SEVQR", can_qr=False):
        seen = see(world)
    memo = f"SEVQR {world.collecting.requests[0].reference}"
    for text in (seen.page, seen.printed, *seen.all_letters):
        assert memo in text


def test_where_only_numbers_tell_a_child_without_one_is_asked_to_wait(world: World) -> None:
    account = world.billing.account
    with able(world, only_virtual=True):
        seen = see(world)
        assert world.client().get(world.link() + "/qr.png").status_code == 404
    assert "chưa cấp tài khoản định danh" in seen.page
    assert "account number yet" in seen.page_en
    assert "chưa cấp tài khoản định danh" in seen.printed
    assert "<svg" not in seen.page
    for text in (seen.page, seen.page_en, seen.printed, *seen.all_letters):
        assert account.number not in text.replace(" ", ""), "money sent there could not be told to be the child's"
    for text in (seen.letter.text, seen.letter.html):
        assert "chưa cấp tài khoản định danh" in text


def test_a_child_s_own_number_is_in_the_code_and_beside_it(world: World) -> None:
    account, child = world.billing.account, world.collecting.children[1]
    given = VirtualAccount(
        school_id=world.billing.id,
        bank_account_id=account.id,
        number="96247ABC01",
        pupil_id=child.id,
        assigned_at=world.clock(),
    )
    world.change(lambda session: session.add(given))
    with able(world, only_virtual=True):
        seen = see(world, 1)
    assert decode(seen.slip.qr_payload).account == "96247ABC01"
    for text in (seen.page, seen.printed):
        assert "9624 7ABC 01" in text
    assert all("96247ABC01" in text for text in seen.all_letters)
    assert "<svg" in seen.page


@pytest.mark.parametrize("abilities", [{"can_qr": False}, {"told_by": "statement"}, {"only_virtual": True}], ids=str)
def test_what_is_asked_for_is_the_same_whatever_the_account_can(world: World, abilities: dict[str, object]) -> None:
    usual = see(world).slip.amount_due
    with able(world, **abilities):
        seen = see(world)
    assert seen.slip.amount_due == usual > Money(0)
    assert str(usual) in seen.page
