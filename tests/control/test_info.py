import asyncio
from pathlib import Path

import httpx
import pytest

from foas_emulator import __version__
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.settings import Settings
from tests.api import open_api
from tests.control.conftest import Control


def test_health_is_told_to_everybody(control: Control) -> None:
    assert control.ok("GET", "/health") == {"status": "ok"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9018", "https://[::1]:9019"])
def test_under_a_server_that_is_not_ours_it_tells_where_it_was_reached(control: Control, url: str) -> None:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(control.api.app)) as client:
            return await client.get(f"{url}/_emulator/info")

    assert asyncio.run(ask()).json()["listening"] == [url]


def test_address_of_a_socket_without_a_port_is_not_told(control: Control) -> None:
    assert control.ok("GET", "/info")["listening"] == []


def test_operations_are_counted_by_what_they_are_known_from(control: Control) -> None:
    info = control.ok("GET", "/info")
    assert info["version"] == __version__
    assert info["operations"]["count"] == len(OPERATIONS)
    assert sum(info["operations"]["evidence"].values()) == len(OPERATIONS)


def test_settings_are_shown_as_people_write_them_and_secrets_masked(tmp_path: Path) -> None:
    with open_api(access_keys=("id:hidden",), control_token="hidden", start_delay=30_000, data_dir=tmp_path) as api:
        answer = Control(api).send("GET", "/info", authorization="Bearer hidden")
        settings = answer.json()["settings"]
    assert list(settings) == list(Settings.__dataclass_fields__)
    assert "hidden" not in answer.text
    assert (settings["access_keys"], settings["control_token"]) == ("***", "***")
    assert (settings["start_delay"], settings["batch_duration"], settings["data_dir"]) == ("30s", None, str(tmp_path))
    assert (settings["seed"], settings["control_origins"], settings["port"]) == (["default"], [], 8018)


def test_memory_within_budgets_is_shown(control: Control, data_dir: Path | None) -> None:
    control.ok("PUT", "/worlds/grown", {"fork": "default"}, status=201)
    control.api.ok("ListProject")
    control.api.ok("ListProject")
    shown = control.ok("GET", "/info")["memory"]
    assert list(shown) == ["read_cache", "journal_bytes", "image_bytes", "world_bytes"]
    assert all(each["bytes"] <= each["limit"] for each in shown.values())
    assert shown["read_cache"]["bytes"] > 0
    assert shown["journal_bytes"]["bytes"] > 0
    assert (shown["image_bytes"]["bytes"] > 0) == (data_dir is None), "in a file, what a world resets to is a file too"
    assert (shown["world_bytes"]["bytes"] > 0) == (data_dir is None)
    control.send("DELETE", "/worlds/grown")
    assert control.ok("GET", "/info")["memory"]["image_bytes"]["bytes"] == 0


def test_an_image_that_takes_the_place_of_another_need_not_fit_beside_it() -> None:
    with open_api() as api:
        size = api.world.store.size
    with open_api(image_bytes=size * 3 // 2) as api:
        control = Control(api)
        control.ok("PUT", "/worlds/fork", {"fork": "default"}, status=201)
        for name in ("one", "two"):
            control.ok("POST", "/worlds/default/seed", {"projects": [{"Name": name}]}, status=204)
            control.ok("PUT", "/worlds/fork", {"fork": "default"})
        assert size <= api.registry.images.size <= api.registry.images.limit
        control.ok("POST", "/worlds/default/seed", {"projects": [{"Name": "three"}]}, status=204)
        assert "no room" in control.refused("PUT", "/worlds/another", {"fork": "default"}, status=503)
        assert "no room" in control.refused("PUT", "/worlds/default", {"fork": "default"}, status=503)


def test_images_beyond_their_budget_are_refused() -> None:
    with open_api(image_bytes=100) as api:
        answer = Control(api).send("PUT", "/worlds/grown", {"seed": "empty"})
        assert answer.status_code == 503
        assert "image_bytes" in answer.json()["hint"]
        assert api.registry.names() == ["default"]
