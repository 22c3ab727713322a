"""Tests of billing.documents.vietqr: published payloads, every rule both ways, round trips, damage."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.documents import tlv
from billing.documents.errors import PayloadRefused
from billing.documents.vietqr import Initiation, Service, VietQr, as_dict, decode, encode, from_dict
from billing.money import Money

VECTORS: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("vietqr_vectors.jsonl").read_text(encoding="utf-8").splitlines()
]
VALID = [vector for vector in VECTORS if vector["verdict"] == "valid"]
REFUSED = [vector for vector in VECTORS if vector["verdict"] == "refused"]

PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
HEAD = "000201010212"
NAPAS = "0010A000000727"
PARTY = "0127" + "0006970403" + "01130011012345678"
TRANSFER = "0208QRIBFTTA"
ACCOUNT = "3857" + NAPAS + PARTY + TRANSFER
TAIL = "53037045802VN"


def sealed(body: str) -> str:
    """The payload of a body with the right check sum, whatever the body holds."""
    return f"{body}6304{tlv.crc(body + '6304')}"


def obj(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def account(bank: str = "970403", number: str = "0011012345678", tail: str = TRANSFER) -> str:
    return obj("38", NAPAS + obj("01", obj("00", bank) + obj("01", number)) + tail)


def reason_of(payload: str) -> str:
    with pytest.raises(PayloadRefused) as refused:
        decode(payload)
    assert refused.value.message
    assert "\n" not in refused.value.message
    return refused.value.reason


names = st.sampled_from(["merchant_name", "bill_number", "store_label", "terminal_label", "reference_label", "tag_80"])
codes = st.builds(
    VietQr,
    bin=st.text(string.digits, min_size=6, max_size=6),
    account=st.text(string.digits + string.ascii_letters, min_size=4, max_size=19),
    amount=st.none() | st.integers(1, 10**13 - 1).map(Money),
    memo=st.none() | st.text(PRINTABLE, min_size=1, max_size=25),
    service=st.sampled_from(Service),
    initiation=st.sampled_from(Initiation),
    others=st.dictionaries(names, st.text(PRINTABLE, min_size=1, max_size=12), max_size=3),
)


def test_the_published_check_value() -> None:
    assert tlv.crc("123456789") == "29B1"


@pytest.mark.parametrize("vector", VALID, ids=lambda vector: vector["payload"][-4:])
def test_published_payloads_are_read_and_written_again(vector: dict[str, Any]) -> None:
    qr = decode(vector["payload"])
    assert as_dict(qr) == vector["fields"]
    assert encode(qr) == vector["payload"]
    assert from_dict(vector["fields"]) == qr


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["payload"][-4:])
def test_published_mistakes_and_other_schemes_are_refused(vector: dict[str, Any]) -> None:
    assert reason_of(vector["payload"]) == vector["reason"]


def test_the_vectors_are_all_there() -> None:
    assert (len(VALID), len(REFUSED)) == (24, 18)


@given(codes)
def test_what_is_written_is_read_again(qr: VietQr) -> None:
    # Sub-fields of tag 62 share 99 characters.
    inside = {name: value for name, value in qr.others.items() if name not in {"merchant_name", "tag_80"}}
    used = sum(4 + len(value) for value in (*inside.values(), qr.memo or ""))
    assume(used <= 99)
    payload = encode(qr)
    assert decode(payload) == qr
    assert from_dict(json.loads(json.dumps(as_dict(qr)))) == qr
    assert payload.isascii()


@given(codes.filter(lambda qr: not qr.others), st.data())
def test_any_changed_character_is_refused(qr: VietQr, data: st.DataObject) -> None:
    payload = encode(qr)
    place = data.draw(st.integers(0, len(payload) - 1))
    letter = data.draw(st.characters())
    changed = payload[:place] + letter + payload[place + 1 :]
    assume(changed.upper() != payload.upper() or place < len(payload) - 4)
    assume(changed != payload)
    assert reason_of(changed)


@given(codes.filter(lambda qr: not qr.others), st.data())
def test_lost_and_added_characters_are_refused(qr: VietQr, data: st.DataObject) -> None:
    payload = encode(qr)
    place = data.draw(st.integers(0, len(payload) - 1))
    # Even with a check sum made anew a character too few or too many breaks the lengths somewhere …
    assert reason_of(payload[:place] + payload[place + 1 :])
    # … and cut off anywhere it is refused too.
    assert reason_of(payload[:place])


@given(st.permutations([ACCOUNT, "5303704", "54061800005802VN"[:10], "5802VN", obj("62", obj("08", "hoc phi"))]))
def test_tags_in_the_middle_stand_in_any_order(middle: list[str]) -> None:
    assert decode(sealed("000201" + "".join([*middle, "010212"]))) == VietQr(
        bin="970403", account="0011012345678", amount=Money(180000), memo="hoc phi"
    )


def test_sub_tags_stand_in_any_order() -> None:
    shuffled = obj("38", TRANSFER + obj("01", obj("01", "V3Casl") + obj("00", "970418")) + NAPAS)
    qr = decode(sealed(HEAD + shuffled + TAIL))
    assert (qr.bin, qr.account) == ("970418", "V3Casl")


def test_a_check_sum_in_lower_case_is_read() -> None:
    payload = sealed(HEAD + ACCOUNT + TAIL)
    assert payload[-4:] != payload[-4:].lower()
    assert decode(payload[:-4] + payload[-4:].lower()) == decode(payload)


def test_an_amount_may_end_in_a_point() -> None:
    assert decode(sealed(HEAD + ACCOUNT + TAIL + obj("54", "50000."))).amount == Money(50000)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "structure"),
        ("000201", "scheme"),
        (HEAD + TAIL, "scheme"),
        (HEAD + obj("38", obj("00", "A000000775") + PARTY + TRANSFER) + TAIL, "scheme"),
        (HEAD + account(tail="0206QRPUSH") + TAIL, "scheme"),
        (HEAD + account(tail="0206QRCASH") + TAIL, "scheme"),
        (HEAD + account(tail="0208QRIBFTTX") + TAIL, "service"),
        (HEAD + account(tail="") + TAIL, "missing"),
        (HEAD + account(tail="") + TAIL + TRANSFER, "missing"),
        (HEAD + account(tail=TRANSFER + "0301X") + TAIL, "unknown"),
        # The service code inside the party: a right check sum on a wrong structure.
        (HEAD + obj("38", NAPAS + obj("01", PARTY[4:] + TRANSFER)) + TAIL, "unknown"),
        (HEAD + obj("38", NAPAS + obj("01", obj("00", "970403")) + TRANSFER) + TAIL, "missing"),
        (HEAD + obj("38", NAPAS + TRANSFER) + TAIL, "missing"),
        (HEAD + account(bank="97") + TAIL, "bin"),
        (HEAD + account(bank="97040A") + TAIL, "bin"),
        (HEAD + account(number="1" * 20) + TAIL, "account"),
        (HEAD + account(number="123") + TAIL, "account"),
        (HEAD + account(number="0011 01234") + TAIL, "account"),
        (HEAD + account(number="0011-01234") + TAIL, "account"),
        (obj("00", "02") + "010212" + ACCOUNT + TAIL, "format"),
        ("000201" + ACCOUNT + TAIL, "missing"),
        ("000201010213" + ACCOUNT + TAIL, "initiation"),
        ("010212000201" + ACCOUNT + TAIL, "structure"),
        (HEAD + ACCOUNT + "5802VN", "missing"),
        (HEAD + ACCOUNT + "53038405802VN", "currency"),
        (HEAD + ACCOUNT + "5303704", "missing"),
        (HEAD + ACCOUNT + "53037045802US", "country"),
        (HEAD + ACCOUNT + TAIL + "5802VN", "duplicate"),
        (HEAD + ACCOUNT + ACCOUNT + TAIL, "duplicate"),
        (HEAD + ACCOUNT + TAIL + obj("62", obj("08", "a") + obj("08", "b")), "duplicate"),
        (HEAD + ACCOUNT + TAIL + "5400", "structure"),
        (HEAD + ACCOUNT + TAIL + "54AA1", "structure"),
        (HEAD + ACCOUNT + TAIL + "62991", "structure"),
        (HEAD + ACCOUNT + TAIL + obj("62", "0899x"), "structure"),
        (HEAD + ACCOUNT + TAIL + obj("62", obj("00", "x")), "unknown"),
        (HEAD + ACCOUNT + TAIL + "630401AB", "duplicate"),
        (HEAD + ACCOUNT + "6304ABCD" + TAIL, "duplicate"),
        *[
            (HEAD + ACCOUNT + TAIL + obj("54", amount), "amount")
            for amount in ("0", "000", "0.", "-5", "+5", "50 000", "50,000", "5.5", "5.0", "1..", ".", "1e5", "9" * 14)
        ],
        (HEAD + ACCOUNT + TAIL + obj("62", obj("08", "x" * 26)), "memo"),
        (HEAD + ACCOUNT + TAIL + obj("62", obj("01", "x" * 26)), "bill_number"),
        (HEAD + ACCOUNT + TAIL + obj("62", obj("09", "AA")), "consumer_data"),
        (HEAD + ACCOUNT + TAIL + obj("62", obj("09", "AMEA")), "consumer_data"),
        (HEAD + ACCOUNT + TAIL + obj("52", "123"), "mcc"),
        (HEAD + ACCOUNT + TAIL + obj("55", "04"), "tip"),
        (HEAD + ACCOUNT + TAIL + obj("55", "02"), "tip"),
        (HEAD + ACCOUNT + TAIL + obj("56", "500"), "tip"),
        (HEAD + ACCOUNT + TAIL + obj("55", "02") + obj("56", "0"), "fee"),
        (HEAD + ACCOUNT + TAIL + obj("55", "03"), "tip"),
        (HEAD + ACCOUNT + TAIL + obj("55", "03") + obj("57", "00.00"), "fee_percent"),
        (HEAD + ACCOUNT + TAIL + obj("55", "03") + obj("57", "100"), "fee_percent"),
        (HEAD + ACCOUNT + TAIL + obj("55", "03") + obj("57", "5%"), "fee_percent"),
        (HEAD + ACCOUNT + TAIL + obj("59", "x" * 26), "merchant_name"),
        (HEAD + ACCOUNT + TAIL + obj("60", "x" * 16), "city"),
        (HEAD + ACCOUNT + TAIL + obj("61", "x" * 11), "postal_code"),
        (HEAD + ACCOUNT + TAIL + obj("64", obj("00", "en")), "missing"),
        (HEAD + ACCOUNT + TAIL + obj("64", obj("00", "eng") + obj("01", "x")), "language"),
        (HEAD + ACCOUNT + TAIL + obj("59", "Trường"), "characters"),
        (HEAD + ACCOUNT + TAIL + obj("59", "a\x00b"), "characters"),
        (HEAD + ACCOUNT + TAIL + obj("59", "a\nb"), "characters"),
    ],
)
def test_broken_structure_is_refused_though_the_check_sum_is_right(body: str, reason: str) -> None:
    assert reason_of(sealed(body)) == reason


@pytest.mark.parametrize(
    "payload", ["", "6304", "hello", "0" * 8, "\ud800", "６３０４ＡＢＣＤ", "x" * 1_000_000, "000201" * 200_000]
)
def test_what_is_no_payload_is_refused(payload: str) -> None:
    assert reason_of(payload) in {"crc", "characters"}


def test_every_further_field_is_kept_by_name() -> None:
    body = (
        HEAD
        + obj("26", "other wallet")
        + ACCOUNT
        + obj("52", "5942")
        + "5303704"
        + obj("54", "1000")
        + obj("55", "03")
        + obj("57", "05.5")
        + "5802VN"
        + obj("59", "TRUONG TIEU HOC HOA SEN")
        + obj("60", "DONG NAI")
        + obj("61", "76000")
        + obj("62", obj("01", "B1") + obj("02", "***") + obj("06", "HS001") + obj("09", "ME") + obj("50", "0003abc"))
        + obj("64", obj("00", "en") + obj("01", "Hoa Sen") + obj("02", "Dong Nai"))
        + obj("80", "0003xyz")
    )
    payload = sealed(body)
    qr = decode(payload)
    assert qr.others == {
        "tag_26": "other wallet",
        "mcc": "5942",
        "tip": "03",
        "fee_percent": "05.5",
        "merchant_name": "TRUONG TIEU HOC HOA SEN",
        "city": "DONG NAI",
        "postal_code": "76000",
        "bill_number": "B1",
        "mobile_number": "***",
        "customer_label": "HS001",
        "consumer_data": "ME",
        "tag_62_50": "0003abc",
        "language": "en",
        "alternate_name": "Hoa Sen",
        "alternate_city": "Dong Nai",
        "tag_80": "0003xyz",
    }
    assert encode(qr) == payload
    assert encode(from_dict(as_dict(qr))) == payload


def test_the_memo_loses_its_marks_and_keeps_its_case() -> None:
    assert decode(encode(VietQr("970436", "0011004", memo="Học phí Đ. Điểu K'Rể"))).memo == "Hoc phi D. Dieu K'Re"
    assert decode(encode(VietQr("970436", "V3CaSLrpr13mt76"))).account == "V3CaSLrpr13mt76"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bin": "97"}, "bin"),
        ({"bin": "97043６"}, "bin"),
        ({"bin": ""}, "bin"),
        ({"account": ""}, "account"),
        ({"account": "1" * 20}, "account"),
        ({"account": "Tài khoản"}, "account"),
        ({"amount": Money(0)}, "amount"),
        ({"amount": Money(-5)}, "amount"),
        ({"amount": Money(10**13)}, "amount"),
        ({"memo": ""}, "memo"),
        ({"memo": "x" * 26}, "memo"),
        ({"memo": "học phí 😀"}, "memo"),
        ({"memo": "a\x00"}, "memo"),
        ({"memo": "\ud800"}, "memo"),
        ({"memo": "ＦＷ２"}, "memo"),
        ({"others": {"nonsense": "x"}}, "unknown"),
        ({"others": {"memo": "x"}}, "unknown"),
        ({"others": {"format": "02"}}, "unknown"),
        ({"others": {"tag_38": "x"}}, "unknown"),
        ({"others": {"tag_59": "x"}}, "unknown"),
        ({"others": {"tag_62": "x"}}, "unknown"),
        ({"others": {"tag_63": "x"}}, "unknown"),
        ({"others": {"tag_62_08": "x"}}, "unknown"),
        ({"others": {"merchant_name": "Trường"}}, "merchant_name"),
        ({"others": {"tip": "02"}}, "tip"),
        ({"others": {"tag_80": "x" * 100}}, "tag_80"),
        ({"others": dict.fromkeys(("bill_number", "store_label", "tag_62_50", "tag_62_51"), "x" * 25)}, "length"),
    ],
)
def test_what_no_bank_reads_is_not_written(changes: dict[str, Any], reason: str) -> None:
    given_values: dict[str, Any] = {"bin": "970436", "account": "0011004", **changes}
    with pytest.raises(PayloadRefused) as refused:
        encode(VietQr(**given_values))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"amount": True}, "amount"),
        ({"amount": 1.0}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"bin": 970436}, "bin"),
        ({"initiation": "12"}, "initiation"),
        ({"service": "QRPUSH"}, "service"),
        ({"merchant_name": ["x"]}, "merchant_name"),
    ],
)
def test_documents_of_another_type_are_refused(document: dict[str, object], reason: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        encode(from_dict({"bin": "970436", "account": "0011004", **document}))
    assert refused.value.reason == reason


def test_what_a_document_leaves_out_is_usual() -> None:
    short = {"bin": "970436", "account": "0011004"}
    assert from_dict(short) == VietQr("970436", "0011004", initiation=Initiation.STATIC)
    assert from_dict({**short, "amount": 5, "memo": None}) == VietQr("970436", "0011004", amount=Money(5))


@given(st.text(max_size=60))
def test_noise_is_never_a_payload(noise: str) -> None:
    assert reason_of(noise)


@given(st.text(string.digits + "A", max_size=40))
def test_noise_with_a_right_check_sum_is_refused_in_words(noise: str) -> None:
    assert reason_of(sealed(HEAD + ACCOUNT[:8] + noise))
