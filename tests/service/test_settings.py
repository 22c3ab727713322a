"""Tests of service.settings: what no program starts with, said on one line that shows no secret."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.__main__ import main
from service.settings import Settings, UnusableSettings, read_settings

# Text of hex digits; written out, since a random one could not be the same in every run.
RANDOM = ("b96a7c1cf0e35d82e4479b10d3c8fa65117e09a2cd54b83f6ee1907b2af4d836",
          "4fd20b8e96c1735ae80d61bb27f39c1405ea7c9866d0f2b13ae7415fc85b9d20")  # fmt: skip
SOUND = {
    "HOCPHI_ENV": "production",
    "HOCPHI_SECRET": RANDOM[0],
    "HOCPHI_VAULT_KEY": RANDOM[1],
    "HOCPHI_BASE_URL": "https://hocphi.example.vn",
    "DATABASE_URL": "postgresql://hocphi_app:mat-khau@127.0.0.1/hocphi",
    "REDIS_URL": "redis://127.0.0.1:6379",
    "SMTP_URL": "smtps://thu:mat-khau@127.0.0.1",
}


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of this machine: neither its environment nor its ``.env``."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    read_settings.cache_clear()
    yield
    read_settings.cache_clear()


def refusal(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnusableSettings) as refused:
        read_settings()
    assert "\n" not in refused.value.message
    return refused.value.message


def test_production_starts_with_sound_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)
    assert read_settings().key("secret") == bytes.fromhex(RANDOM[0])


def test_production_starts_with_any_key_that_a_machine_made() -> None:
    for _ in range(20):
        keys = {"HOCPHI_SECRET": secrets.token_hex(32), "HOCPHI_VAULT_KEY": secrets.token_hex(32)}
        assert Settings.model_validate(SOUND | keys).env == "production"


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "00" * 32,
        "0123456789abcdef" * 4,
        bytes(range(32)).hex(),  # the key of our own tests
        bytes(range(255, 223, -1)).hex(),
        b"changethis-changethis-changethis".hex(),
        b"Mat-khau rat dai: hoc phi 2025!?".hex(),
        (bytes.fromhex("9c41d07be53a12f6") * 4).hex(),  # the same in every test process
    ],
)
@pytest.mark.parametrize("name", ["HOCPHI_SECRET", "HOCPHI_VAULT_KEY"])
def test_production_refuses_a_key_that_nobody_had_to_guess(
    monkeypatch: pytest.MonkeyPatch, name: str, weak: str
) -> None:
    assert f"{name} chưa đặt hoặc quá yếu" in refusal(monkeypatch, **SOUND | {name: weak})


def test_production_refuses_one_key_for_two_purposes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "phải khác nhau" in refusal(monkeypatch, **SOUND | {"HOCPHI_VAULT_KEY": RANDOM[0]})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATABASE_URL", "", "DATABASE_URL chưa đặt"),
        ("REDIS_URL", "", "REDIS_URL chưa đặt"),
        ("SMTP_URL", "", "SMTP_URL chưa đặt"),
        ("HOCPHI_BASE_URL", "http://hocphi.example.vn", "https://"),
        ("SEPAY_API_URL", "http://127.0.0.1:8804", "SEPAY_API_URL phải bắt đầu bằng https://"),
        ("CASSO_API_URL", "http://127.0.0.1:8804", "CASSO_API_URL phải bắt đầu bằng https://"),
        ("ESMS_BASE_URL", "http://127.0.0.1:8806", "ESMS_BASE_URL phải bắt đầu bằng https://"),
        ("ESMS_API_KEY", "k", "ESMS_SECRET_KEY chưa đặt (SMS cần đủ ba giá trị ESMS_…); ESMS_BRANDNAME chưa đặt"),
        ("ESMS_BRANDNAME", "HOCPHI", "ESMS_API_KEY chưa đặt"),
        ("HOCPHI_CLOCK_OFFSET_SECONDS", "60", "chỉ dùng khi chạy thử"),
    ],
)
def test_production_refuses_what_is_for_trials(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    assert told in refusal(monkeypatch, **SOUND | {name: value})


def test_production_starts_with_a_whole_sms_account() -> None:
    whole = {"ESMS_API_KEY": "k", "ESMS_SECRET_KEY": "s", "ESMS_BRANDNAME": "HOCPHI"}
    assert Settings.model_validate(SOUND | whole).esms_base_url == "https://rest.esms.vn"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HOCPHI_ENV", "live", "HOCPHI_ENV: "),
        ("HOCPHI_SECRET", "rat-bi-mat", "HOCPHI_SECRET phải có đúng 32 byte"),
        ("HOCPHI_VAULT_KEY", "abcd", "HOCPHI_VAULT_KEY phải có đúng 32 byte"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL phải có dạng postgresql://"),
        ("DATABASE_OWNER_URL", "mysql://rat-bi-mat@127.0.0.1/x", "DATABASE_OWNER_URL phải có dạng"),
        ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL phải có dạng redis://"),
        ("HOCPHI_TRUSTED_PROXIES", "*", "HOCPHI_TRUSTED_PROXIES: chỉ gồm địa chỉ IP"),
        ("HOCPHI_TRUSTED_PROXIES", "10.0.0.1, proxy.example", "HOCPHI_TRUSTED_PROXIES: chỉ gồm địa chỉ IP"),
    ],
)
def test_what_no_program_can_use_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    message = refusal(monkeypatch, **{name: value})
    assert told in message
    assert value not in message


def test_networks_of_proxies_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().trusted_proxies == "127.0.0.1/32"
    read_settings.cache_clear()
    monkeypatch.setenv("HOCPHI_TRUSTED_PROXIES", "127.0.0.1, 172.16.0.0/12,::1")
    assert read_settings().trusted_proxies == "127.0.0.1/32,172.16.0.0/12,::1/128"


@pytest.mark.parametrize("door", ["up", "demo", "setup", "invariants", "db"])
def test_every_door_says_so_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], door: str
) -> None:
    for name, value in (SOUND | {"HOCPHI_SECRET": "changethis"}).items():
        monkeypatch.setenv(name, value)
    assert main([door, *(["prepare"] if door == "db" else [])]) == 2
    answer = capsys.readouterr()
    [line] = answer.err.splitlines()
    assert (answer.out, "HOCPHI_SECRET" in line, "changethis" in line) == ("", True, False)
