from sys import getsizeof
from typing import Any, cast

import pytest

from foas_emulator.operations.instances import service
from foas_emulator.pipeline.cache_reads import CachedResponse, ReadCache
from foas_emulator.world.world import World
from tests.api import Api, open_api
from tests.wire import INSTANCE, Heard, ask

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The instances that GetInstance was really asked for."""
    real, asked = service.get_instance, []

    def counted(world: Any, project_name: str, job_name: str, instance_id: int) -> Any:
        asked.append(f"{world.name}/{instance_id}")
        return real(world, project_name, job_name, instance_id)

    monkeypatch.setattr(service, "get_instance", counted)
    return asked


def without_request_id(heard: Heard) -> str:
    return heard.text.replace(heard.headers["x-acs-request-id"], "")


def test_read_that_comes_again_is_answered_alike_under_a_new_request_id(served: Api, calls: list[str]) -> None:
    first, second = ask(served.app), ask(served.app)
    assert calls == ["default/412536"]
    assert without_request_id(first) == without_request_id(second)
    assert first.headers["x-acs-request-id"] != second.headers["x-acs-request-id"] == second.members["RequestId"]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (INSTANCE.replace("412536", "123"), {}),
        (f"{INSTANCE}?a=1", {}),
        (INSTANCE, {"accept": "text/xml"}),
        (INSTANCE, {"x-emulator-world": "other"}),
    ],
)
def test_other_path_query_format_or_world_is_another_read(
    served: Api, calls: list[str], target: str, headers: dict[str, str]
) -> None:
    ask(served.app)
    ask(served.app, target, headers=headers)
    assert len(calls) == 2


def test_any_write_to_the_world_ends_what_was_kept(served: Api, calls: list[str]) -> None:
    ask(served.app)
    written = ask(served.app, "/api/v2/projects/demo/folders", method="POST", headers=FORM, body=b"path=/new")
    assert written.status == 200
    ask(served.app)
    assert len(calls) == 2


def test_refused_write_and_writes_to_other_worlds_leave_it(served: Api, calls: list[str]) -> None:
    ask(served.app)
    folders = "/api/v2/projects/demo/folders"
    assert ask(served.app, folders, method="POST", headers=FORM, body=b"").status == 400
    assert (
        ask(served.app, folders, method="POST", headers=FORM | {"x-emulator-world": "o"}, body=b"path=/n").status == 200
    )
    ask(served.app)
    assert len(calls) == 1


def test_reset_and_settings_end_what_was_kept(served: Api, calls: list[str]) -> None:
    ask(served.app)
    served.world.set({"not_running": "answer"})
    ask(served.app)
    served.registry.reset("default")
    ask(served.app)
    assert len(calls) == 3


def test_pending_change_that_comes_due_ends_what_was_kept(served: Api) -> None:
    served.world.set({"stop_delay": "5s"})
    ask(served.app, f"{INSTANCE}/expectstate", method="PUT", headers=FORM, body=b"expectState=TERMINATED")
    assert [ask(served.app).status for _ in range(2)] == [200, 200]
    with served.world.transaction():
        served.world.clock.put(served.world.clock.ahead(5_000))
    assert ask(served.app).code == "InvalidInstance.NotRunning"


def test_a_read_with_a_body_is_not_kept_since_its_key_has_no_body(served: Api, calls: list[str]) -> None:
    for body in (b"a=1", b"a=1", b"a=2"):
        assert ask(served.app, headers=FORM, body=body).status == 200
    assert len(calls) == 3


def test_refusals_are_not_kept(served: Api, calls: list[str]) -> None:
    for _ in range(2):
        assert ask(served.app, INSTANCE.replace("412536", "1")).status == 404
    assert len(calls) == 2


def test_limit_of_0_keeps_nothing(calls: list[str]) -> None:
    with open_api(read_cache=0) as served:
        assert ask(served.app).status == ask(served.app).status == 200
    assert len(calls) == 2


def test_what_was_asked_for_least_recently_goes_first(calls: list[str]) -> None:
    other = INSTANCE.replace("412536", "123")
    with open_api(read_cache=2 * 6000) as served:
        for target in (INSTANCE, other, INSTANCE, f"{INSTANCE}?third", INSTANCE):
            assert ask(served.app, target).status == 200
        assert calls == ["default/412536", "default/123", "default/412536"]
        ask(served.app, other)
        assert calls[3:] == ["default/123"]


def test_names_of_a_long_query_that_nothing_reads_count_as_kept_bytes(served: Api) -> None:
    def kept_bytes() -> int:
        size: int = served.request("GET", "/_emulator/info").json()["memory"]["read_cache"]["bytes"]
        return size

    names = [f"unread{number}" for number in range(2000)]
    assert ask(served.app, f"{INSTANCE}?{'&'.join(names)}").status == 200
    assert kept_bytes() > sum(map(getsizeof, names))


def response_of(size: int) -> CachedResponse:
    """A response of no world, since nobody asks whether it is current."""
    return CachedResponse(object(), cast(World, None), (), b"", b"", (), size=size)


def test_a_cache_counts_a_response_that_takes_another_ones_place_once() -> None:
    cache = ReadCache(limit=1000)
    cache.put(b"a", response_of(100))
    cache.put(b"b", response_of(50))
    assert cache.size == 150
    cache.put(b"a", response_of(30))
    assert cache.size == 80


def test_a_response_fits_that_fills_a_half_of_the_cache_and_none_that_is_larger() -> None:
    cache = ReadCache(limit=1000)
    cache.put(b"larger", response_of(501))
    assert cache.get(b"larger") is None
    cache.put(b"a", response_of(200))
    cache.put(b"b", response_of(300))
    assert cache.size == 500
    cache.put(b"c", response_of(1))
    assert (cache.size, cache.get(b"a") is not None) == (501, True), "a and b are in the older half now"


def test_a_response_that_is_read_again_moves_to_the_younger_half_and_counts_once() -> None:
    cache = ReadCache(limit=1000)
    cache.put(b"a", response_of(200))
    cache.put(b"b", response_of(250))
    cache.put(b"c", response_of(100))
    assert cache.size == 550, "a and b are in the older half now"
    for _ in range(2):
        assert cache.get(b"a") is not None
        assert cache.size == 550
    cache.put(b"d", response_of(250))
    assert (cache.size, cache.get(b"b")) == (550, None), "a and c are in the older half now"
