"""The eSMS client: on the provider's published answers, and against the stand-in over HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from notifications.channels.esms import (
    SEND,
    VERDICTS,
    Delivery,
    EsmsAccount,
    EsmsChannel,
    SmsMessage,
    Told,
    Verdict,
    read_status,
)
from notifications.errors import (
    DeliveryProblem,
    PermanentFailure,
    RepeatableDoubt,
    TemporaryFailure,
    UnknownOutcome,
    Unreachable,
)
from notifications.rules import Kind
from notifications.wording.sms import sms_text
from service.standins import esms as esms_program
from service.standins.esms import API_KEY, BRANDNAME, SECRET_KEY, Esms, EsmsRules
from service.standins.serving import Running, free_port
from tests.notifications.examples import a_notice

PHONE = "0912 345 678"
ACCOUNT = EsmsAccount(API_KEY, SECRET_KEY, BRANDNAME)
WORDS = sms_text(Kind.BILL_ISSUED, a_notice())

Answer = Callable[[httpx.Request], httpx.Response]


def a_text(to: str = PHONE, tracking_id: str = "0192f0c1-6a55-7c11-9d5b-0a3a5b1c2d3e", text: str = WORDS) -> SmsMessage:
    return SmsMessage(tracking_id, to, text)


def answering(answer: Answer | dict[str, Any] | bytes, status: int = 200) -> EsmsChannel:
    """Return a channel to a provider that gives one answer."""

    def reply(request: httpx.Request) -> httpx.Response:
        if callable(answer):
            return answer(request)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx.Response(status, content=content)

    return EsmsChannel(httpx.Client(transport=httpx.MockTransport(reply)), ACCOUNT)


# The provider's published answers, word for word.
TAKEN = {"CodeResult": "100", "CountRegenerate": 0, "SMSID": "d533459ee42b2b9525ba9eabf6a8156"}
DOUBLE = {"CodeResult": "124", "CountRegenerate": 0, "ErrorMessage": "Request exist 1", "SendStatus": "5"}
NO_NAME = {"CodeResult": "104", "CountRegenerate": 0, "ErrorMessage": "Brand name code is not exist"}
NO_KEYS = {"CodeResult": "101", "CountRegenerate": 0, "ErrorMessage": "Authorize Failed"}
NO_TEMPLATE = {
    "CodeResult": "146", "CountRegenerate": 0, "ErrorMessage": "Sai template Brandname CSKH",
    "SMSID": "3f5ec8c71c4a4ccea311f731dfeaa133156",
}  # fmt: skip
STATUS = {
    "CodeResponse": "100", "SMSID": "434a124c-7818-4f45-bdf2-7f7b07fff210100", "SendFailed": 0, "SendStatus": 5,
    "SendSuccess": 1, "TotalPrice": 850.0000, "TotalReceiver": 1, "TotalSent": 1,
}  # fmt: skip
CALLBACK = (
    "SMSID=dc712784-9c5f-4c69-b9a8-ea69d56adc9a87&SendFailed=2&SendStatus=5&SendSuccess=0&TotalPrice=0.0000"
    "&TotalReceiver=2&TotalSent=2&RequestId=&TypeId=2&telcoid=1&phonenumber=0901888484&switchsmsid="
)


def test_a_text_is_asked_for_as_the_provider_publishes_it() -> None:
    asked: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=TAKEN)

    client = httpx.Client(transport=httpx.MockTransport(reply))
    callback = "https://truong.example/sms/tin-bao/ab"
    accepted = EsmsChannel(client, replace(ACCOUNT, callback=callback)).send(a_text())
    assert (accepted.provider_id, accepted.code) == (TAKEN["SMSID"], "100")
    [request] = asked
    assert (request.method, str(request.url)) == ("POST", f"https://rest.esms.vn{SEND}")
    assert json.loads(request.content) == {
        "ApiKey": API_KEY,
        "SecretKey": SECRET_KEY,
        "Phone": "0912345678",
        "Content": WORDS,
        "Brandname": BRANDNAME,
        "SmsType": "2",
        "IsUnicode": "0",
        "RequestId": a_text().tracking_id,
        "CallbackUrl": callback,
    }


def test_a_double_is_theirs_already() -> None:
    accepted = answering(DOUBLE).send(a_text())
    assert (accepted.provider_id, accepted.code) == ("", "124")


@pytest.mark.parametrize(
    ("answer", "kind"), [(NO_NAME, PermanentFailure), (NO_TEMPLATE, PermanentFailure), (NO_KEYS, TemporaryFailure)]
)
def test_published_refusals(answer: dict[str, Any], kind: type[DeliveryProblem]) -> None:
    with pytest.raises(kind) as refused:
        answering(answer).send(a_text())
    assert refused.value.code == answer["CodeResult"]
    assert not isinstance(refused.value, UnknownOutcome)


@pytest.mark.parametrize("code", [*VERDICTS, "555"])
def test_every_code_is_stored_as_it_came(code: str) -> None:
    kinds: dict[Verdict, type[DeliveryProblem]] = {
        Verdict.NEXT_CHANNEL: Unreachable,
        Verdict.PERMANENT: PermanentFailure,
        Verdict.TEMPORARY: TemporaryFailure,
    }
    with pytest.raises(kinds[VERDICTS.get(code, Verdict.PERMANENT)]) as refused:
        answering({"CodeResult": code}).send(a_text())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        ({"error": "Invalid request"}, 200, RepeatableDoubt),
        (b"<html>502 Bad Gateway</html>", 200, RepeatableDoubt),
        (b"", 502, RepeatableDoubt),
        (TAKEN, 500, RepeatableDoubt),
        ({"CodeResult": True}, 200, RepeatableDoubt),
        (b"[" * 100_000, 200, RepeatableDoubt),
        (b"Forbidden", 403, TemporaryFailure),
    ],
)
def test_what_is_no_answer_is_a_doubt_that_may_be_repeated(
    answer: dict[str, Any] | bytes, status: int, kind: type[DeliveryProblem]
) -> None:
    with pytest.raises(kind):
        answering(answer, status).send(a_text())


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.ConnectError("no"), TemporaryFailure),
        (httpx.ConnectTimeout("no"), TemporaryFailure),
        (httpx.ReadTimeout("no"), RepeatableDoubt),
        (httpx.RemoteProtocolError("no"), RepeatableDoubt),
    ],
)
def test_silence(trouble: httpx.HTTPError, kind: type[DeliveryProblem]) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        del request
        raise trouble

    with pytest.raises(kind) as refused:
        answering(reply).send(a_text())
    assert refused.value.code == type(trouble).__name__


def test_the_published_status_is_read_with_its_price() -> None:
    assert answering(STATUS).ask("434a124c") == Told(Delivery.DELIVERED, "5/1/0", Money(850))


def test_the_published_callback_has_the_fields_of_a_status() -> None:
    fields = {name: values[0] for name, values in parse_qs(CALLBACK, keep_blank_values=True).items()}
    assert read_status(fields) == Told(Delivery.UNDELIVERED, "5/0/2", Money(0))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"SendStatus": 1}, Told(Delivery.WAITING, "1/0/0")),
        ({"SendStatus": "7", "SendSuccess": 0, "SendFailed": 0}, Told(Delivery.WAITING, "7/0/0")),
        ({"SendStatus": 5, "SendSuccess": 0, "SendFailed": 0}, Told(Delivery.WAITING, "5/0/0")),
        ({"SendStatus": 4}, Told(Delivery.UNDELIVERED, "4/0/0")),
        ({"SendStatus": None, "SendSuccess": [], "TotalPrice": "x"}, Told(Delivery.WAITING, "0/0/0")),
    ],
)
def test_what_a_status_means(answer: dict[str, Any], told: Told) -> None:
    assert read_status(answer) == told
    assert answering(answer | {"CodeResponse": "100"}).ask("1") == told


@given(st.dictionaries(st.sampled_from([*STATUS]), st.none() | st.booleans() | st.text() | st.integers() | st.floats()))
def test_any_status_is_read_and_no_price_is_below_zero(answer: dict[str, Any]) -> None:
    told = read_status(answer)
    assert told.cost is None or told.cost >= Money(0)


def test_a_text_asked_about_too_early_waits_and_wrong_keys_tell_nothing() -> None:
    assert answering({"CodeResponse": "105", "SMSID": "1"}).ask("1") == Told(Delivery.WAITING, "105")
    with pytest.raises(TemporaryFailure) as refused:
        answering({"CodeResponse": "101", "SMSID": "1"}).ask("1")
    assert refused.value.code == "101"


# Against the stand-in.


@pytest.fixture
def esms_running(tmp_path: Path) -> Iterator[tuple[Esms, Running]]:
    esms, running = esms_program.start(tmp_path / "esms", rules=EsmsRules(balance=850 * 3, report_after=0))
    yield esms, running
    running.stop()


@pytest.fixture
def esms(esms_running: tuple[Esms, Running]) -> Esms:
    return esms_running[0]


@pytest.fixture
def channel(esms_running: tuple[Esms, Running], client: httpx.Client) -> EsmsChannel:
    return EsmsChannel(client, replace(ACCOUNT, base=esms_running[1].url))


def test_a_text_arrives_once_however_often_it_is_offered_that_day(channel: EsmsChannel, esms: Esms) -> None:
    first, again = channel.send(a_text()), channel.send(a_text())
    assert (first.code, again.code) == ("100", "124")
    [got] = esms.sent
    assert (got.phone, got.text, got.request_id) == ("0912345678", WORDS, a_text().tracking_id)
    assert channel.ask(first.provider_id) == Told(Delivery.DELIVERED, "5/1/0", Money(850))
    tomorrow = esms.now() + 24 * 3600
    esms.now = lambda: tomorrow
    assert channel.send(a_text()).code == "100", "the block is told to hold for the day"


@pytest.mark.parametrize(
    ("mode", "arrived"), [("500", 0), ("accept-then-500", 1), ("accept-then-silence", 1), ("garbage", 0)]
)
def test_after_a_doubt_the_same_text_may_be_offered_again(
    channel: EsmsChannel, esms: Esms, mode: str, arrived: int
) -> None:
    esms.trouble.order(mode, 1)
    with pytest.raises(RepeatableDoubt):
        channel.send(a_text())
    assert len(esms.sent) == arrived
    assert channel.send(a_text()).code == ("124" if arrived else "100")
    assert len(esms.sent) == 1


def test_the_stand_in_refuses_as_the_provider_does(channel: EsmsChannel, esms: Esms) -> None:
    for to, text, code in (("0912345998", WORDS, "99"), (PHONE, "Chao ban", "146"), (PHONE, WORDS[:-60], "146")):
        with pytest.raises(PermanentFailure) as refused:
            channel.send(a_text(to=to, text=text))
        assert refused.value.code == code
    assert esms.sent == []
    for number in range(3):
        channel.send(a_text(tracking_id=f"m-{number}"))
    with pytest.raises(TemporaryFailure) as empty:
        channel.send(a_text(tracking_id="m-4"))
    assert empty.value.code == "103", "the account is empty"


def test_a_text_that_does_not_arrive_is_told_when_asked(channel: EsmsChannel, esms: Esms) -> None:
    accepted = channel.send(a_text(to="0912345999"))
    assert channel.ask(accepted.provider_id).delivery is Delivery.UNDELIVERED
    assert channel.ask("nobody").code == "105"
    assert esms.sent[0].parts == 1


@pytest.mark.parametrize("number", ["", "0271 388 0112", "+1 202 555 0100", "091234567"])
def test_a_number_that_is_no_mobile_is_not_even_tried(channel: EsmsChannel, number: str) -> None:
    with pytest.raises(Unreachable) as refused:
        channel.send(a_text(to=number))
    assert refused.value.code == "phone"


def test_nobody_at_home_is_surely_not_sent(client: httpx.Client) -> None:
    with pytest.raises(TemporaryFailure):
        EsmsChannel(client, replace(ACCOUNT, base=f"http://127.0.0.1:{free_port()}")).send(a_text())


def test_a_long_id_is_a_programming_error(channel: EsmsChannel) -> None:
    with pytest.raises(ValueError, match="50"):
        channel.send(a_text(tracking_id="x" * 51))


def test_logs_and_errors_hold_no_person_and_no_key(
    channel: EsmsChannel, esms: Esms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    channel.send(a_text())
    esms.trouble.order("500", 1)
    with pytest.raises(DeliveryProblem) as refused:
        channel.send(a_text())
    said = f"{caplog.text} {refused.value} {refused.value.facts} {a_text()!r} {ACCOUNT!r}"
    assert a_text().tracking_id in said
    for secret in ("912345678", "Dong Tam", "603.000", API_KEY, SECRET_KEY):
        assert secret not in said
