import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from conftest import World

INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"


def status(world: World) -> int:
    """Your program makes this call, with an SDK that signs with world.access_key_id."""
    try:
        with urlopen(Request(world.endpoint + INSTANCE, headers={"x-emulator-world": world.name})) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_the_documented_instance_is_running(world: World) -> None:
    assert status(world) == 200


def test_a_failed_instance_is_refused(world: World) -> None:
    world.control("PUT", "/projects/project1/jobs/job1/instances/412536/state", {"ActualState": "FAILED"})
    assert status(world) == (200 if os.environ.get("EXAMPLE_MUST_FAIL") else 400)
