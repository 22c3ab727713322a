"""The texts of SMS: each kind is one SMS with whole sums, days and link, whatever the names; and tells nothing else."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.events.going_back import BY_BANK, BY_CARD_DISPUTE, BY_CARD_FAILED, BY_CARD_REFUND, BY_CARD_UNBOOKED
from billing.money import ZERO, Money
from notifications.errors import UnfitText
from notifications.rules import NOTICES, Kind
from notifications.wording.codes import CodeFacts, Purpose
from notifications.wording.facts import Facts, InviteFacts, Line, NoticeFacts, SchoolInWords, StillAsked
from notifications.wording.gsm import ALPHABET, is_one_sms, plain
from notifications.wording.plain import Language
from notifications.wording.sms import CODE_TEXTS, TEXTS, code_sms, registered, sms_text
from tests.notifications.examples import a_notice, a_receipt, gone_back

ALL: list[tuple[Kind, Language]] = [(kind, language) for kind in Kind for language in ("vi", "en")]
PURPOSES: tuple[Purpose, ...] = ("explain", "register", "agree")
# A long address of a real kind: "hocphi." and a province's own name.
LINK = "https://hocphi.sogiaoduc-baria-vungtau.edu.vn/t/qW3rT5yU7iO9pA1sD2fG-_"
MOST = Money(499_999_999)  # one QR asks for less than 500,000,000 đ


def of_kind(  # noqa: PLR0913  what varies
    kind: Kind,
    *,
    school: str = "Trường Tiểu học Đồng Tâm",
    pupil: str = "Nguyễn Thị Minh Anh",
    period: str = "Tháng 9/2025",
    item: str = "",
    amount: Money = MOST,
    link: str = LINK,
    by: str = BY_BANK,
) -> Facts:
    """Return facts for a kind, everything as long as told."""
    told = SchoolInWords(school, "02713 880 112")
    day = date(2025, 12, 31)
    if kind in NOTICES:
        lines = (Line("Tiền ăn bán trú", amount),)
        return a_notice(
            school=told, pupil=pupil, period=period, link=link, lines=lines, due=amount, leftover=ZERO, deadline=day
        )
    if kind is Kind.PAYMENT_RECEIVED:
        lines = (Line("Tiền ăn bán trú", amount),)
        return a_receipt(school=told, pupil=pupil, link=link, amount=amount, remaining=amount, lines=lines, paid_on=day)
    if kind is Kind.CONTRACT_OFFERED:
        return InviteFacts(told, pupil, day, link.replace("/t/", "/hd/"), number="HD-2025-0001234")
    if kind is Kind.CHOICE_OFFERED:
        return InviteFacts(told, pupil, day, link, item=item or "Câu lạc bộ tiếng Anh")
    return gone_back(
        by, school=told, pupil=pupil, period=period, link=link, was=amount, now=amount, used=amount,
        asked=StillAsked(amount, day, amount), number="TB-2025-0001234",
    )  # fmt: skip


def test_the_words_of_a_notice() -> None:
    assert sms_text(Kind.BILL_ISSUED, a_notice(link=LINK)) == (
        f"TH Dong Tam: N. T. M. Anh can nop 603.000d (thang 9/2025), han 15/09/2025. Xem: {LINK}"
    )


def test_the_words_of_a_receipt() -> None:
    assert sms_text(Kind.PAYMENT_RECEIVED, a_receipt(link=LINK)) == (
        f"TH Dong Tam da nhan 500.000d cua N. T. M. Anh 07/09/2025. Con chua nop 103.000d. {LINK}"
    )


def test_the_words_of_a_receipt_after_which_nothing_is_left() -> None:
    assert sms_text(Kind.PAYMENT_RECEIVED, a_receipt(link=LINK, remaining=ZERO)) == (
        f"TH Dong Tam da nhan 500.000d cua N. T. M. Anh 07/09/2025. Da nop du. {LINK}"
    )


def test_the_words_of_a_card_page_that_came_to_nothing() -> None:
    assert sms_text(Kind.CARD_UNPAID, gone_back(BY_CARD_FAILED, link=LINK)) == (
        f"TH Dong Tam: tra the chua thanh 150.000d cua N. T. M. Anh. Nay can nop 150.000d. {LINK}"
    )


def test_the_words_of_a_code() -> None:
    facts = CodeFacts(SchoolInWords("Trường Tiểu học Đồng Tâm", ""), "012345", "explain", 10)
    assert code_sms(facts) == (
        "TH Dong Tam: ma 012345 de xem cach tinh thong bao thu, trong 10 phut. Khong doc ma nay cho bat ky ai."
    )


@pytest.mark.parametrize(("kind", "language"), ALL)
@pytest.mark.parametrize("by", [BY_BANK, BY_CARD_REFUND, BY_CARD_DISPUTE, BY_CARD_FAILED, BY_CARD_UNBOOKED])
def test_the_longest_names_and_sums_fit_and_what_counts_is_whole(kind: Kind, language: Language, by: str) -> None:
    if by != BY_BANK and kind not in {Kind.PAYMENT_TAKEN_BACK, Kind.CARD_UNPAID}:
        return
    facts = of_kind(
        kind,
        by=by,
        school="Trường Phổ thông dân tộc nội trú Trung học cơ sở và Trung học phổ thông Nguyễn Thị Minh Khai",
        pupil="Công Tằng Tôn Nữ Hoàng Nguyễn Phương Nghiêng Nghiêng",
        period="Học kỳ II và các khoản thu bổ sung của tháng 12/2025",
        item="Câu lạc bộ tiếng Anh với giáo viên nước ngoài, ngoài giờ",
    )
    text = sms_text(kind, facts, language)
    assert is_one_sms(text), (len(text), text)
    assert text.endswith(facts.link)
    assert "Nghieng" in text
    if "{amount}" in TEXTS[kind, language]:
        assert "499.999.999d" in text
    if "{day}" in TEXTS[kind, language]:
        assert "31/12/2025" in text
    if "{number}" in TEXTS[kind, language]:
        assert "-2025-0001234" in text


names = st.text(min_size=1, max_size=60)


@given(st.sampled_from(ALL), names, names, names, names, st.integers(1, MOST.dong).map(Money))
def test_every_text_is_one_sms_or_is_refused(  # noqa: PLR0913, PLR0917  what varies
    which: tuple[Kind, Language], school: str, pupil: str, period: str, item: str, amount: Money
) -> None:
    kind, language = which
    assume(item.strip())
    facts = of_kind(kind, school=school, pupil=pupil, period=period, item=item, amount=amount)
    try:
        text = sms_text(kind, facts, language)
    except UnfitText:
        unwritable = [name for name in (school, period, item) if not plain(name)]
        assert unwritable, "only a name without any plain letter is refused"
        return
    assert is_one_sms(text)
    assert facts.link in text


@given(st.sampled_from(PURPOSES), st.sampled_from(["vi", "en"]), names, st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_every_code_is_one_sms(purpose: Purpose, language: Language, school: str, code: str) -> None:
    assume(plain(school))
    assume(code.isascii())
    text = code_sms(CodeFacts(SchoolInWords(school, ""), code, purpose, 10), language)
    assert is_one_sms(text)
    assert code in text
    assert "http" not in text


def test_a_name_without_a_plain_letter_is_a_pupil() -> None:
    assert "hoc sinh" in sms_text(Kind.BILL_ISSUED, of_kind(Kind.BILL_ISSUED, pupil="王"))


def test_sums_and_links_are_never_cut() -> None:
    with pytest.raises(UnfitText):
        sms_text(Kind.BILL_ISSUED, of_kind(Kind.BILL_ISSUED, link=f"https://truong.example/{'x' * 120}"))
    with pytest.raises(UnfitText):
        sms_text(Kind.BILL_ISSUED, of_kind(Kind.BILL_ISSUED, link="https://truong.example/t/ạ"))
    with pytest.raises(UnfitText):
        sms_text(Kind.PAYMENT_RECEIVED, of_kind(Kind.PAYMENT_RECEIVED, amount=Money(10**30)))
    with pytest.raises(UnfitText):
        code_sms(CodeFacts(SchoolInWords("Trường", ""), "12a456", "explain", 10))


def test_the_registered_texts_are_plain_and_say_nothing_of_debt_reductions_or_class() -> None:
    assert len(registered()) == len({*TEXTS.values(), *CODE_TEXTS.values()}) == 2 * len(Kind) + 2
    for text in registered():
        words = text.lower().replace(",", " ").replace(".", " ").split()
        assert set(text) <= ALPHABET | {"{", "}"}
        assert not {"no", "giam", "mien", "lop", "%", "ngheo", "debt", "owe", "reduction", "class"} & set(words), text


def test_items_reductions_and_class_of_a_notice_are_in_no_text() -> None:
    facts = of_kind(Kind.BILL_ISSUED)
    assert isinstance(facts, NoticeFacts)
    for kind in NOTICES:
        assert "ban tru" not in sms_text(kind, facts)
        assert facts.school_class not in sms_text(kind, facts).split()
