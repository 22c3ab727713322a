"""The words of a contract: its terms as sentences, and all that a guardian agrees to with a code (pure).

What is agreed to is written in one place, shown as it is and kept with its digest. It is Vietnamese in every language
of the page, since that is the contract. The table of withdrawal is reckoned by the very rule that will hold.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.contracts.reckoning import PrepaidLine, kept_of_deposit, month_after, month_of, withdraw
from billing.contracts.terms import DepositTerms, LateTerms, PlanTerms, Terms, WithdrawalTerms
from billing.fees.items import last_day
from billing.money import ZERO, Money, total

PLAN_NAMES = {
    "month": ("Theo tháng", "Monthly"),
    "quarter": ("Theo quý", "By quarter"),
    "half": ("Theo học kỳ", "By half-year"),
    "year": ("Cả năm học", "The whole year"),
}
Pair = tuple[str, str]


def describe(terms: Terms) -> Iterator[Pair]:
    """Yield the terms as sentences, in Vietnamese and English."""
    if terms.deposit is not None:
        yield from _deposit(terms.deposit)
    for way in terms.plans:
        yield _way(way)
    yield from _withdrawal(terms.withdrawal)
    yield _late(terms.late)


def _deposit(deposit: DepositTerms) -> Iterator[Pair]:
    amount = deposit.amount
    yield f"Tiền giữ chỗ: {amount}; khi nhập học trừ vào các khoản phải nộp.", f"Place deposit: {amount}."
    for keep in deposit.keeps:
        yield (
            f"Báo không nhập học trước khai giảng từ {keep.days} ngày: giữ lại {keep.percent} % tiền giữ chỗ.",
            f"Told {keep.days} days before the start or earlier: {keep.percent} % of the deposit is kept.",
        )
    yield "Báo muộn hơn: giữ lại toàn bộ tiền giữ chỗ.", "Told later: all of it is kept."


def _way(way: PlanTerms) -> Pair:
    vi, en = PLAN_NAMES[way.plan]
    off = f", giảm {way.percent} %" if way.percent else ""
    return f"Cách đóng {vi.lower()}: khoản {way.item}{off}.", f"{en}: item {way.item}, {way.percent} % off."


def _withdrawal(withdrawal: WithdrawalTerms) -> Iterator[Pair]:
    less = " trừ tiền giữ chỗ" if withdrawal.less_deposit else ""
    yield (
        f"Rút trước ngày học đầu: trả lại {withdrawal.before_start} % học phí đóng trước{less}.",
        f"Withdrawn before the start: {withdrawal.before_start} % comes back.",
    )
    for step in withdrawal.steps:
        yield (
            f"Rút đến hết tháng học thứ {step.through}: trả lại {step.percent} % của các tháng trọn chưa học.",
            f"Up to school month {step.through}: {step.percent} % of the whole months left comes back.",
        )
    yield "Rút muộn hơn: không trả lại.", "Later: nothing comes back."


def _late(late: LateTerms | None) -> Pair:
    if late is None:
        return "Không có phí chậm nộp.", "No late charge."
    rate = f"{late.percent} % số chưa nộp" if late.percent else f"{late.amount}"
    grace, cap = late.grace, late.cap
    return (
        f"Phí chậm nộp: sau {grace} ngày ân hạn, {rate} mỗi tháng bắt đầu, không tính phí trên phí, tối đa {cap}.",
        f"Late charge after {grace} days, for each started month, never on late charges, at most {cap} a bill.",
    )


@dataclass(frozen=True, slots=True)
class Priced:
    """Months of the contract at one price a month: a term that is paid ahead, or months that are billed one by one."""

    item: str
    first: date
    months: int
    price: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """One child's contract as it is put to its family; ``child`` is masked, ``deposit_due`` is the deposit's last day.

    ``percent``: the discount for paying so early. ``ahead``: whether terms are paid before they begin.
    """

    school: str
    number: str
    child: str
    school_year: str
    plan: str
    starts_on: date
    months: int
    version: str
    title: str
    body: str
    terms: Terms
    priced: tuple[Priced, ...]
    deposit_due: date

    @property
    def way(self) -> PlanTerms:
        """How the family pays."""
        return self.terms.way(self.plan)

    def net(self, priced: Priced) -> Money:
        """Return what a term comes to after the discount; for months billed one by one, what one of them does."""
        gross = priced.price * priced.months if self.way.instead else priced.price
        return gross - gross.percent(self.way.percent)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and perhaps a table; each row begins with its name."""

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """All that stands on the page and is agreed to, in NFC."""

    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """Everything, one sentence or row a line: what is kept as evidence."""
        return "\n".join(line for section in self.sections for line in _lines(section))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Shown:
    """What leaving in one school month (0: before the first day) comes to, if all terms begun were paid."""

    month: int
    last: date
    percent: int
    paid: Money
    used: Money
    back: Money

    @property
    def kept(self) -> Money:
        """What the school keeps of what was not used."""
        return self.paid - self.used - self.back


def contract_words(offer: Offer) -> Words:
    """Return what a guardian agrees to: the contract, prices, deposit, withdrawal with an example, late charge."""
    sections = [_contract(offer), _prices(offer)]
    if offer.terms.deposit is not None:
        sections.append(_deposit_section(offer, offer.terms.deposit))
    sections += [_withdrawal_section(offer), Section("Phí chậm nộp", (_late(offer.terms.late)[0],)), _text(offer)]
    return Words(tuple(_clean(each) for each in sections))


def withdrawals(offer: Offer) -> tuple[Shown, ...]:
    """Return what leaving comes to before the first day and in each school month, for a family that pays ahead."""
    first = month_of(offer.starts_on)
    days = [
        offer.starts_on - timedelta(days=1),
        *(last_day(month_after(first, month)) for month in range(offer.months)),
    ]
    return tuple(_shown(offer, month, day) for month, day in enumerate(days))


def _shown(offer: Offer, month: int, last: date) -> Shown:
    begun = [each for each in offer.priced if each.first <= max(last, offer.priced[0].first)]
    lines = [
        PrepaidLine(number, month_of(each.first), each.months, offer.net(each), offer.net(each))
        for number, each in enumerate(begun)
    ]
    found, percent = withdraw(offer.terms, offer.starts_on, last, lines)
    paid, used = total(line.net for line in lines), total(each.used for each in found)
    return Shown(month, last, percent, paid, used, total(each.back for each in found))


def _contract(offer: Offer) -> Section:
    return Section(
        f"{offer.title} – {offer.number}",
        (
            f"Nhà trường: {offer.school}. Học sinh: {offer.child}. Năm học {offer.school_year}.",
            f"Mẫu hợp đồng {offer.version}.",
            f"Học từ ngày {offer.starts_on:%d/%m/%Y}, {offer.months} tháng.",
            f"Cách đóng: {PLAN_NAMES[offer.plan][0].lower()}.",
        ),
    )


def _prices(offer: Offer) -> Section:
    off = f"{offer.way.percent} %" if offer.way.percent else "không"
    rows = tuple(
        (f"{each.item}, từ {each.first:%m/%Y}", f"{each.months}", f"{each.price}", off, f"{offer.net(each)}")
        for each in offer.priced
    )
    if offer.way.instead:
        whole = total(offer.net(each) for each in offer.priced)
        lines = (f"Đóng trước từng kỳ, mỗi kỳ một lần; cộng các kỳ của hợp đồng: {whole}.",)
        return Section("Học phí", lines, ("Kỳ", "Số tháng", "Giá một tháng", "Giảm", "Phải nộp một kỳ"), rows)
    lines = ("Đóng từng tháng, không đóng trước.",)
    return Section("Học phí", lines, ("Khoản", "Số tháng", "Giá một tháng", "Giảm", "Phải nộp một tháng"), rows)


def _deposit_section(offer: Offer, deposit: DepositTerms) -> Section:
    lines = (
        f"Tiền giữ chỗ {deposit.amount}, nộp đến hết ngày {offer.deposit_due:%d/%m/%Y}.",
        "Khi nhập học, tiền giữ chỗ trừ vào các khoản phải nộp.",
    )
    rows = []
    for keep in deposit.keeps:
        until = offer.starts_on - timedelta(days=keep.days)
        kept = kept_of_deposit(deposit, offer.starts_on, until)
        rows.append((f"đến hết {until:%d/%m/%Y}", f"{kept}", f"{deposit.amount - kept}"))
    rows.append(("muộn hơn" if rows else "bất cứ lúc nào", f"{deposit.amount}", f"{ZERO}"))
    return Section("Tiền giữ chỗ", lines, ("Báo không nhập học", "Trường giữ", "Trả lại"), tuple(rows))


def _withdrawal_section(offer: Offer) -> Section:
    title = "Rút học: trả lại gì"
    if not offer.way.instead:
        return Section(
            title, ("Gia đình đóng từng tháng, không có khoản đóng trước; khi rút, tháng chưa bắt đầu thì không thu.",)
        )
    shown = withdrawals(offer)
    lines = [
        *(vi for vi, _ in _withdrawal(offer.terms.withdrawal)),
        "Tháng đã bắt đầu là tháng đã học. Số dưới đây tính khi đã nộp đủ các kỳ đã bắt đầu, chưa kể miễn giảm khác.",
        "Khi rút thật, nhà trường tính lại và cho gia đình xem trước khi ghi.",
        *_example(shown),
    ]
    head = ("Rút học", "Đã nộp", "Đã học", "Tỷ lệ", "Trả lại", "Trường giữ")
    rows = tuple(
        (_when(each), f"{each.paid}", f"{each.used}", f"{each.percent} %", f"{each.back}", f"{each.kept}")
        for each in shown
    )
    return Section(title, tuple(lines), head, rows)


def _example(shown: Sequence[Shown]) -> Iterator[str]:
    """Yield the first month of school in which something comes back as a sum to follow."""
    each = next((each for each in shown[1:] if each.back), None)
    if each is None:
        return
    yield (
        f"Ví dụ: đã nộp {each.paid}, em học đến hết ngày {each.last:%d/%m/%Y} (tháng học thứ {each.month})."
        f" Đã học {each.used}, chưa học {each.paid - each.used}; trả lại {each.percent} % của phần chưa học"
        f" là {each.back}, trường giữ {each.kept}."
    )


def _when(each: Shown) -> str:
    return f"tháng học thứ {each.month} ({each.last:%m/%Y})" if each.month else f"đến hết {each.last:%d/%m/%Y}"


def _text(offer: Offer) -> Section:
    return Section("Nội dung hợp đồng", tuple(line for line in offer.body.splitlines() if line.strip()))


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    yield from section.lines
    for row in section.rows:
        yield " | ".join(f"{name}: {value}" for name, value in zip(section.head, row, strict=True))


def _clean(section: Section) -> Section:
    return Section(
        _nfc(section.title),
        tuple(map(_nfc, section.lines)),
        tuple(map(_nfc, section.head)),
        tuple(tuple(map(_nfc, row)) for row in section.rows),
    )


def _nfc(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
