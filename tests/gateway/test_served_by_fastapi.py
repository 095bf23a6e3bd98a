"""FastAPI serves what is not answered from memory: its request handler and its dependency solving run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import fastapi
import pytest
from fastapi.routing import APIRoute, APIRouter

from foas_emulator.operations.catalogue import GROUPS, OPERATIONS
from tests.running import running

PACKAGE = str(Path(fastapi.__file__).parent)
GET_INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"


@contextmanager
def traced() -> Iterator[set[tuple[str, str]]]:
    """Note module and name of every function of FastAPI that a thread begun inside calls."""
    called: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            called.add((Path(frame.f_code.co_filename).stem, frame.f_code.co_name))

    threading.setprofile(note)
    try:
        yield called
    finally:
        threading.setprofile(None)


def test_an_uncached_get_instance_runs_through_fastapi_and_a_repeated_one_does_not() -> None:
    with traced() as called, running() as server:
        called.clear()
        assert server.ask("GET", GET_INSTANCE)[0] == 200
        assert {("utils", "solve_dependencies"), ("utils", "request_params_to_args")} <= called
        assert {("routing", "app"), ("routing", "run_endpoint_function")} <= called
        called.clear()
        assert server.ask("GET", GET_INSTANCE)[0] == 200
        assert called == set(), "the response cache answers"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_a_path_operation_of_its_groups_router(operation: Any) -> None:
    (group,) = (each for each in GROUPS if each.name == operation.group)
    assert isinstance(group, APIRouter)
    assert isinstance(operation.route, APIRoute)
    assert operation.route in group.routes
    assert (operation.route.path, operation.route.methods) == (operation.path, {operation.method})
