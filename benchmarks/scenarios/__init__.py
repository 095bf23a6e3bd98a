"""The rows of the table, one module for each kind of them. A scenario is a function of the bench, known by its name."""

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.figures import Outcome
from benchmarks.scenarios.around import around
from benchmarks.scenarios.console import console
from benchmarks.scenarios.crowds import instances, worlds
from benchmarks.scenarios.memory import memory
from benchmarks.scenarios.reads import json, latency, signed, xml
from benchmarks.scenarios.resets import resets
from benchmarks.scenarios.rules import rules
from benchmarks.scenarios.startup import startup
from benchmarks.scenarios.writes import tour, uncached_read

Scenario = Callable[[Bench], Outcome]

SCENARIOS: tuple[Scenario, ...] = (
    json,
    signed,
    xml,
    uncached_read,
    tour,
    latency,
    startup,
    around,
    resets,
    memory,
    worlds,
    instances,
    rules,
    console,
)
