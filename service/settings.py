"""Every setting, typed and read once. Unsafe values are refused at the start, in words."""

from __future__ import annotations

import json
import os
import secrets
from functools import lru_cache
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from billing.errors import Refused

_KEY_BYTES = 32
_DIFFERENT_BYTES = 20  # 32 random bytes have 30 different ones; fewer than 20 once in 10⁹ keys
_SCHEMES = {
    "database_url": ("postgresql", "postgres", "postgresql+psycopg"),
    "database_owner_url": ("postgresql", "postgres", "postgresql+psycopg"),
    "database_door_url": ("postgresql", "postgres", "postgresql+psycopg"),
    "redis_url": ("redis", "rediss"),
}


class UnusableSettings(Refused):
    """Settings with which no program starts; the message is one line and holds no value, since some are secret."""


class Settings(BaseSettings):
    """Settings from the environment or ``.env``; the names are listed in ``.env.example``.

    ``secret`` and ``vault_key`` are 32 bytes in hex. In development they are made once and kept in the state folder;
    in production they must be given. ``clock_offset_seconds`` moves our clock and is for demo and tests only. Wrong
    links and passwords are counted by address: behind a reverse proxy, ``trusted_proxies`` says whose
    ``X-Forwarded-For`` names it; otherwise all families are one address, and one stranger locks them all out.
    """

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field("development", validation_alias="HOCPHI_ENV")
    state: Path = Field(Path(".hocphi"), validation_alias="HOCPHI_STATE")
    secret: SecretStr | None = Field(None, validation_alias="HOCPHI_SECRET")
    vault_key: SecretStr | None = Field(None, validation_alias="HOCPHI_VAULT_KEY")
    base_url: str = Field("http://127.0.0.1:8000", validation_alias="HOCPHI_BASE_URL")
    trusted_proxies: str = Field("127.0.0.1", validation_alias="HOCPHI_TRUSTED_PROXIES")
    metrics_token: SecretStr | None = Field(None, validation_alias="HOCPHI_METRICS_TOKEN", min_length=32)
    clock_offset_seconds: int = Field(0, validation_alias="HOCPHI_CLOCK_OFFSET_SECONDS")
    sepay_api_url: str = Field("https://my.sepay.vn", validation_alias="SEPAY_API_URL")
    casso_api_url: str = Field("https://oauth.casso.vn", validation_alias="CASSO_API_URL")
    stripe_api_base: str = Field("https://api.stripe.com", validation_alias="STRIPE_API_BASE")
    stripe_page_origin: str = Field("https://checkout.stripe.com", validation_alias="STRIPE_PAGE_ORIGIN")
    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    database_owner_url: str | None = Field(None, validation_alias="DATABASE_OWNER_URL")
    database_door_url: str | None = Field(None, validation_alias="DATABASE_DOOR_URL")
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    account_wait_hours: int = Field(24, ge=24, le=24 * 30, validation_alias="HOCPHI_ACCOUNT_WAIT_HOURS")
    smtp_url: str | None = Field(None, validation_alias="SMTP_URL")
    mail_sender: str = Field("Hocphi <khong-tra-loi@hocphi.invalid>", validation_alias="MAIL_SENDER")
    zalo_base_url: str = Field("https://business.openapi.zalo.me", validation_alias="ZALO_BASE_URL")
    zalo_oauth_url: str = Field("https://oauth.zaloapp.com", validation_alias="ZALO_OAUTH_URL")
    zalo_app_id: str | None = Field(None, validation_alias="ZALO_APP_ID")
    zalo_app_secret: SecretStr | None = Field(None, validation_alias="ZALO_APP_SECRET")
    zalo_refresh_token: SecretStr | None = Field(None, validation_alias="ZALO_REFRESH_TOKEN")
    zalo_template_notice: str = Field("", validation_alias="ZALO_TEMPLATE_NOTICE")
    zalo_template_replaced: str = Field("", validation_alias="ZALO_TEMPLATE_REPLACED")
    zalo_template_voided: str = Field("", validation_alias="ZALO_TEMPLATE_VOIDED")
    zalo_template_credited: str = Field("", validation_alias="ZALO_TEMPLATE_CREDITED")
    zalo_template_used: str = Field("", validation_alias="ZALO_TEMPLATE_USED")
    zalo_template_taken_back: str = Field("", validation_alias="ZALO_TEMPLATE_TAKEN_BACK")
    zalo_template_card_unpaid: str = Field("", validation_alias="ZALO_TEMPLATE_CARD_UNPAID")
    zalo_template_reminded: str = Field("", validation_alias="ZALO_TEMPLATE_REMINDED")
    zalo_template_contract: str = Field("", validation_alias="ZALO_TEMPLATE_CONTRACT")
    zalo_template_choice: str = Field("", validation_alias="ZALO_TEMPLATE_CHOICE")
    zalo_template_receipt: str = Field("", validation_alias="ZALO_TEMPLATE_RECEIPT")
    zalo_template_code: str = Field("", validation_alias="ZALO_TEMPLATE_CODE")
    esms_base_url: str = Field("https://rest.esms.vn", validation_alias="ESMS_BASE_URL")
    esms_api_key: SecretStr | None = Field(None, validation_alias="ESMS_API_KEY")
    esms_secret_key: SecretStr | None = Field(None, validation_alias="ESMS_SECRET_KEY")
    esms_brandname: str = Field("", max_length=11, validation_alias="ESMS_BRANDNAME")

    @field_validator(
        "base_url", "sepay_api_url", "casso_api_url", "stripe_api_base", "stripe_page_origin", "esms_base_url"
    )
    @classmethod
    def _no_slash_at_the_end(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _only_addresses(cls, value: str) -> str:
        """Refuse ``*`` and names too: whoever is believed here chooses the address that tries are counted by."""
        try:
            return ",".join(str(ip_network(each.strip())) for each in value.split(","))
        except ValueError:
            raise ValueError("chỉ gồm địa chỉ IP hoặc mạng con, cách nhau bằng dấu phẩy") from None

    @model_validator(mode="after")
    def _refuse_what_cannot_work(self) -> Self:
        problems = [*_unreadable_keys(self), *_foreign_addresses(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> Self:
        if self.env != "production":
            return self
        problems = [*_weak_keys(self), *_missing_services(self), *_half_an_sms_account(self)]
        if not self.base_url.startswith("https://"):
            problems.append("HOCPHI_BASE_URL phải bắt đầu bằng https://")
        asked = {
            "SEPAY_API_URL": self.sepay_api_url,
            "CASSO_API_URL": self.casso_api_url,
            "STRIPE_API_BASE": self.stripe_api_base,
            "STRIPE_PAGE_ORIGIN": self.stripe_page_origin,
            "ESMS_BASE_URL": self.esms_base_url,
        }
        problems += [f"{name} phải bắt đầu bằng https://" for name, url in asked.items() if url[:8] != "https://"]
        if self.clock_offset_seconds:
            problems.append("HOCPHI_CLOCK_OFFSET_SECONDS chỉ dùng khi chạy thử")
        if problems:
            raise ValueError("Không khởi động ở chế độ production: " + "; ".join(problems))
        return self

    def key(self, name: Literal["secret", "vault_key"]) -> bytes:
        """Return one of the two 32-byte keys; development makes and keeps its own."""
        given: SecretStr | None = getattr(self, name)
        if given is not None:
            return bytes.fromhex(given.get_secret_value())
        return bytes.fromhex(_local_keys(self.state)[name])


def _given_key(settings: Settings, name: str) -> bytes:
    """Return a key's bytes; empty if it is not given. Raises ``ValueError`` if it is no hex text."""
    given: SecretStr | None = getattr(settings, name)
    return bytes.fromhex(given.get_secret_value()) if given else b""


def _unreadable_keys(settings: Settings) -> list[str]:
    problems = []
    for name in ("secret", "vault_key"):
        try:
            readable = len(_given_key(settings, name)) in {0, _KEY_BYTES}
        except ValueError:
            readable = False
        if not readable:
            problems.append(f"HOCPHI_{name.upper()} phải có đúng 32 byte, viết bằng 64 chữ số hex")
    return problems


def _foreign_addresses(settings: Settings) -> list[str]:
    return [
        f"{name.upper()} phải có dạng {schemes[0]}://…"
        for name, schemes in _SCHEMES.items()
        if (given := getattr(settings, name)) and given.partition("://")[0] not in schemes
    ]


def _weak_keys(settings: Settings) -> list[str]:
    keys = {name: _given_key(settings, name) for name in ("secret", "vault_key")}
    problems = [
        f"HOCPHI_{name.upper()} chưa đặt hoặc quá yếu (cần 32 byte ngẫu nhiên, dạng hex)"
        for name, key in keys.items()
        if not _looks_random(key)
    ]
    if not problems and keys["secret"] == keys["vault_key"]:
        problems.append("HOCPHI_SECRET và HOCPHI_VAULT_KEY phải khác nhau")
    return problems


def _looks_random(key: bytes) -> bool:
    """Say whether nobody typed these bytes: no few signs again and again, no row of steps, no words."""
    steps = {(later - earlier) % 256 for earlier, later in pairwise(key)}
    return len(set(key)) >= _DIFFERENT_BYTES and len(steps) >= _DIFFERENT_BYTES // 2 and not key.isascii()


def _missing_services(settings: Settings) -> list[str]:
    needed = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "SMTP_URL": settings.smtp_url}
    return [f"{name} chưa đặt" for name, value in needed.items() if not value]


def _half_an_sms_account(settings: Settings) -> list[str]:
    """SMS is set up whole or not at all: half of it would be planned for and never sent."""
    parts = {
        "ESMS_API_KEY": settings.esms_api_key,
        "ESMS_SECRET_KEY": settings.esms_secret_key,
        "ESMS_BRANDNAME": settings.esms_brandname,
    }
    missing = [name for name, value in parts.items() if not value]
    return [f"{name} chưa đặt (SMS cần đủ ba giá trị ESMS_…)" for name in missing] if len(missing) < len(parts) else []


def _local_keys(state: Path) -> dict[str, str]:
    """Return the laptop's own keys; two starts at once agree because only one can link the file into place."""
    path = state / "keys.json"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        fresh = {name: secrets.token_hex(_KEY_BYTES) for name in ("secret", "vault_key")}
        draft = state / f"keys.{os.getpid()}.{secrets.token_hex(4)}.tmp"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(fresh))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another start was faster; its keys hold
        finally:
            draft.unlink()
    keys: dict[str, str] = json.loads(path.read_text())
    return keys


@lru_cache(maxsize=1)
def read_settings() -> Settings:
    """Return the settings of this process, read once; raises ``UnusableSettings``."""
    try:
        return Settings()  # type: ignore[call-arg]  # pydantic-settings fills every field from the environment
    except ValidationError as error:
        raise UnusableSettings("; ".join(_told(problem) for problem in error.errors())) from None


def _told(problem: ErrorDetails) -> str:
    """Return one problem in words, without the value."""
    name = ".".join(map(str, problem["loc"]))
    reason = str(problem.get("ctx", {}).get("error", problem["msg"]))
    return f"{name}: {reason}" if name else reason
