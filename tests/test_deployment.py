"""The files that run Hocphi elsewhere name things that exist: no container engine is needed to see that."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from service.__main__ import DOORS
from service.compiled import FOLDER, MODULES
from service.settings import Settings
from service.web import served

ROOT = Path(__file__).resolve().parent.parent
ALIASES = {str(field.validation_alias) for field in Settings.model_fields.values()}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def services() -> dict[str, str]:
    """Return the text of each service of compose.yaml by its name."""
    body = COMPOSE.split("\nservices:\n", 1)[1].split("\nvolumes:\n", 1)[0]
    parts = re.split(r"^  ([a-z]+):\n", body, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def started_modules(text: str) -> list[list[str]]:
    """Return the words after ``python -m`` of every command written as a list."""
    return [shlex.split(found.replace(",", " ")) for found in re.findall(r'\["python", "-m", ([^]]+)\]', text)]


def example_names() -> list[str]:
    return re.findall(r"^([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE)


def test_the_example_names_every_setting_and_leaves_it_at_its_default() -> None:
    assert len(example_names()) == len(set(example_names()))
    of_compose = {"POSTGRES_SHARED_BUFFERS", "POSTGRES_PASSWORD", "HOCPHI_APP_PASSWORD", "VALKEY_PASSWORD"}
    assert set(example_names()) - ALIASES == of_compose
    assert set(example_names()) >= ALIASES
    given = Settings(_env_file=ROOT / ".env.example")  # type: ignore[call-arg]  # pydantic-settings' own argument
    assert given.secret is None
    assert given.env == "development"
    assert given.state == Path(".hocphi")


def test_compose_asks_only_for_names_of_the_example_and_hands_over_known_settings() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert asked
    assert asked <= set(example_names())
    handed = set(re.findall(r"^ +([A-Z_]+):", COMPOSE, flags=re.MULTILINE))
    foreign = {"POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "REDISCLI_AUTH"}
    assert handed - foreign <= ALIASES
    assert handed >= {"HOCPHI_SECRET", "DATABASE_URL", "DATABASE_OWNER_URL"}


def test_only_the_preparation_knows_the_owner_and_only_the_demo_has_stand_ins() -> None:
    found = services()
    assert set(found) >= {"web", "worker", "sweeper", "prepare", "postgres", "valkey", "zalo", "mailbox"}
    before = COMPOSE.split("\nservices:\n", 1)[0]
    assert "DATABASE_OWNER_URL" not in before
    assert [name for name, text in found.items() if "DATABASE_OWNER_URL" in text] == ["prepare"]
    for name, text in found.items():
        assert ("service.standins" in text) == ("profiles: [demo]" in text), name


@pytest.mark.parametrize("name", ["web", "worker", "sweeper", "prepare", "postgres", "valkey"])
def test_what_runs_for_real_publishes_nothing_but_the_web_on_this_machine(name: str) -> None:
    ports = re.findall(r'"([0-9.:]+)"', "".join(re.findall(r"ports: (\[.*\])", services()[name])))
    assert ports == (["127.0.0.1:8000:8000"] if name == "web" else [])


@pytest.mark.parametrize("words", started_modules(DOCKERFILE + COMPOSE), ids=" ".join)
def test_every_command_exists(words: list[str]) -> None:
    module, *rest = words
    if module == "service":
        assert rest[0] in DOORS
        assert (ROOT / "service" / "commands" / f"{rest[0]}.py").exists()
    else:
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_the_image_copies_what_exists_is_not_root_and_asks_a_real_page() -> None:
    assert len(started_modules(DOCKERFILE)) == 1
    assert len(started_modules(COMPOSE)) >= 6
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, flags=re.MULTILINE)
    assert {"billing", "reconciliation", "notifications", "service", "alembic", "pyproject.toml"} <= set(copied)
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    for name in copied:
        assert (ROOT / name).exists()
        assert name in taken
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER 10001", last_stage, flags=re.MULTILINE)
    assert "/livez" in last_stage
    assert ("GET", "/livez") in served()
    assert "requirements-dev" not in last_stage


def test_the_rules_are_compiled_in_a_stage_of_their_own_by_the_python_that_runs_them() -> None:
    stages = DOCKERFILE.split("\nFROM ")[1:]
    assert len({stage.split()[0] for stage in stages}) == 1
    packages, compiled, last = stages
    assert "requirements-dev" not in packages + last
    assert re.findall(r"^COPY --from=(\S+) (\S+)", last, flags=re.MULTILINE) == [
        ("packages", "/opt/hocphi"),
        ("compiled", f"/build/{FOLDER}"),
    ]
    copied = set(re.findall(r"^COPY (\S+) ", compiled, flags=re.MULTILINE))
    assert copied == {"requirements-dev.lock", "tools", "service", *(name.split(".")[0] for name in MODULES)}
    assert "-m tools.compile" in compiled
    assert "assert prefer_compiled()" in last


def test_every_target_is_explained_and_runs_something_that_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, flags=re.MULTILINE))
    assert targets - explained == {"installed", "installed-dev"}
    for module in re.findall(r"-m (benchmarks\.\w+)", MAKEFILE):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for door in re.findall(r"-m service (\w+)", MAKEFILE):
        assert door in DOORS


def test_the_help_shows_each_target() -> None:
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607  make, wherever it is
    for target in ("demo", "test", "check", "proof", "lock", "clean"):
        assert f"make {target}" in shown.stdout


def test_no_lock_holds_an_address_and_every_package_has_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+(.*)", text, flags=re.MULTILINE)
        assert len(pins) > 40
        assert text.count("--hash=sha256:") >= len(pins)


def test_the_development_lock_holds_the_other_one_unchanged() -> None:
    """``make demo`` after ``make test`` must not change a version."""
    pins = [
        set(
            re.findall(
                r"^([A-Za-z0-9_.\[\]-]+==[^\s;]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE
            )
        )
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]
