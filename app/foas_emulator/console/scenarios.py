"""Worlds for testing front ends, at one click: all running, empty, all failed, 5,000 jobs, a mess."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foas_emulator.console import messages
from foas_emulator.console.access import BASE
from foas_emulator.console.language import mark
from foas_emulator.console.messages import Message
from foas_emulator.console.seed_text import seed_text
from foas_emulator.console.shown import shown_foreign_form, shown_plain
from foas_emulator.console.site import Site, View
from foas_emulator.control.off_loop import SMALL, off_loop
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.seeds.image import image_of
from foas_emulator.seeds.reading import BUILT_IN, SeedError, parse_seed, read_seeds, seed_files
from foas_emulator.world.files import WorldFileError
from foas_emulator.world.images import ImageBudgetError
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.store import Connections
from foas_emulator.world.world import World

ORDERS = """CREATE TABLE orders (
  order_id BIGINT,
  item VARCHAR,
  amount DOUBLE
) WITH (
  type = 'datahub',
  topic = 'orders'
);

CREATE TABLE sales (item VARCHAR, total DOUBLE) WITH (type = 'print');

INSERT INTO sales
SELECT item, SUM(amount) FROM orders GROUP BY item;
"""
MANY = 5000
MOST_SEEDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world to start from: its name, a description of its contents, and the seed document that makes it."""

    name: str
    title: str
    text: str
    document: Callable[[], Mapping[str, Any]]


def _job(name: str, state: str | None = None, **members: Any) -> dict[str, Any]:
    job: dict[str, Any] = {"JobName": name, "Code": ORDERS, **members}
    if state is not None:
        job["instances"] = [{"ActualState": state}]
    return job


def _failed(name: str, why: str, **members: Any) -> dict[str, Any]:
    return {**_job(name, **members), "instances": [{"ActualState": "FAILED", "LastErrorMessage": why}]}


def _everything_running() -> Mapping[str, Any]:
    names = ("orders", "payments", "clicks", "stock", "alerts", "reports-daily")
    return {"projects": [{"Name": "shop", "jobs": [_job(name, "RUNNING") for name in names]}]}


def _all_failed() -> Mapping[str, Any]:
    reasons = {
        "orders": "java.io.IOException: connection to datahub topic orders was refused",
        "payments": "org.apache.flink.util.FlinkException: the checkpoint expired before it was complete",
        "clicks": "java.lang.OutOfMemoryError: Java heap space",
        "stock": "com.mysql.jdbc.exceptions.jdbc4.CommunicationsException: communications link failure",
    }
    return {"projects": [{"Name": "shop", "jobs": [_failed(name, why) for name, why in reasons.items()]}]}


def _night_shift() -> Mapping[str, Any]:
    flapping = {
        **_job("clicks"),
        "instances": [
            {
                "ActualState": "RUNNING",
                "timeline": [
                    {"after": "30s", "ActualState": "FAILED", "LastErrorMessage": "lost its task managers"},
                ],
            }
        ],
    }
    jobs = [
        _job("orders", "RUNNING"),
        _failed("payments", "org.apache.flink.util.FlinkException: the checkpoint expired before it was complete"),
        flapping,
        _job("stock", "PAUSED"),
        _job("alerts", "WAITING"),
        _job("reports", "TERMINATED"),
        _job("half-done", IsCommitted=False),
        _job("夜班对账", "RUNNING"),
    ]
    return {
        "projects": [{"Name": "shop", "jobs": jobs}],
        "settings": {"start_delay": "45s", "stop_delay": "20s"},
        "faults": [{"match": {"operation": "StartJob"}, "effect": {"error": "Throttling.User"}, "times": 2}],
    }


def _many() -> Mapping[str, Any]:
    states = ("RUNNING", "RUNNING", "RUNNING", "PAUSED", "TERMINATED", "FAILED", "WAITING", None)
    folders = [{"Path": f"/team-{number:02}", "FolderId": 2 + number} for number in range(20)]
    jobs = [
        {
            "JobName": f"job-{number:04}",
            "Code": "",
            "FolderId": 2 + number % 20,
            **({} if (state := states[number % len(states)]) is None else {"instances": [{"ActualState": state}]}),
        }
        for number in range(MANY)
    ]
    return {"projects": [{"Name": "large", "folders": folders, "jobs": jobs}]}


SCENARIOS = (
    Scenario(
        name="everything-running",
        title=mark("Everything runs"),
        text=mark("Six healthy jobs with curves and checkpoints: the page as it should look."),
        document=_everything_running,
    ),
    Scenario(
        name="nothing",
        title=mark("Nothing is there"),
        text=mark("No project, no cluster, no job: the first day, and every empty list."),
        document=dict,
    ),
    Scenario(
        name="all-failed",
        title=mark("All has failed"),
        text=mark("Four jobs, four reasons: long messages, exceptions, red everywhere."),
        document=_all_failed,
    ),
    Scenario(
        name="night-shift",
        title=mark("The night shift's mess"),
        text=mark("One of each state, a start that takes 45 s and is throttled twice, a job that fails in 30 s."),
        document=_night_shift,
    ),
    Scenario(
        name="five-thousand",
        title=mark("5,000 jobs"),
        text=mark("In twenty folders and every state: paging, filters and long lists."),
        document=_many,
    ),
)


async def scenarios_page(view: View) -> dict[str, Any]:
    """Return the context of the page: the scenarios, then the named seeds."""
    wanted = next((each for each in SCENARIOS if each.name == view.query.get("show")), None)
    text = None
    if wanted is not None and wanted.name != "five-thousand":
        text = seed_text(wanted.document())
    return {"scenarios": SCENARIOS, "seeds": seeds_of(view.site), "shown": wanted, "document": text}


def seeds_of(site: Site) -> list[str]:
    """Return the built-in seeds, then those with which the server was started; for a directory its documents too."""
    found = list(BUILT_IN)
    for source in site.settings.get("seed", ()):
        try:
            documents = seed_files(source)
        except (OSError, SeedError):
            documents = []  # the directory has been emptied since
        found += [source, *documents]
    return list(dict.fromkeys(found))[:MOST_SEEDS]


async def begin(site: Site, world: World, request: Request) -> Response:
    """Replace the world by a scenario, or by a seed with which the server was started."""
    async with request.form(max_files=0, max_fields=10) as form:
        given = {name: str(form.get(name, "")) for name in ("token", "scenario", "seed")}
    if not site.access.allows_form(request, given["token"]):
        return await shown_foreign_form(request)
    make = _document_maker(site, given)
    if make is None:
        return await shown_plain(request, status=HTTPStatus.NOT_FOUND, title=mark("There is no such scenario."))
    response = RedirectResponse(f"{BASE}/w/{world.name}/", HTTPStatus.SEE_OTHER)
    try:
        site.registry.create_or_replace(world.name, await off_loop(SMALL + 1, lambda: _image(site, make)))
        messages.put(response, Message(ok=True, title=mark("The world begins anew.")))
    except (ImageBudgetError, SeedError, WorldFileError, WorldLimitError) as error:
        messages.put(response, Message(ok=False, title=mark("The world stays as it is."), hint=str(error)))
    return response


def _document_maker(site: Site, given: Mapping[str, str]) -> Callable[[], list[SeedDocument]] | None:
    scenario = next((each for each in SCENARIOS if each.name == given["scenario"]), None)
    if scenario is not None:
        return lambda: [parse_seed(json.dumps(scenario.document()), scenario.name)]
    if given["seed"] in seeds_of(site):
        return lambda: read_seeds([given["seed"]])
    return None


def _image(site: Site, make: Callable[[], list[SeedDocument]]) -> bytes:
    """Return the image of documents, made with separate connections: those of worlds belong to the event loop."""
    return image_of(make(), connections=Connections(), handlers=site.registry.handlers, defaults=site.registry.defaults)
