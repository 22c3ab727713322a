"""Tests of the door ``callback check``: SePay's published payloads, and every way to say no."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.__main__ import main
from tests.reconciliation.feeds import payos_published
from tests.reconciliation.feeds.samples import SAMPLES, Sample
from tests.reconciliation.feeds.sepay_published import SECRET, SIGNATURE, SIGNED_BODY, TIMESTAMP, documented

SIGNED_HEADERS = {"X-SePay-Signature": SIGNATURE, "X-SePay-Timestamp": TIMESTAMP}


class Callback:
    """Files of one callback in a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def check(self, headers: object, body: bytes, *more: str, provider: str = "sepay") -> tuple[int, str, str]:
        names, content = self._folder / "headers.json", self._folder / "body"
        names.write_text(headers if isinstance(headers, str) else json.dumps(headers))
        content.write_bytes(body)
        code = main(["callback", "check", provider, "--headers", str(names), "--body", str(content), *more])
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def callback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callback:
    return Callback(tmp_path, capsys)


def test_a_signed_callback_is_printed_with_the_stable_keys(callback: Callback) -> None:
    code, out, err = callback.check(SIGNED_HEADERS, SIGNED_BODY, "--secret", SECRET, "--at", TIMESTAMP)

    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "provider": "sepay",
        "id": "92704",
        "amount": 2277000,
        "direction": "in",
        "memo": "HD26A7K9P2M",
        "account": "0123499999",
        "virtual_account": None,
        "bank_reference": "MBVCB.3278907687",
        "time": "2023-03-25T07:02:37Z",
        "kind": "transfer",
    }


def test_without_a_moment_the_age_is_told_and_not_judged(callback: Callback) -> None:
    code, out, err = callback.check(SIGNED_HEADERS, SIGNED_BODY, "--secret", SECRET)

    assert code == 0
    assert json.loads(out)["id"] == "92704"
    assert "giây" in err


def test_with_a_moment_the_age_is_judged(callback: Callback) -> None:
    for at, expected in [("2023-11-14T22:18:20+00:00", 0), ("2023-11-15T05:18:20+07:00", 0), ("1700000301", 1)]:
        code, _, _ = callback.check(SIGNED_HEADERS, SIGNED_BODY, "--secret", SECRET, "--at", at)
        assert code == expected


def test_an_api_key_from_a_file_is_enough(callback: Callback, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("khoa\n")
    headers = {"authorization": "Apikey khoa"}
    code, out, _ = callback.check(headers, documented(), "--secret-file", str(tmp_path / "secret"))

    assert code == 0
    assert json.loads(out)["amount"] == 2277000


@pytest.mark.parametrize(
    ("headers", "body", "secret"),
    [
        (SIGNED_HEADERS, SIGNED_BODY + b" ", SECRET),
        (SIGNED_HEADERS, SIGNED_BODY, "another"),
        ({}, SIGNED_BODY, SECRET),
        ({"Authorization": "Apikey khoa"}, b"{}", "khoa"),
        ({"Authorization": "Apikey khoa"}, documented(transferAmount="1"), "khoa"),
    ],
)
def test_a_wrong_signature_or_an_unreadable_body_is_no(
    callback: Callback, headers: dict[str, str], body: bytes, secret: str
) -> None:
    code, out, err = callback.check(headers, body, "--secret", secret)

    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "more",
    [["--secret", ""], ["--secret", "x", "--at", "yesterday"], ["--secret", "x", "--at", "2023-11-14T22:18:20"], []],
)
def test_unusable_arguments(callback: Callback, more: list[str]) -> None:
    code, out, err = callback.check(SIGNED_HEADERS, SIGNED_BODY, *more)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("headers", ["{", "[]", '{"A": 1}'])
def test_headers_that_are_no_texts_are_unusable(callback: Callback, headers: str) -> None:
    assert callback.check(headers, SIGNED_BODY, "--secret", SECRET)[0] == 2


def test_a_provider_nobody_knows_is_unusable(callback: Callback) -> None:
    code, out, err = callback.check({}, b"", "--secret", "x", provider="paypal")

    assert (code, out) == (2, "")
    assert "paypal" in err


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.provider}-{sample.scheme}")
def test_every_provider_is_checked_and_its_transfer_printed(callback: Callback, sample: Sample) -> None:
    code, out, _ = callback.check(sample.headers, sample.body, "--secret", sample.secret, provider=sample.provider)
    wrong = callback.check(sample.headers, sample.body, "--secret", sample.other_secret, provider=sample.provider)

    assert code == 0
    assert [json.loads(line)["provider"] for line in out.splitlines()] == [sample.provider]
    assert (wrong[0], wrong[1]) == (1, "")


def test_a_trial_call_is_told_apart_from_money(callback: Callback) -> None:
    _, out, _ = callback.check({}, payos_published.PUBLISHED, "--secret", payos_published.KEY, provider="payos")

    assert json.loads(out)["kind"] == "test"


def test_a_secret_that_is_no_key_is_unusable(callback: Callback) -> None:
    code, out, err = callback.check({}, b"{}", "--secret", "khoa", provider="vietinbank")

    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "PEM" in err
