"""The Zalo client against the stand-in, over HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.base import Accepted
from notifications.channels.zalo import (
    VERDICTS,
    TemplateMessage,
    Verdict,
    ZaloApp,
    ZaloChannel,
    zalo_phone,
)
from notifications.errors import DeliveryProblem, PermanentFailure, TemporaryFailure, UnknownOutcome, Unreachable
from notifications.rules import Kind
from notifications.wording.zns import notice_params
from service.standins.serving import Running, free_port
from service.standins.zalo import FIRST_ACCESS, TEMPLATE_IDS, Zalo
from tests.notifications.channels.tokens import TokensInMemory
from tests.notifications.examples import a_notice

MakeZalo = Callable[..., ZaloChannel]
PHONE = "0912 345 678"


def a_message(to: str = PHONE, tracking_id: str = "m-1", **changes: str) -> TemplateMessage:
    params = notice_params(a_notice(), "Trần Thị Hồng") | changes
    return TemplateMessage(tracking_id, to, TEMPLATE_IDS[Kind.BILL_ISSUED, "vi"], params)


def test_a_message_arrives_with_its_words(make_zalo: MakeZalo, zalo: Zalo) -> None:
    accepted = make_zalo().send(a_message())
    [got] = zalo.delivered
    assert accepted.provider_id == got.msg_id
    assert json.loads(accepted.raw)["data"]["quota"] == {"dailyQuota": "3", "remainingQuota": "2"}
    assert (got.phone, got.tracking_id, got.title) == ("84912345678", "m-1", "Thông báo thu tháng 9/2025")
    assert ["Cần nộp kỳ này", "603.000 đ"] in got.rows
    assert got.button == ["Xem và nộp", "http://127.0.0.1:8000/t/qW3rT5yU7iO9pA1sD2fG4h"]
    assert "Nguyễn" not in json.dumps(got.rows, ensure_ascii=False)


def test_no_zalo_account_means_the_next_channel(make_zalo: MakeZalo, zalo: Zalo) -> None:
    with pytest.raises(Unreachable) as refused:
        make_zalo().send(a_message(to="0912345000"))
    assert refused.value.code == "-118"
    assert zalo.delivered == []


@pytest.mark.parametrize("number", ["", "0271 388 0112", "+1 202 555 0100", "091234567", "09123456789", "không có"])
def test_a_number_that_is_no_mobile_is_not_even_tried(make_zalo: MakeZalo, zalo: Zalo, number: str) -> None:
    zalo.trouble.order("500", 1)
    with pytest.raises(Unreachable) as refused:
        make_zalo().send(a_message(to=number))
    assert refused.value.code == "phone"


def test_an_old_token_is_renewed_once_and_the_message_sent(
    make_zalo: MakeZalo, zalo: Zalo, tokens: TokensInMemory
) -> None:
    later = zalo.now() + 26 * 3600
    zalo.now = lambda: later
    make_zalo().send(a_message())
    assert len(zalo.delivered) == 1
    assert tokens.exchanges == 1
    assert tokens.current().access != FIRST_ACCESS
    assert tokens.current().expires_in == 90_000
    make_zalo().send(a_message(tracking_id="m-2"))
    assert tokens.exchanges == 1


def test_two_workers_spend_a_refresh_token_once(make_zalo: MakeZalo, zalo: Zalo, tokens: TokensInMemory) -> None:
    zalo.renew("stand-in-zalo-secret", _refresh_form(tokens))  # the stored access token is stale for both now
    stale = TokensInMemory(access="old", refresh=zalo._pair["refresh"])
    outcomes: list[Accepted] = []
    channel = make_zalo(store=stale)
    both = [threading.Thread(target=lambda n=n: outcomes.append(channel.send(a_message(tracking_id=n)))) for n in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(outcomes) == 2
    assert stale.exchanges == 1


def test_a_spent_refresh_token_leaves_the_message_for_later(make_zalo: MakeZalo, zalo: Zalo) -> None:
    with pytest.raises(TemporaryFailure) as refused:
        make_zalo(store=TokensInMemory(access="old", refresh="spent")).send(a_message())
    assert refused.value.code == "token -14014"
    assert zalo.delivered == []


def test_a_renewed_token_refused_again_ends_there(make_zalo: MakeZalo, zalo: Zalo, tokens: TokensInMemory) -> None:
    zalo.rules = type(zalo.rules)(access_seconds=-1)  # each new token is too old at once
    with pytest.raises(TemporaryFailure) as refused:
        make_zalo().send(a_message())
    assert refused.value.code == "-124"
    assert tokens.exchanges == 1


def test_the_quota_of_the_day_waits_for_tomorrow(make_zalo: MakeZalo, zalo: Zalo) -> None:
    channel = make_zalo()
    for number in range(3):
        channel.send(a_message(tracking_id=f"m-{number}"))
    with pytest.raises(TemporaryFailure) as refused:
        channel.send(a_message(tracking_id="m-3"))
    assert refused.value.next_day
    assert refused.value.code == "-1472"
    began = zalo.now()
    zalo.now = lambda: began + 24 * 3600
    assert channel.send(a_message(tracking_id="m-3")).provider_id


@pytest.mark.parametrize(
    ("mode", "arrived"), [("500", 0), ("accept-then-500", 1), ("accept-then-silence", 1), ("garbage", 0)]
)
def test_doubt_is_called_doubt(make_zalo: MakeZalo, zalo: Zalo, mode: str, arrived: int) -> None:
    zalo.trouble.order(mode, 1)
    with pytest.raises(UnknownOutcome):
        make_zalo().send(a_message())
    assert len(zalo.delivered) == arrived


def test_nobody_at_home_is_surely_not_sent(client: httpx.Client, tokens: TokensInMemory) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TemporaryFailure):
        ZaloChannel(client, ZaloApp("1", "s", url, url), tokens).send(a_message())


@pytest.mark.parametrize(("changes", "code"), [({"amount": "9" * 21}, "-1121"), ({"amount": ""}, "-1122")])
def test_a_parameter_that_does_not_fit_is_final(make_zalo: MakeZalo, changes: dict[str, str], code: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        make_zalo().send(a_message(**changes))
    assert refused.value.code == code
    assert not isinstance(refused.value, Unreachable)


def test_a_wrong_app_secret_is_for_a_person_to_repair(make_zalo: MakeZalo) -> None:
    with pytest.raises(PermanentFailure) as refused:
        make_zalo(secret="wrong").send(a_message())
    assert refused.value.code == "-1241"


def test_a_long_tracking_id_is_a_programming_error(make_zalo: MakeZalo) -> None:
    with pytest.raises(ValueError, match="48"):
        make_zalo().send(a_message(tracking_id="x" * 49))


def test_logs_and_errors_hold_no_person(make_zalo: MakeZalo, zalo: Zalo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    problems = []
    make_zalo().send(a_message())
    for mode in ("500", "garbage"):
        zalo.trouble.order(mode, 1)
        with pytest.raises(DeliveryProblem) as refused:
            make_zalo().send(a_message())
        problems.append(f"{refused.value} {refused.value.facts}")
    told = " ".join([*caplog.messages, *problems, repr(a_message())])
    assert "zalo m-1: Accepted" in told
    assert not any(word in told for word in ("345678", "345 678", "Hồng", "Anh", "603.000", FIRST_ACCESS))


def test_the_page_escapes_what_was_sent(
    make_zalo: MakeZalo, zalo_running: tuple[Zalo, Running], client: httpx.Client
) -> None:
    make_zalo().send(a_message(customer_name="<script>alert(1)</script>"))
    shown = client.get(zalo_running[1].url)
    assert "&lt;script&gt;alert(1)" in shown.text
    assert "<script" not in shown.text
    assert "script-src" not in shown.headers["content-security-policy"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert client.get(f"{zalo_running[1].url}/messages", params={"phone": "84999999999"}).json() == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
verdict_like = st.fixed_dictionaries(
    {"error": st.sampled_from([0, *VERDICTS]) | json_values},
    optional={
        "data": st.fixed_dictionaries({}, optional={"msg_id": json_values}) | json_values,
        "message": json_values,
    },
)


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=60) | (json_values | verdict_like).map(lambda value: json.dumps(value).encode()),
)
def test_whatever_zalo_answers_is_one_of_the_four_outcomes(status: int, body: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    with httpx.Client(transport=transport) as client:
        channel = ZaloChannel(client, ZaloApp("1", "s"), TokensInMemory())
        outcome = outcome_of(channel)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert json.loads(body)["error"] == 0
    else:
        assert isinstance(outcome, TemporaryFailure | PermanentFailure | UnknownOutcome)
        assert isinstance(outcome, UnknownOutcome) or status < 500


def outcome_of(channel: ZaloChannel) -> Accepted | DeliveryProblem:
    try:
        return channel.send(a_message())
    except DeliveryProblem as problem:
        return problem


def test_only_two_codes_that_sources_agree_on_steer_by_name() -> None:
    assert VERDICTS[-118] is Verdict.NEXT_CHANNEL
    assert VERDICTS[-124] is Verdict.RENEW_TOKEN


@pytest.mark.parametrize("written", ["0912345678", "+84912345678", "84 912 345 678", "(091) 234-56.78"])
def test_usual_writings_of_a_number(written: str) -> None:
    assert zalo_phone(written) == "84912345678"


@given(st.text(max_size=20))
def test_a_number_is_whole_or_nothing(text: str) -> None:
    number = zalo_phone(text)
    assert number is None or (number.isascii() and number.isdigit() and len(number) == 11)


def _refresh_form(tokens: TokensInMemory) -> dict[str, str]:
    return {
        "app_id": "4000000000000000001",
        "grant_type": "refresh_token",
        "refresh_token": tokens.current().refresh,
    }
