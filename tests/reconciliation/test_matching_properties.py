"""Properties of the matcher: no đồng is lost, none lands where nothing exact points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from billing.money import ZERO, Money, total
from billing.payments.reference import ALPHABET, find
from reconciliation.deciding import decide
from reconciliation.feeds.memo_damage import ROUTES, Sent, damage
from reconciliation.matching import POSTING, Decision, IncomingTransfer, OpenRequest, Outcome, RequestStatus
from reconciliation.memory_book import MemoryBook
from tests.reconciliation.matching_builders import ACCOUNT, OTHER_ACCOUNT, entry, paying, reference

dues = st.integers(0, 6).map(lambda count: count * 50_000)
amounts = st.integers(1, 20).map(lambda count: count * 50_000)
accounts = st.sampled_from([ACCOUNT, ACCOUNT, OTHER_ACCOUNT])
virtual_accounts = st.sampled_from([None, None, "V1", "V2"])
# Words that cannot spell a prefix: whatever their order, they add no reference.
noise = st.text("aeghiklmnoptuxy0123456789 .-/_", max_size=12)


@st.composite
def entries(draw: st.DrawFn) -> list[OpenRequest]:
    return [
        entry(
            draw(st.integers(1, 5)),
            draw(dues),
            pupil=draw(st.sampled_from(["An", "Bình", "Châu"])),
            status=draw(st.sampled_from(["open", "open", "paid", "void"])),
            account=draw(accounts),
            virtual_account=draw(virtual_accounts),
            key=str(position),
        )
        for position in range(draw(st.integers(0, 6)))
    ]


@st.composite
def transfers(draw: st.DrawFn) -> IncomingTransfer:
    named = draw(st.lists(st.integers(1, 6), max_size=3))
    words = [*(reference(number) for number in named), *draw(st.lists(noise, max_size=3))]
    memo = draw(st.sampled_from([" ", "", "-"])).join(draw(st.permutations(words)))
    return paying(memo, draw(amounts), account=draw(accounts), virtual_account=draw(virtual_accounts))


def essence(made: Decision) -> tuple[Outcome, tuple[tuple[str | None, Money], ...], Money]:
    return made.outcome, tuple((share.key, share.amount) for share in made.bills), made.credit


@given(transfers(), entries())
def test_a_posting_adds_up_to_the_transfer_and_anything_else_moves_nothing(
    transfer: IncomingTransfer, listed: list[OpenRequest]
) -> None:
    made = decide(transfer, MemoryBook(listed))

    moved = total(share.amount for share in made.bills) + made.credit
    assert moved == (transfer.amount if made.outcome in POSTING else ZERO)
    assert (made.credit > ZERO) == (made.credit_to is not None)


@given(transfers(), entries())
def test_money_lands_only_where_an_exact_reference_or_a_virtual_account_points(
    transfer: IncomingTransfer, listed: list[OpenRequest]
) -> None:
    made = decide(transfer, MemoryBook(listed))

    exact = find(transfer.memo).exact
    virtual = transfer.virtual_account
    named = [e for e in listed if e.reference in exact or (virtual and e.virtual_account == virtual)]
    if made.credit:
        assert made.credit_to in {e.pupil for e in named}
    for share in made.bills:
        if not share.amount:
            continue
        paid = listed[int(share.key or -1)]
        assert paid.account == transfer.account
        assert paid.status is RequestStatus.OPEN
        assert ZERO < share.amount <= paid.due
        if made.evidence[0] == "closed_request_same_amount_open":
            assert paid.pupil in {e.pupil for e in named}
        else:
            assert paid in named


@given(transfers(), entries(), st.integers(7, 40), dues)
def test_a_stranger_in_the_book_changes_no_posting(
    transfer: IncomingTransfer, listed: list[OpenRequest], stranger: int, due: int
) -> None:
    before = decide(transfer, MemoryBook(listed))
    after = decide(transfer, MemoryBook([entry(stranger, due, pupil="Dũng", key="x"), *listed]))

    if before.outcome in POSTING:
        assert essence(after) == essence(before)


@given(st.lists(noise, max_size=5), st.randoms(use_true_random=False), amounts)
def test_the_order_of_the_noise_does_not_matter(words: list[str], random: Random, amount: int) -> None:
    book = MemoryBook([entry(1, 100_000), entry(2, 250_000)])
    memo = [reference(1), *words]
    before = decide(paying(" ".join(memo), amount), book)
    random.shuffle(memo)

    assert essence(decide(paying(" ".join(memo), amount), book)) == essence(before)


@given(st.integers(1, 500), st.integers(0, 10), st.sampled_from(["wrong", "lost", "extra", "swapped"]), st.data())
def test_a_corrected_reference_never_moves_money(number: int, at: int, kind: str, data: st.DataObject) -> None:
    code = reference(number)
    letter = data.draw(st.sampled_from(ALPHABET + "FW"))
    edited = {
        "wrong": code[:at] + letter + code[at + 1 :],
        "lost": code[:at] + code[at + 1 :],
        "extra": code[:at] + letter + code[at:],
        "swapped": code[:at] + code[at + 1 : at + 2] + code[at] + code[at + 2 :],
    }[kind]
    assume(code not in edited)
    made = decide(paying(f"hoc phi {edited}"), MemoryBook([entry(number)]))

    assert made.outcome == "suggested"
    assert [(share.reference, share.amount) for share in made.bills] == [(code, ZERO)]


@given(
    st.sampled_from(sorted(ROUTES)),
    st.integers(1, 500),
    st.sampled_from([str.upper, str.lower]),
    st.randoms(use_true_random=False),
)
def test_a_memo_that_starts_with_the_reference_survives_every_bank(
    route: str, number: int, case: Callable[[str], str], random: Random
) -> None:
    code = reference(number)
    sent = Sent(
        memo=case(code) + " học phí tháng 9 em Đặng Thị Ngọc Ánh",
        payer_name="Đặng Văn Khoa",
        payer_account="0161000879000",
        to_name="Trường Tiểu học An Bình",
        to_account=ACCOUNT,
        at=datetime(2025, 9, 8, 18, 30, tzinfo=UTC),
    )
    made = decide(paying(damage(sent, route, random)), MemoryBook([entry(number), entry(number + 1)]))

    assert made.outcome == "matched"
    assert made.bills[0].reference == code
