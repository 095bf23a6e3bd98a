"""The stream of a world's events, for an open page: calls as rows of the journal, and changes of the world."""

import json

from starlette.requests import Request
from starlette.responses import Response

from foas_emulator.console.access import BASE
from foas_emulator.console.language import translator
from foas_emulator.console.preferences import preferred
from foas_emulator.console.rendering import environment
from foas_emulator.console.rows import row_of
from foas_emulator.console.site import Site
from foas_emulator.control.events import EventStream
from foas_emulator.journal.entries import WorldJournal
from foas_emulator.journal.events import News
from foas_emulator.world.world import World


async def event_stream(site: Site, world: World, request: Request) -> Response:
    """Return the events of a world from now on; calls are rows of HTML, rendered as on the page."""
    translate = translator(preferred(request).language)
    template = environment().get_template("rows.html")
    home = f"{BASE}/w/{world.name}"

    def written(news: News) -> str:
        rows = [row_of(number, entry) for number, entry in news.entries]
        html = template.render(rows=rows[::-1], _=translate, home=home, fresh=True)
        return json.dumps({"rows": html, "calls": len(rows), "more": news.more, "changed": news.has_changed})

    def observe() -> tuple[World | None, WorldJournal]:
        return site.registry.peek(world.name), site.journal.world_journal(world.name)

    return EventStream(observe, written)
