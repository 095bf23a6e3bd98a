"""The list of pages: each with its path in a world, its template, and the function that returns its context."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from foas_emulator.console.clock import time_page
from foas_emulator.console.comparison import compare_page
from foas_emulator.console.coverage import coverage_page
from foas_emulator.console.faults import faults_page
from foas_emulator.console.instance import instance_page
from foas_emulator.console.job import job_page
from foas_emulator.console.journal import call_page, journal_page
from foas_emulator.console.resources import resources_page
from foas_emulator.console.scenarios import scenarios_page
from foas_emulator.console.settings import settings_page
from foas_emulator.console.site import View
from foas_emulator.console.worlds import worlds_page


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `name` is that of its entry in the menu.

    `turn` is what it waits for before it is made: a turn of pages; in a large world one of those that work on its
    `image`; or none, since it takes `its own` where it needs one.
    """

    path: str
    name: str
    template: str
    make: Callable[[View], Awaitable[dict[str, Any]]]
    turn: Literal["page", "image", "its own"] = "page"


PAGES = (
    Page("", "resources", "resources.html", resources_page, turn="image"),
    Page("job", "resources", "job.html", job_page),
    Page("instance", "resources", "instance.html", instance_page),
    Page("journal", "journal", "journal.html", journal_page),
    Page("journal/{request_id}", "journal", "call.html", call_page),
    Page("faults", "faults", "faults.html", faults_page),
    Page("time", "time", "time.html", time_page, turn="image"),
    Page("compare", "compare", "compare.html", compare_page, turn="its own"),
    Page("coverage", "coverage", "coverage.html", coverage_page),
    Page("settings", "settings", "settings.html", settings_page),
    Page("worlds", "worlds", "worlds.html", worlds_page),
    Page("scenarios", "scenarios", "scenarios.html", scenarios_page),
)
