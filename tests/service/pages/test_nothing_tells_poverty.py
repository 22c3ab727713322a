"""A poor household's child: no plain output tells class, percentage, legal basis, payer or the full price.

The full views, of which the tests make sure first that they do tell, are for staff with the right and for a guardian
with a one-time code. Everything else here is read as a neighbour might read it: over a shoulder, on a slip left lying,
in a forwarded message.
"""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text
from sqlmodel import Session, select

from billing.cards.tables import InsuranceCard
from billing.documents.vietqr import decode
from billing.fees.tables import Reduction
from billing.money import Money
from billing.rounds.tables import BillingRound
from billing.storage import new_id
from billing.vault import Vault
from notifications.reminding import set_days
from notifications.wording.gsm import is_one_sms
from service.access.roles import MATRIX, Actor
from service.database import EVERYTHING, Database
from service.jobs.printing import print_slips
from service.jobs.reminding import remind
from service.preparing import Addresses
from tests.billing.documents.pages import codes, pictures, words
from tests.conftest import TestServers
from tests.factories.collecting import PAID_AT
from tests.factories.rounds import BillingSchool
from tests.factories.schools import Enrolled
from tests.service.jobs.test_changed_notices import bank_takes_back, lower, void
from tests.service.pages.telling import Telling, telling
from tests.service.pages.test_fee_pages import post
from tests.service.pages.test_registration_pages import forms
from tests.service.pages.towns import Town

KEY = bytes(range(32)).hex()
_SPEAK = text("UPDATE guardians SET language = :language")

# How each reduction is told where it may be told. Percentages and payers stand in the sentences of the full view.
Told = tuple[str, str, str, str, int | None, str]  # title, class, legal basis, evidence, percentage, payer
REDUCTIONS: tuple[Told, ...] = (
    ("Hộ nghèo theo Quyết định 17", "hộ nghèo", "Nghị định 238/2025/NĐ-CP Điều 15", "Sổ số 7431", 100, "state"),
    ("Hộ cận nghèo", "cận nghèo", "Nghị quyết 05/2025 của tỉnh", "Giấy xác nhận 8852", 70, "school"),
    ("Quỹ Cây Bàng", "mồ côi", "Thỏa thuận tài trợ 66", "Danh sách quỹ tháng 9", None, "donor"),
)
ITEMS = ("BANTRU", "TIENAN", "NUOCUONG")
TOLD = ("Hộ nghèo", "cận nghèo", "Cây Bàng", "Nghị định 238", "Nghị quyết 05", "70 %", "300.000 đ", "736.000 đ")
# Nothing of this may stand anywhere else: words in any spelling, and the sums from which one could reckon back.
SECRETS = (
    "nghèo", "ngheo", "poor", "mồ côi", "mo coi", "cây bàng", "quyết định 17", "nghị định 238", "nghị quyết 05",
    "thỏa thuận tài trợ", "miễn", "giảm", "exempt", "reduc", "discount", "tài trợ", "donor", "nhà nước", "state pays",
    "the state", "cấp bù", "7431", "8852", "70 %", "70%", "100 %", "100%", "300.000", "736.000", "736000",
    "32.000", "22.400", "515.200", "515200", "reduction", "percent", "legal", "evidence", "payer", "gross",
)  # fmt: skip


# Ids, tokens and moments: a number of a paper stands in one of them now and then, and tells nothing.
_BY_CHANCE = re.compile(r"[A-Za-z0-9_-]{20,}|[0-9]{11,}")


@dataclass
class Household(Telling):
    """The child of a poor household, and where its papers and messages are found."""

    round_id: str

    def read(self, path: str) -> str:
        """Read a page of the family."""
        answer = self.world.client().get(path)
        assert answer.status_code == 200, path
        return answer.text


def reduce(session: Session, billing: BillingSchool, child: Enrolled, item: str, fields: Told) -> None:
    title, reason_class, basis, evidence, percent, payer = fields
    session.add(
        Reduction(
            school_id=billing.id,
            enrolment_id=child.enrolment.id,
            title=title,
            item_codes=[item],
            item_groups=[],
            kind="percent" if percent else "amount",
            percent=percent,
            amount=None if percent else Money(3_000),
            payer=payer,
            reason_class=reason_class,
            legal_basis=basis,
            evidence=evidence,
            valid_from=date(2025, 9, 1),
            made_by=new_id(),
            approved_by=new_id(),
        )
    )


@pytest.fixture
def household(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers, tmp_path: Path
) -> Iterator[Household]:
    """October issued: boarding costs the family nothing, meals 30 %, water 3,000 đ less."""
    with telling(database, addresses, vault, servers, tmp_path, impoverish) as told:
        with database.transaction(EVERYTHING) as session:
            round_id = session.exec(select(BillingRound.id)).one()
        yield Household(told.world, told.zalo, told.mailbox, told.esms, str(round_id))


def impoverish(session: Session, billing: BillingSchool) -> None:
    """Reduce for all of the class, or a neighbour's full price would stand on the next slip."""
    for child in billing.pupils:
        for item, fields in zip(ITEMS, REDUCTIONS, strict=True):
            reduce(session, billing, child, item, fields)
        session.add(
            InsuranceCard(
                school_id=billing.id, pupil_id=child.id, year=2025, source="other", reason="poor", made_by=new_id(),
                made_at=PAID_AT,
            )
        )  # fmt: skip


def tells_nothing(text: str, where: str, but: frozenset[str] = frozenset()) -> None:
    """Fail when a text holds one of the secrets, in whatever letters, but for some words."""
    words_only = _BY_CHANCE.sub(" ", html.unescape(text))
    plain = unicodedata.normalize("NFC", words_only).replace("\u00a0", " ").lower()
    found = [secret for secret in SECRETS if secret in plain and secret not in but]
    around = [plain[max(plain.index(each) - 60, 0) : plain.index(each) + 60] for each in found]
    assert not found, f"{where} tells {found}: {around}"


def of_letter(letter: EmailMessage) -> str:
    """Return headers and every readable part of a letter."""
    parts = [_shown(str(part.get_content())) for part in letter.walk() if part.get_content_maintype() == "text"]
    names = [str(part.get_filename()) for part in letter.iter_attachments()]
    return "\n".join([*map(str, letter.values()), *parts, *names])


def test_the_full_views_do_tell(household: Household) -> None:
    accountant = household.world.signed_in(household.world.staff("accountant"))
    child = household.world.billing.pupils[0]
    page = accountant.get(f"/van-phong/dot-thu/{household.round_id}/hoc-sinh/{child.id}").text
    assert [word for word in TOLD if word not in html.unescape(page)] == []


def test_the_full_view_tells_behind_a_code_and_every_step_before_it_does_not(household: Household) -> None:
    """What a neighbour reads over the shoulder until the code is typed, and in the message with it."""
    town = Town(household.world, household.zalo, household.mailbox, household.esms)
    browser, link = town.visitor(), household.world.link()
    by_mail, by_zalo = town.asks(browser, "email"), town.asks(browser)
    for form in (by_mail, by_zalo):
        tells_nothing(browser.reads(form), "the page for a code")
    tells_nothing(browser.sends(by_zalo, ma="x").text, "the page for a wrong code")
    tells_nothing(of_letter(town.letters()[-1]), "the letter with a code")
    tells_nothing(json.dumps(asdict(town.zalo.delivered[-1]), ensure_ascii=False), "the message with a code")
    browser.sends(by_zalo, by_zalo, ma=town.code())
    full = browser.reads(f"{link}/chi-tiet")
    assert [word for word in TOLD if word not in full] == []
    tells_nothing(browser.reads(link), "the bill's page of somebody who proved a contact")
    chosen = browser.reads(f"{link}/dang-ky")
    assert "Tiền ăn bán trú" in chosen
    tells_nothing(chosen, "the page of choices behind a code")  # what is registered stands there without any price
    account = {"ngan_hang": "970436", "so_tai_khoan": "0071000123456", "ten": "Nguyễn Văn Hòa"}
    mine = f"{link}/nhan-tien"
    shown = browser.sends(mine, mine, **account).text
    assert "0071 0001 2345 6" in shown
    tells_nothing(shown, "the account for refunds, shown back")
    assert browser.sends(mine, mine, **account, dung="co").status_code == 303
    kept = browser.reads(mine)
    assert "…3456" in kept
    tells_nothing(kept, "the account for refunds, kept")
    other = town.visitor()
    by_mail = town.asks(other, "email")
    other.sends(by_mail, by_mail, ma=re.findall(r"[0-9]{6}", str(town.letters()[-1]["Subject"]))[0])
    theirs = other.reads(mine)
    assert "Một người giám hộ khác của em đã nhập tài khoản" in theirs
    assert "…3456" not in theirs
    assert "Nguyễn Văn Hòa" not in theirs
    tells_nothing(theirs, "the account for refunds, of another guardian")
    browser.sends(f"{link}/dong-phien", f"{link}/chi-tiet")
    tells_nothing(browser.reads(f"{link}/chi-tiet?xong=dong"), "the page after closing")
    for form in forms(town):
        tells_nothing(browser.reads(form), "the form behind a slip's small code")


def test_no_page_of_the_family_tells(household: Household) -> None:
    link = household.world.link()
    for language in ("vi", "en"):
        for page in ("", "/chi-tiet"):
            shown = household.read(f"{link}{page}?lang={language}")
            assert "220.800" in shown
            tells_nothing(shown, f"{page or 'the page'} in {language}")
        tells_nothing(household.read(f"{link}/dang-ky?lang={language}"), f"the page of choices in {language}")
        tells_nothing(household.read(f"{link}/nhan-tien?lang={language}"), f"the account for refunds in {language}")
    tells_nothing(household.read(f"{link}/status"), "the status")


def test_no_code_tells(household: Household) -> None:
    answer = household.world.client().get(f"{household.world.link()}/qr.png")
    [payload] = codes(Image.open(io.BytesIO(answer.content)).convert("L"))
    code = decode(payload)
    assert code.amount == Money(220_800 + 7_000 + 157_950)
    tells_nothing(payload, "the code")
    tells_nothing(str(answer.headers), "the picture's headers")


def test_no_slip_tells(household: Household) -> None:
    accountant = household.world.signed_in(household.world.staff("accountant"))
    path = f"/van-phong/dot-thu/{household.round_id}"
    child = household.world.billing.pupils[0]
    pdf = accountant.get(f"{path}/giay-bao/{child.class_group.id}.pdf").content
    printed = " ".join(words(pdf))
    assert "220.800" in printed
    tells_nothing(printed, "the slips")
    tells_nothing(_around_streams(pdf), "the slips' file")
    for page in pictures(pdf, 200):
        for payload in codes(page):
            tells_nothing(payload, "a code on a slip")
    assert post(accountant, f"{path}/giay-bao")[0] == 200
    assert print_slips(household.world.wiring) > 0
    shown = accountant.get(f"{path}/giay-bao").text
    [file] = re.findall(rf"{path}/giay-bao/tep/[0-9a-f-]{{36}}\.zip", shown)
    with zipfile.ZipFile(io.BytesIO(accountant.get(file).content)) as folder:
        tells_nothing(" ".join(folder.namelist()), "the names of the files")
        for name in folder.namelist():
            tells_nothing(" ".join(words(folder.read(name))), name)
    tells_nothing(_main(accountant.get(f"{path}/danh-sach-bao").text), "the list of notices")
    tells_nothing(_main(accountant.get("/van-phong/thong-bao").text), "the list of bills")


def test_no_message_and_no_receipt_tells(household: Household) -> None:
    collecting = household.world.collecting
    request = collecting.requests[0]
    assert household.tell() > 0
    collecting.hear_of(collecting.pays(request.reference, 220_800 + 7_000 + 157_950))
    assert household.tell() > 0
    assert household.letters()
    assert len(household.zalo.delivered) >= 2
    for letter in household.letters():
        tells_nothing(of_letter(letter), f"the letter {letter['Subject']}")
        for part in letter.iter_attachments():
            content = part.get_content()
            tells_nothing(" ".join(words(content)), str(part.get_filename()))
    for delivered in household.zalo.delivered:
        tells_nothing(json.dumps(asdict(delivered), ensure_ascii=False), "a message by Zalo")
    link = household.world.link()
    paid = household.read(link)
    tells_nothing(paid, "the page after payment")
    [number] = set(re.findall(r"/bien-lai/([^.\"]+)\.pdf", paid))
    receipt = household.world.client().get(f"{link}/bien-lai/{number}.pdf")
    printed = " ".join(words(receipt.content))
    assert "385.750" in printed
    tells_nothing(printed, "the receipt")
    tells_nothing(_around_streams(receipt.content), "the receipt's file")
    bank_takes_back(household, 220_800 + 7_000 + 157_950)
    assert household.tell() > 0
    assert "thu hồi" in str(household.letters()[-1]["Subject"])
    tells_nothing(of_letter(household.letters()[-1]), "the letter of what the bank took back")
    last = json.dumps(asdict(household.zalo.delivered[-1]), ensure_ascii=False)
    tells_nothing(last, "the message of what the bank took back")
    tells_nothing(household.read(link), "the page after the bank took it back")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_message_about_a_change_tells(household: Household, language: str) -> None:
    """Lowered, replaced, taken back: what is left over must not show what others would have paid.

    That a notice itself was lowered ("đã giảm thông báo thu") is told to whomever it happens to.
    """
    lowered = frozenset({"giảm"})
    with household.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(_SPEAK, {"language": language})
    assert household.tell() > 0
    lower(household, "TIENAN", 20_800)
    assert household.tell() > 0
    void(household, replace=True)
    assert household.tell() > 0
    void(household)
    assert household.tell() > 0
    assert len({got.template_id for got in household.zalo.delivered}) == 4
    for delivered in household.zalo.delivered:
        tells_nothing(json.dumps(asdict(delivered), ensure_ascii=False), f"a message by Zalo in {language}", lowered)
    assert len(household.letters()) >= 4
    for letter in household.letters():
        tells_nothing(of_letter(letter), f"the letter {letter['Subject']}", lowered)
    link = household.world.link()
    for page in ("", "/chi-tiet", "/status"):
        tells_nothing(household.read(f"{link}{page}?lang={language}"), f"{page or 'the page'} of a void bill")


def test_no_reminder_tells(household: Household) -> None:
    """Three days before the due day in Vietnamese, five after it in English; by Zalo and by letter."""
    world = household.world
    assert household.tell() > 0

    def remind_on(session: Session) -> None:
        set_days(session, world.billing.id, (-3, 5), world.billing.accountant, world.clock())

    world.change(remind_on)
    due = datetime(2025, 10, 20, 2, tzinfo=UTC)
    for language, when in (("vi", due - timedelta(days=3)), ("en", due + timedelta(days=5))):
        with world.collecting.database.transaction(EVERYTHING) as session:
            session.execute(_SPEAK, {"language": language})
        phones, letters = len(household.zalo.delivered), len(household.letters())
        world.clock.now = when
        assert remind(world.wiring) == 1
        assert household.tell() == len(world.billing.pupils)
        assert len(household.zalo.delivered) == phones + len(world.billing.pupils)
        assert household.letters()[letters:], "the second guardian has e-mail only"
        for delivered in household.zalo.delivered[phones:]:
            tells_nothing(json.dumps(asdict(delivered), ensure_ascii=False), f"a reminder by Zalo in {language}")
        for letter in household.letters()[letters:]:
            said = of_letter(letter)
            assert "385.750" in said or "385,750" in said
            tells_nothing(said, f"the reminder {letter['Subject']}")
            assert "nợ" not in said.lower().split(), "to families it is not paid yet"


# The same without their marks, as an SMS is written; "no" is what "nợ" would be, and "giam" a reduction.
PLAIN_SECRETS = ("ngheo", "mo coi", "cay bang", "quyet dinh 17", "nghi dinh 238", "nghi quyet 05", "tai tro", "mien",
                 "giam", "nha nuoc", "cap bu", "lop ", " class", " no ", "%", "ban tru", "tien an")  # fmt: skip


def test_no_sms_tells(household: Household) -> None:
    """Notice, receipt, what the bank took back, lowered, replaced, withdrawn, reminded, and a one-time code."""
    household.pay_for_sms()
    town = Town(household.world, household.zalo, household.mailbox, household.esms)
    town.asks(town.visitor())
    assert household.tell() > 0
    collecting = household.world.collecting
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, 385_750))
    assert household.tell() > 0
    bank_takes_back(household, 385_750)
    assert household.tell() > 0
    lower(household, "TIENAN", 20_800)
    assert household.tell() > 0
    void(household, replace=True)
    assert household.tell() > 0
    void(household)
    assert household.tell() > 0
    said = [sent.text for sent in household.esms.sent]
    for words_of_a_kind in ("ma ", "can nop", "da nhan", "da thu hoi", "nay la", "bao thu moi", "da thu hoi bao thu"):
        assert any(words_of_a_kind in each for each in said), words_of_a_kind
    for each in said:
        assert is_one_sms(each), each
        tells_nothing(each, "an SMS")
        shown = _BY_CHANCE.sub(" ", each).lower()
        assert [secret for secret in PLAIN_SECRETS if secret in shown] == [], each


# Lists for the State by name, which the cashier pays out and the pupil's family signs for.
LISTS_THAT_TELL = ("/van-phong/ngan-sach/",)
# The same for everybody, of no child: the law's kinds of reductions, and the names of the API's fields.
OF_NO_CHILD = ("/cong-khai/", "/api/v1/openapi.json")


@pytest.mark.parametrize("role", ["cashier", "class_teacher", "province", "admin"])
def test_no_page_that_a_role_without_the_right_may_open_tells(household: Household, role: str) -> None:
    """Every route of the matrix, also those that are made after this test was written."""
    world = household.world
    child = world.billing.pupils[0]
    known = {
        "round_id": household.round_id,
        "class_id": str(child.class_group.id),
        "pupil_id": str(child.id),
        "enrolment_id": str(child.enrolment.id),
        "code": "BANTRU",
        "name": "hocphi.js",
    }
    place = {"authority_id": world.billing.school.authority_id} if role in {"province", "admin"} else {}
    client = world.signed_in(world.staff(role, **place))
    may_open = [path for (method, path), actors in MATRIX.items() if method == "GET" and Actor(role) in actors]
    assert "/toi" in may_open
    for path in may_open:
        if path.startswith((*LISTS_THAT_TELL, *OF_NO_CHILD, "/static")):
            continue
        address = re.sub(r"{(\w+)}", lambda found: known.get(found[1], str(new_id())), path)
        answer = client.get(address)
        assert answer.status_code < 500, address
        tells_nothing(_main(_readable(answer.content)), f"{address} for the role {role}")


def test_nothing_about_insurance_tells_why_a_child_has_another_card(household: Household) -> None:
    """Lists, class pages and the sheet say "another card" at most; one pupil's page tells, and keeps who looked."""
    world = household.world
    child = world.billing.pupils[0]
    accountant, auditor = (world.signed_in(world.staff(role)) for role in ("accountant", "auditor"))
    card = f"/van-phong/bhyt/hoc-sinh/{child.id}?nam=2025"
    assert "Hộ nghèo" in html.unescape(_without_choices(accountant.get(card).text))
    assert auditor.get(card).status_code == 403
    pages = ["/van-phong/bhyt?nam=2025", "/van-phong/bhyt/danh-sach?nam=2025"]
    pages.append(f"/van-phong/bhyt/lop/{child.class_group.id}?nam=2025")
    assert "thẻ khác" in auditor.get(pages[-1]).text
    read = [_main(reader.get(page).text) for reader in (accountant, auditor) for page in pages]
    read.append(_readable(accountant.get("/van-phong/tai-len/the-bhyt.xlsx?nam=2025-2026").content))
    for content in read:
        plain = unicodedata.normalize("NFC", html.unescape(content)).lower()
        assert [word for word in ("nghèo", "poor", "quân đội", "military") if word in plain] == []


def _without_choices(page: str) -> str:
    return re.sub(r"<select.*?</select>", "", page, flags=re.DOTALL)


def _readable(content: bytes) -> str:
    """Return the words of a page, a printed document or a workbook."""
    if content.startswith(b"%PDF"):
        return " ".join(words(content))
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return " ".join(parts.read(name).decode("utf-8", "ignore") for name in parts.namelist())
    return content.decode("utf-8", "replace")


def test_no_class_list_of_another_role_tells(household: Household) -> None:
    """A cashier and a class teacher open none of the pages that explain."""
    child = household.world.billing.pupils[0]
    for role in ("cashier", "class_teacher"):
        client = household.world.signed_in(household.world.staff(role))
        for path in (
            f"/van-phong/dot-thu/{household.round_id}/hoc-sinh/{child.id}",
            f"/van-phong/dot-thu/{household.round_id}/hoc-sinh",
            "/van-phong/mien-giam",
            "/van-phong/thong-bao",
        ):
            answer = client.get(path)
            assert answer.status_code in {303, 403, 404}, (role, path)
            tells_nothing(_main(answer.text), f"{path} for a {role}")


def _around_streams(pdf: bytes) -> str:
    """Return what of a PDF is not compressed: names, titles, links. Packed bytes spell a word now and then."""
    return re.sub(rb"stream\r?\n.*?endstream", b"", pdf, flags=re.DOTALL).decode("latin-1")


def _shown(text: str) -> str:
    """Return what a letter shows: without the widths and colours of its tables."""
    return re.sub(r'style="[^"]*"', "", text)


def _main(page: str) -> str:
    """Return what a page says itself: without the office's menu, where every entry has its name."""
    return re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL)
