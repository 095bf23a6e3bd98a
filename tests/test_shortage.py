"""What the system refuses to the emulator is no mistake of the emulator."""

import asyncio
from unittest.mock import patch

import pytest

from foas_emulator.world.shortage import in_thread, refused_by_system
from tests.api import Api

NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize("error", [OSError(), RuntimeError("no running event loop"), ValueError()])
def test_another_error_is_no_shortage(error: Exception) -> None:
    assert refused_by_system(error) is None


@pytest.mark.parametrize(("error", "said"), [(MemoryError(), "no more memory"), (NO_THREAD, "no further thread")])
def test_what_the_system_refuses_is_told_by_both_apis(
    error: Exception, said: str, seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("foas_emulator.operations.projects.service.list_project", refuse)
    monkeypatch.setattr(seeded_api.registry, "names", refuse)
    answer = seeded_api.request("GET", "/api/v2/projects")
    assert answer.status_code == 503
    assert "ServiceUnavailable" in answer.text
    assert said in answer.headers["x-emulator-hint"]
    control = seeded_api.request("GET", "/_emulator/worlds")
    assert control.status_code == 503
    assert said in control.json()["hint"]


def test_work_is_done_without_a_thread_where_the_system_allows_none() -> None:
    with patch("asyncio.to_thread", side_effect=NO_THREAD):
        assert asyncio.run(in_thread(max, [1, 2], default=3)) == 2


def test_an_error_of_the_work_itself_is_no_shortage() -> None:
    done = []

    def fail() -> None:
        done.append(1)
        raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError, match="the work failed"):
        asyncio.run(in_thread(fail))
    assert done == [1], "it is not done again"


def test_the_console_shows_its_pages_without_a_thread(seeded_api: Api) -> None:
    with patch("asyncio.to_thread", side_effect=NO_THREAD):
        assert seeded_api.request("GET", "/_emulator/console/w/default/journal").status_code == 200
