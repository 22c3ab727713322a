"""What a family is told when a notice that it has got is taken back, replaced or lowered; plain words, never why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.credits.applying import apply_credit
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.rounds.correcting import Lowering, approve_correction, propose_credit, propose_price, propose_void
from billing.rounds.tables import BillingRound, Correction
from billing.storage import new_id
from billing.vault import Vault
from notifications.tables import NoticePlan
from reconciliation.matching import Direction
from reconciliation.reversing.asking import agree_reversal, ask_reversal
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from service.settings import Settings
from service.standins.zalo import Delivered
from tests.conftest import TestServers
from tests.factories.cards import Carding, carding
from tests.factories.rounds import REFERENCE_KEY
from tests.reconciliation.cards.acts import debit_fails, finish_by_debit
from tests.service.pages.telling import Telling, telling

BILLED = "1.203.950"
REASON = "Ghi nhầm lớp bán trú"


@pytest.fixture
def town(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers, tmp_path: Path
) -> Iterator[Telling]:
    with telling(database, addresses, vault, servers, tmp_path) as told:
        yield told


def bill_of(session: Session, town: Telling) -> BillBalance:
    """Return the first pupil's bill that is not void."""
    found = bill_balances(session, col(Bill.pupil_id) == town.world.billing.pupils[0].id)
    return next(bill for bill in found if not bill.void)


def correct(town: Telling, ask: Callable[[Session, BillBalance], Correction]) -> None:
    """Ask and approve, by two people, a minute later."""
    now = town.world.clock() + timedelta(minutes=1)
    town.world.clock.now = now
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        asked = ask(session, bill_of(session, town))
        approve_correction(session, asked.id, town.world.billing.approver, now, REFERENCE_KEY)


def void(town: Telling, *, replace: bool = False) -> None:
    """Take the bill back, or put a new one in its place."""
    actor, now = town.world.billing.accountant, town.world.clock
    correct(town, lambda session, bill: propose_void(session, actor, bill.bill_id, REASON, now(), replace=replace))


def by_zalo(town: Telling) -> tuple[str, dict[str, str], str]:
    """Return title, rows and text of the last message on the phone."""
    return read(town.zalo.delivered[-1])


def read(got: Delivered) -> tuple[str, dict[str, str], str]:
    """Return title, rows and text of a message."""
    return got.title, {row[0]: row[1] for row in got.rows}, " ".join(got.paragraphs)


def by_mail(town: Telling) -> str:
    """Return subject and words of the last letter."""
    return plain(town.letters()[-1])


def plain(letter: EmailMessage) -> str:
    """Return subject and words of a letter."""
    body = letter.get_body(("plain",))
    assert body is not None
    return f"{letter['Subject']}\n{body.get_content()}"


def bank_takes_back(town: Telling, dong: int) -> None:
    """Let the bank take back the first family's payment: one says so, another agrees."""
    bank, billing = town.world.collecting, town.world.billing
    bank.hear_of(bank.pays("thu hoi lenh chuyen nham", dong, direction=Direction.OUT))
    (out,) = [each.id for each in bank.transfers() if each.direction == "out"]
    (came,) = [each.id for each in bank.transfers() if each.direction == "in" and each.amount.dong == dong]
    now = town.world.clock()
    with bank.database.transaction(EVERYTHING) as session:
        asked = ask_reversal(session, billing.accountant, billing.id, out, came, "Công văn 12", now)
        agree_reversal(session, billing.approver, billing.id, asked.id, now)


def test_what_the_bank_took_back_is_told_and_that_the_bill_is_open_again(town: Telling) -> None:
    bank = town.world.collecting
    dong = bank.rests()[0]
    bank.hear_of(bank.pays(bank.requests[0].reference, dong))
    assert town.tell() > 0
    bank_takes_back(town, dong)
    assert town.tell() > 0
    title, rows, text = by_zalo(town)
    assert title.startswith("Ngân hàng thu hồi tiền")
    assert (rows["Số tiền"], rows["Cần nộp kỳ này"]) == (f"{BILLED} đ", f"{BILLED} đ")
    assert "hết hiệu lực" in text
    letter = by_mail(town)
    assert "ngân hàng đã thu hồi" in letter
    assert "không còn hiệu lực" in letter
    assert f"CẦN NỘP KỲ NÀY: {BILLED}" in letter.replace("\u00a0", " ")
    assert town.tell() == 0


def test_what_the_school_gave_back_to_a_card_is_told_in_kind_words(town: Telling) -> None:
    bank, settings = town.world.collecting, town.world.wiring.settings
    with carding(bank) as cards:
        checkout = cards.pay()
        cards.hear()
        bank.wiring = replace(bank.wiring, settings=settings)
        assert town.tell() > 0
        bank.wiring = replace(bank.wiring, settings=Settings.model_construct(stripe_api_base=cards.standin.url))
        cards.refund(checkout, Money(100_000))
        cards.ask()
    bank.wiring = replace(bank.wiring, settings=settings)
    assert town.tell() > 0
    title, rows, text = by_zalo(town)
    assert title.startswith("Trường hoàn tiền về thẻ")
    assert (rows["Số tiền"], rows["Cần nộp kỳ này"]) == ("100.000 đ", "100.000 đ")
    letter = by_mail(town)
    assert "đã hoàn" in letter
    assert "Biên lai cũ không còn hiệu lực" in letter
    assert not re.search(r"\bnợ\b", text + letter)
    assert town.tell() == 0


def card_fails_later(cards: Carding) -> None:
    """Let the first family finish a card page, and its bank say no afterwards."""
    checkout = cards.checkout()
    finish_by_debit(cards, checkout)
    debit_fails(cards, checkout)
    cards.clock.later(minutes=6)
    cards.ask()


def test_a_card_page_that_came_to_nothing_is_told_unless_the_bill_is_paid_by_then(town: Telling) -> None:
    bank, settings = town.world.collecting, town.world.wiring.settings
    assert town.tell() > 0
    with carding(bank) as cards:
        asking = bank.wiring.settings
        card_fails_later(cards)
        bank.wiring = replace(bank.wiring, settings=settings)
        assert town.tell() > 0
        title, rows, text = by_zalo(town)
        assert title.startswith("Trả thẻ chưa thành")
        assert (rows["Số tiền"], rows["Cần nộp kỳ này"]) == (f"{BILLED} đ", f"{BILLED} đ")
        letter = by_mail(town)
        assert "ngân hàng của gia đình không chuyển tiền" in letter
        assert "Nhà trường chưa nhận được khoản này" in letter
        assert not re.search(r"\bnợ\b|biên lai", text + letter, re.IGNORECASE)
        assert town.tell() == 0
        bank.wiring = replace(bank.wiring, settings=asking)
        card_fails_later(cards)
    bank.wiring = replace(bank.wiring, settings=settings)
    bank.hear_of(bank.pays(bank.requests[0].reference, bank.rests()[0]))
    assert town.tell() > 0
    assert "chưa thành" not in by_zalo(town)[0], "the receipt alone"


def lower(town: Telling, code: str, amount: int) -> None:
    """Give a credit note over one line."""
    actor, now = town.world.billing.accountant, town.world.clock

    def ask(session: Session, bill: BillBalance) -> Correction:
        line = session.exec(
            select(BillLine.id).where(BillLine.bill_id == bill.bill_id, BillLine.item_code == code)
        ).one()
        assert line is not None
        return propose_credit(session, actor, bill.bill_id, [Lowering(line, Money(amount))], REASON, now())

    correct(town, ask)


def pay(town: Telling, amount: int) -> None:
    """Let the bank tell of money for the first pupil's bill."""
    collecting = town.world.collecting
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, amount))


def use_leftover(town: Telling, amount: int) -> None:
    """Bring cash that is set against nothing, and then use it by hand."""
    now = town.world.clock.now = town.world.clock() + timedelta(minutes=1)
    school = town.world.billing.id
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        pupil = bill_of(session, town).pupil_id
        cash = Received(
            school_id=school, pupil_id=pupil, source_kind="cash", source_id=new_id(), amount=Money(amount),
            value_date=now.date(),
        )  # fmt: skip
        record_payment(session, cash, (), now)
        apply_credit(session, town.world.billing.accountant, school, [pupil], REASON, now, freely=True)


def says_nothing_of_why(town: Telling) -> None:
    """No reason of the office stands in anything that a family got."""
    words = [str(got) for got in town.zalo.delivered] + [letter.as_string() for letter in town.letters()]
    assert not [text for text in words if REASON in text]


def test_a_notice_taken_back_is_told_to_both_guardians(town: Telling) -> None:
    town.tell()
    before = len(town.zalo.delivered), len(town.letters())
    void(town)
    assert town.tell() == 1
    assert (len(town.zalo.delivered), len(town.letters())) == (before[0] + 1, before[1] + 1)
    title, rows, text = by_zalo(town)
    assert title == "Thu hồi thông báo thu tháng 10/2025"
    assert (rows["Số tiền đã báo"], rows["Khoản khác cần nộp"]) == (f"{BILLED} đ", "0 đ")
    assert "không nộp theo thông báo này nữa" in text
    letter = by_mail(town)
    assert "đã thu hồi thông báo thu tháng 10/2025" in letter
    assert "KHÔNG NỘP THEO THÔNG BÁO NÀY NỮA" in letter
    assert "số tiền vẫn là của học sinh" in letter
    says_nothing_of_why(town)


def test_a_notice_that_nobody_got_ends_in_silence(town: Telling) -> None:
    void(town)
    assert town.tell() > 0
    assert "Thu hồi" not in str([got.title for got in town.zalo.delivered])
    assert "thu hồi" not in str([str(letter["Subject"]) for letter in town.letters()])
    assert {"nothing_to_pay", "never_told"} <= silences(town)


def test_a_new_notice_in_the_place_of_the_old_one_tells_both_numbers_once(town: Telling) -> None:
    town.tell()
    before = len(town.zalo.delivered)
    void(town, replace=True)
    assert town.tell() == 2  # the end of the old one is told by the new one
    assert len(town.zalo.delivered) == before + 1
    title, rows, text = by_zalo(town)
    assert title == "Thông báo thu mới tháng 10/2025"
    assert rows["Cần nộp kỳ này"] == f"{BILLED} đ"
    assert "thông báo TB2510-000001 đã được thay bằng TB2510-000004" in text
    letter = by_mail(town)
    assert "B2510-000001" in letter
    assert "B2510-000004" in letter
    assert "replaced" in silences(town)
    says_nothing_of_why(town)


def test_a_lowered_notice_tells_the_new_sum(town: Telling) -> None:
    town.tell()
    lower(town, "TIENAN", 64_000)
    assert town.tell() == 1
    title, rows, _ = by_zalo(town)
    assert title == "Giảm thông báo thu tháng 10/2025"
    assert rows["Số tiền trước"] == f"{BILLED} đ"
    assert (rows["Số tiền mới"], rows["Cần nộp kỳ này"]) == ("1.139.950 đ", "1.139.950 đ")
    assert rows["Đã nộp, còn giữ"] == "0 đ"
    assert "Mã QR cũ còn ghi số tiền cũ" in by_mail(town)
    says_nothing_of_why(town)


def test_what_was_paid_and_is_given_back_is_always_told(town: Telling) -> None:
    """The family never got the notice, but it has paid; the money that is theirs is no secret from them."""
    pay(town, 1_203_950)
    lower(town, "TIENAN", 64_000)
    town.tell()
    _, rows, _ = next(got for got in map(read, reversed(town.zalo.delivered)) if got[0].startswith("Giảm"))
    assert (rows["Số tiền mới"], rows["Đã nộp, còn giữ"], rows["Cần nộp kỳ này"]) == ("1.139.950 đ", "64.000 đ", "0 đ")
    letters = [text for letter in town.letters() if "đã giảm thông báo thu" in (text := plain(letter))]
    assert len(letters) == 1
    assert "64.000 đ gia đình đã nộp" in letters[0]
    assert "Hiện không còn khoản nào phải nộp" in letters[0]


@pytest.mark.parametrize(("amount", "left"), [(200_000, "1.003.950 đ"), (1_203_950, "0 đ")])
def test_leftover_money_used_by_hand_is_told_to_who_was_asked_to_pay(town: Telling, amount: int, left: str) -> None:
    town.tell()
    use_leftover(town, amount)
    town.tell()
    used = [got for got in map(read, town.zalo.delivered) if got[0] == "Trừ tiền tồn tháng 10/2025"]
    [(_, rows, _)] = used
    assert rows["Đã trừ tiền tồn"] == str(Money(amount))
    assert rows["Cần nộp kỳ này"] == left
    letters = [text for letter in town.letters() if "tiền tồn của học sinh" in (text := plain(letter))]
    assert len(letters) == 1
    assert ("Mã QR cũ còn ghi số tiền cũ" in letters[0]) == (left != "0 đ")
    assert "nợ" not in letters[0]
    says_nothing_of_why(town)


def test_leftover_money_is_no_news_to_who_was_never_asked(town: Telling) -> None:
    use_leftover(town, 200_000)
    town.tell()
    assert not [got for got in town.zalo.delivered if got.title.startswith("Trừ tiền tồn")]
    assert "never_told" in silences(town)


def test_a_price_lowered_for_the_whole_round_is_told_to_each_family(town: Telling) -> None:
    town.tell()
    before = len(town.zalo.delivered)
    actor, now = town.world.billing.accountant, town.world.clock
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        round_id = session.exec(select(BillingRound.id)).one()
    correct(town, lambda session, _: propose_price(session, actor, round_id, "TIENAN", Money(30_000), REASON, now()))
    assert town.tell() == 3
    assert len(town.zalo.delivered) == before + 3
    assert {got.title for got in town.zalo.delivered[before:]} == {"Giảm thông báo thu tháng 10/2025"}


def test_lowered_and_then_taken_back_before_anybody_was_told_tells_the_end_only(town: Telling) -> None:
    town.tell()
    before = len(town.zalo.delivered)
    lower(town, "TIENAN", 64_000)
    void(town)
    town.tell()
    titles = {got.title for got in town.zalo.delivered[before:]}
    assert titles == {"Thu hồi thông báo thu tháng 10/2025"}
    assert "withdrawn" in silences(town)
    assert "1.139.950 đ" in str(town.zalo.delivered[-1].rows)  # what was last asked for


def silences(town: Telling) -> set[str]:
    """Return why events were told to nobody."""
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        return {str(reason) for reason in session.exec(select(NoticePlan.reason)).all() if reason}
