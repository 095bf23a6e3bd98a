"""Lists of pages that are cut say so, and what pages show does not stay in memory."""

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Any

import httpx
import pytest

from foas_emulator.console import application, comparison, instance, job, journal, resources, scenarios
from foas_emulator.console.pages import PAGES
from foas_emulator.console.site import View
from foas_emulator.control import images
from tests.api import open_api
from tests.console.conftest import CONSOLE, Console

SEED = """
projects:
  - Name: p
    jobs:
      - JobName: j
        JobType: FLINK_STREAM
        ApiType: SQL
        Code: SELECT 1 AS aaaaaaaaaaaaaaaaaaaaaaaa
        instances:
          - {ActualState: RUNNING}
          - {ActualState: TERMINATED, is_archived: true}
          - {ActualState: TERMINATED, is_archived: true}
          - {ActualState: TERMINATED, is_archived: true}
  - Name: q
  - Name: r
"""


def said(page: str, shown: int, total: int) -> bool:
    return f"The first {shown} of {total} are shown." in page


def test_a_list_of_projects_says_how_many_there_are(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MOST_PROJECTS", 2)
    control = console.api
    assert not said(console.get("/w/default/").text, 2, 2)
    control.request(
        "POST", "/_emulator/worlds/default/seed", content=SEED, headers={"content-type": "application/yaml"}
    )
    page = console.get("/w/default/?project=r").text
    assert said(page, 3, 5)
    assert "<option selected>r</option>" in page, "the chosen project is among the first, though it is the last"
    for seed in ("empty", {"projects": [{"Name": name} for name in "abcd"]}):
        control.request("PUT", "/_emulator/worlds/none", json={"seed": seed})
    assert said(console.get("/w/none/").text, 2, 4)


def test_the_worlds_to_compare_and_the_codes_of_the_journal_say_how_many_there_are(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MOST_WORLDS", 1)
    monkeypatch.setattr(journal, "MOST_CODES", 1)
    for name in ("alice", "bob"):
        console.api.request("PUT", f"/_emulator/worlds/{name}")
    for path in ("alice/jobs/j", "project1/jobs/job1/instances/999"):
        console.api.request("GET", f"/api/v2/projects/{path}")
    assert said(console.get("/w/default/compare").text, 1, 2)
    assert said(console.get("/w/default/journal").text, 1, 2)


def test_seeds_say_how_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MOST_SEEDS", 3)
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text("{}", "utf-8")
    with open_api(seed=(str(tmp_path),)) as api:
        page = Console(api).get("/w/default/scenarios").text
    assert said(page, 3, 4), "a built-in one, the directory, and its files"


def test_what_is_shown_of_a_job_and_its_instance_says_how_much_there_is(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, most in (
        (job, "MOST_INSTANCES", 2),
        (job, "MOST_CHARACTERS", 10),
        (instance, "MOST_VERTICES", 1),
    ):
        monkeypatch.setattr(module, name, most)
    yaml = {"content-type": "application/yaml"}
    begun = console.api.request("PUT", "/_emulator/worlds/w", content=f"seed:{indent(SEED, '  ')}", headers=yaml)
    assert begun.status_code == 201, begun.text
    assert said(console.get("/w/w/job?project=p&job=j&tab=instances").text, 2, 4)
    assert "26 more characters are not shown." in console.get("/w/w/job?project=p&job=j").text
    running = "instance?project=demo&job=running-stream&id=500002"
    assert "The first 1 of " in console.get(f"/w/default/{running}").text


@pytest.mark.parametrize("wanted", ["x" * 60, "1" * 16 + "." + "1" * 16 + "ms" + " " * 20])
def test_a_preview_is_of_the_whole_text(console: Console, wanted: str) -> None:
    page = console.get("/w/default/time", params={"preview": wanted}).text
    assert f'value="{wanted}"' in page


@pytest.mark.parametrize("tab", ["overview", "instances", "plan", "copy"])
def test_the_texts_of_a_page_do_not_stay_in_memory(console: Console, tab: str) -> None:
    size = 1_000_000
    job = {"JobName": "j", "JobType": "FLINK_STREAM", "ApiType": "SQL", "Code": "-- " + "x" * size}
    made = {"seed": {"projects": [{"Name": "p", "jobs": [job]}]}}
    assert console.api.request("PUT", "/_emulator/worlds/default", json=made).status_code == 200
    path = f"/w/default/job?project=p&job=j&tab={tab}"
    console.page(path)  # what is made once is made
    gc.collect()
    gc.disable()  # a rendered page is a cycle of its context and its macros
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        console.page(path)
        assert tracemalloc.get_traced_memory()[0] - before < size // 2
    finally:
        tracemalloc.stop()
        gc.enable()


def test_few_of_many_pages_are_made_at_once(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its texts, and its work on the event loop, between which an honest call is served."""
    page = next(each for each in PAGES if each.path == "coverage")
    at_once, most = 0, 0

    async def make(view: View) -> dict[str, Any]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return await page.make(view)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(console.api.app, client=console.client)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{console.host}") as client:
            return await asyncio.gather(*(client.get(f"{CONSOLE}/w/default/coverage") for _ in range(8)))

    monkeypatch.setattr(application, "PAGES", (replace(page, make=make),))
    assert [each.status_code for each in asyncio.run(ask())] == [200] * 8
    assert most == 2


def test_pages_are_made_while_others_wait_for_work_on_large_images(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a large snapshot is loaded, with several tabs open on the jobs of large worlds."""
    for module in (application, images):
        monkeypatch.setattr(module, "LARGE", 0)

    async def ask() -> tuple[int, list[int]]:
        transport = httpx.ASGITransport(console.api.app, client=console.client)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{console.host}{CONSOLE}/w/default/"
        ) as client:
            async with images.one_large_at_a_time(1):
                waiting = [asyncio.ensure_future(client.get(path)) for path in ("", "time?preview=idle", "") * 2]
                other = await asyncio.wait_for(client.get("settings"), 10)
                assert not any(each.done() for each in waiting)
            return other.status_code, [each.status_code for each in await asyncio.gather(*waiting)]

    assert asyncio.run(ask()) == (200, [200] * 6)
