"""One undisturbed run of the main job, shared by all journeys."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.embedded import erase
from tests.journeys.playing import Demo, start


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that nobody disturbed, at its end."""
    state = Path(tmp_path_factory.mktemp("undisturbed"))
    demo = start(state)
    code = demo.finish()
    assert code == 0, demo.words + (state / "errors.txt").read_text(encoding="utf-8")[-2000:]
    yield demo
    erase(state)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    """Start a demo, again and again on the same state folder; however the test ends, none is left running."""
    played = []

    def begin() -> Demo:
        played.append(start(tmp_path))
        return played[-1]

    yield begin
    for demo in played:
        demo.end()
    erase(tmp_path)
