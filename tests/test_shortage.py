"""A resource that the system refuses is not reported as a fault of the emulator."""

import asyncio
import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from foas_emulator import logs
from foas_emulator.cli import main
from foas_emulator.console import resources
from foas_emulator.control import documents
from foas_emulator.gateway import formats
from foas_emulator.serving import server
from foas_emulator.serving.server import StartError
from foas_emulator.testing import Emulator
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.world.threads import in_thread
from tests.api import Api, open_api

NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize("error", [OSError(), RuntimeError("no running event loop"), ValueError()])
def test_another_error_is_no_shortage(error: Exception) -> None:
    assert refused_by_system(error) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "no more memory"),
        (NO_THREAD, "no further thread"),
        (OSError(errno.EMFILE, "no"), "no further file"),
    ],
)
def test_what_the_system_refuses_is_reported_by_both_apis(
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


@pytest.mark.parametrize("target", ["/api/v2/projects", "/api/v2/projects/nowhere/jobs/none"])
def test_what_is_lacking_to_write_xml_is_reported_as_json(
    target: str, seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(formats, "_xml", refuse)
    answer = seeded_api.request("GET", f"{target}?Format=XML")
    assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable")
    assert "no further file" in answer.headers["x-emulator-hint"]


def test_a_body_that_the_system_lets_nobody_read_is_not_called_wrong(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NO_THREAD

    monkeypatch.setattr(documents, "off_loop", refuse)
    answer = seeded_api.request("PUT", "/_emulator/worlds/default/settings", json={"latency": "0ms"})
    assert answer.status_code == 503
    assert "no further thread" in answer.json()["hint"]


def test_a_file_of_a_page_that_the_system_does_not_open_is_answered_in_full(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("anyio.open_file", refuse)
    answer = seeded_api.request("GET", "/static-offline-docs/swagger-ui-bundle.js")
    assert answer.status_code == 503
    assert "no further file" in answer.json()["hint"]


def test_work_is_done_without_a_thread_where_the_system_allows_none() -> None:
    with patch("asyncio.to_thread", side_effect=NO_THREAD):
        assert asyncio.run(in_thread(max, [1, 2], default=3)) == 2


def test_two_threads_work_at_once() -> None:
    working, most = set[int](), [0]

    def work(number: int) -> None:
        working.add(number)
        most[0] = max(most[0], len(working))
        time.sleep(0.01)
        working.discard(number)

    async def many() -> None:
        await asyncio.gather(*(in_thread(work, number) for number in range(12)))

    asyncio.run(many())
    asyncio.run(many())  # in another loop
    assert most == [2], "each of them may keep the loop from the interpreter"


def test_an_error_of_the_work_itself_is_no_shortage() -> None:
    done = []

    def fail() -> None:
        done.append(1)
        raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError, match="the work failed"):
        asyncio.run(in_thread(fail))
    assert done == [1], "it is not done again"


@contextmanager
def without_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(_: threading.Thread) -> None:
        raise NO_THREAD

    with monkeypatch.context() as starved:
        starved.setattr(threading.Thread, "start", refuse)
        yield


PAGES = ("", "journal", "coverage", "settings", "nothing")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_no_thread(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NO_THREAD

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    with open_api() as api:
        answer = api.request("GET", f"/_emulator/console/w/default/{page}")
        assert answer.status_code == (404 if page == "nothing" else 200)
        assert "<html" in answer.text


@pytest.mark.parametrize(("error", "status", "said"), [(NO_THREAD, 503, "thread"), (ValueError(), 500, "fault")])
def test_what_a_page_lacks_is_reported(
    error: Exception, status: int, said: str, seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(resources, "overview_of", refuse)
    answer = seeded_api.request("GET", "/_emulator/console/w/default/")
    assert answer.status_code == status
    assert said in answer.json()["hint"]


def test_a_loop_ends_though_the_system_allows_no_thread_to_wait_for_its_threads() -> None:
    with pytest.MonkeyPatch.context() as starved:

        def refuse(_: threading.Thread) -> None:
            raise NO_THREAD

        async def use_a_thread() -> None:
            await asyncio.to_thread(int)
            starved.setattr(threading.Thread, "start", refuse)

        with server.event_loop_runner() as runner:
            runner.run(use_a_thread())
    with pytest.raises(RuntimeError, match="new thread"), server.event_loop_runner():
        raise NO_THREAD


def test_a_server_in_a_thread_that_the_system_refuses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with without_threads(monkeypatch), pytest.raises(StartError, match="no further thread"), Emulator():
        pass


@pytest.mark.parametrize("command", [["run", "true"], ["worlds", "--url", "http://127.0.0.1:1"]])
def test_a_command_without_a_thread_says_so_in_one_line(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "configure", lambda **_: None)  # that is for a process of its own
    with without_threads(monkeypatch):
        result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.output.startswith("The system gives the emulator no further thread: ")
    assert result.output.count("\n") == 1
