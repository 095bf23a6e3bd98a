"""Worlds for testing front ends, at one click: all running, empty, all failed, 5,000 jobs, a mess."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foas_emulator.console import messages
from foas_emulator.console.access import BASE, LONGEST_FIELD
from foas_emulator.console.language import mark
from foas_emulator.console.messages import Message
from foas_emulator.console.shown import shown_foreign_form, shown_plain
from foas_emulator.console.site import Site, View
from foas_emulator.control.images import one_large_at_a_time
from foas_emulator.control.off_loop import UNKNOWN, off_loop
from foas_emulator.control.staging import staged_image
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.image import image_for
from foas_emulator.seeds.names import BUILT_IN, MADE
from foas_emulator.seeds.reading import built_in_text, read_seeds, seed_files
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.images import ImageBudgetError
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.world import World

MOST_SEEDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A built-in seed to start from: its name, its title here, and a description of its contents."""

    name: str
    title: str
    text: str

    @property
    def can_be_shown(self) -> bool:
        """Whether the document of the scenario is short enough for a page."""
        return self.name != MADE


SCENARIOS = (
    Scenario(
        name="everything-running",
        title=mark("Everything runs"),
        text=mark("Six healthy jobs with curves and checkpoints: the page as it should look."),
    ),
    Scenario(
        name="empty",
        title=mark("Nothing is there"),
        text=mark("No project, no cluster, no job: the first day, and every empty list."),
    ),
    Scenario(
        name="all-failed",
        title=mark("Everything has failed"),
        text=mark("Four jobs, four reasons: long messages, exceptions, red everywhere."),
    ),
    Scenario(
        name="night-shift",
        title=mark("The night shift's mess"),
        text=mark("One of each state, a start that takes 45 s and is throttled twice, a job that fails in 30 s."),
    ),
    Scenario(
        name="five-thousand",
        title=mark("5,000 jobs"),
        text=mark("In twenty folders and every state: paging, filters and long lists."),
    ),
)


async def scenarios_page(view: View) -> dict[str, Any]:
    """Return the context of the page: the scenarios, then the named seeds."""
    wanted = next((each for each in SCENARIOS if each.name == view.query.get("show")), None)
    text = built_in_text(wanted.name) if wanted is not None and wanted.can_be_shown else None
    seeds = seeds_of(view.site)
    return {
        "scenarios": SCENARIOS,
        "seeds": seeds[:MOST_SEEDS],
        "total": len(seeds),
        "shown": wanted,
        "document": text,
    }


def seeds_of(site: Site) -> list[str]:
    """Return the seeds that are no scenarios, then those with which the server was started and their documents."""
    scenarios = {each.name for each in SCENARIOS}
    found = [name for name in BUILT_IN if name not in scenarios]
    for source in site.settings.get("seed", ()):
        if source in scenarios or Path(source).is_fifo():  # a pipe holds nothing any more, and to open it may wait
            continue
        try:
            documents = seed_files(source)
        except (OSError, SeedError):
            documents = []  # the directory has been emptied since
        found += [source, *documents]
    return list(dict.fromkeys(found))


async def begin(site: Site, world: World, request: Request) -> Response:
    """Replace the world by a scenario, or by a seed with which the server was started."""
    async with request.form(max_files=0, max_fields=10, max_part_size=LONGEST_FIELD) as form:
        token, seed = (str(form.get(name, "")) for name in ("token", "seed"))
    if not site.access.allows_form(request, token):
        return await shown_foreign_form(request)
    if seed not in BUILT_IN and seed not in seeds_of(site):
        return await shown_plain(request, status=HTTPStatus.NOT_FOUND, title=mark("There is no such scenario."))
    response = RedirectResponse(f"{BASE}/w/{world.name}/", HTTPStatus.SEE_OTHER)
    try:
        async with one_large_at_a_time(UNKNOWN):
            image = await off_loop(UNKNOWN, lambda: image_for(site.registry, read_seeds([seed])))
            async with staged_image(image, site.registry, name=world.name, with_origin=True) as staged:
                site.registry.create_or_replace(world.name, image, staged)
        messages.put(response, Message(ok=True, title=mark("The world starts over.")))
    except (ImageBudgetError, SeedError, WorldFileError, WorldLimitError) as error:
        messages.put(response, Message(ok=False, title=mark("The world stays as it is."), hint=str(error)))
    return response
