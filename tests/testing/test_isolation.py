"""Many tests beside each other against one server, and many threads in one world."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from typing import Any

import pytest

from foas_emulator.testing import Emulator, World

pytest_plugins = ["pytester"]

LIFECYCLES = """
    import json
    import urllib.parse
    import urllib.request

    import pytest

    JOB = "/api/v2/projects/demo/jobs/committed-never-started"

    def call(world, method, path, **form):
        url = world.endpoint + path
        body = urllib.parse.urlencode(form).encode() if form else None
        headers = {**world.headers, "accept": "application/json"}
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    @pytest.mark.parametrize("number", range(200))
    def test_lifecycle(foas_world, number):
        year = 2000 + number
        foas_world.clock.freeze(f"{year}-01-01T00:00:00Z")
        started = foas_world.clock.now
        foas_world.settings.update(start_delay=f"{number + 1}s", stop_delay=f"{number + 2}s", not_running="answer")
        call(foas_world, "POST", f"{JOB}/instance")
        assert call(foas_world, "GET", f"{JOB}/instances/-1")["Instance"]["ActualState"] == "WAITING"
        (change,) = foas_world.clock.advance_until_idle()
        assert change.at == started + (number + 1) * 1000
        running = call(foas_world, "GET", f"{JOB}/instances/-1")["Instance"]
        assert (running["ActualState"], running["StartTime"]) == ("RUNNING", change.at)
        call(foas_world, "PUT", f"{JOB}/instances/-1/expectstate", expectState="TERMINATED")
        foas_world.clock.advance(f"{number + 2}s")
        ended = call(foas_world, "GET", f"{JOB}/instances/-1")["Instance"]
        assert (ended["ActualState"], ended["EndTime"]) == ("TERMINATED", started + (2 * number + 3) * 1000)
        assert len(foas_world.journal.entries()) == 5
    """


def test_200_tests_on_8_workers_share_a_server_and_do_not_meet(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LIFECYCLES)
    with Emulator() as emulator:
        result = pytester.runpytest_subprocess("-n", "8", "-q", f"--foas-url={emulator.url}", timeout=200)
        result.assert_outcomes(passed=200)
        assert emulator.worlds() == ["default"]


def post(world: World, path: str, **form: str) -> str:
    """The code that answers a call, or OK."""
    body = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(world.endpoint + path, body, world.headers, method="POST")
    try:
        with urllib.request.urlopen(request):
            return "OK"
    except urllib.error.HTTPError as error:
        with error:
            return str(json.load(error)["Code"])


def in_threads(count: int, what: Any) -> None:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            what(number)
        except BaseException as error:  # noqa: BLE001 - it is raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_two_threads_in_one_world_see_their_calls_one_after_the_other() -> None:
    answers: list[Counter[str]] = [Counter(), Counter()]

    with Emulator() as emulator:
        world = emulator.world("shared")

        def create_jobs(number: int) -> None:
            for job in range(50):
                form = {"jobName": f"job{job}", "jobType": "FLINK_STREAM", "apiType": "DATASTREAM", "code": "k=v"}
                answers[number][post(world, "/api/v2/projects/demo/jobs", **form)] += 1

        in_threads(2, create_jobs)
        jobs = [job["job_name"] for job in world.snapshot()["tables"]["jobs"] if job["job_name"].startswith("job")]
        entries = world.journal.entries(operation="CreateJob")

    assert answers[0]["OK"] + answers[1]["OK"] == 50
    assert sum((answers[0] + answers[1]).values()) == 100
    assert set(answers[0] + answers[1]) == {"OK", "InvalidJob.Duplicate"}
    assert sorted(jobs) == sorted(["job1", *(f"job{job}" for job in range(50))])
    assert len({entry["request_id"] for entry in entries}) == 100


def test_threads_that_share_a_handle_do_not_mix_up_its_answers() -> None:
    with Emulator() as emulator:
        worlds = [emulator.world(f"w{number}") for number in range(4)]
        shared = emulator.world("shared")

        def use(number: int) -> None:
            for step in range(20):
                worlds[number].settings["start_delay"] = f"{number * 100 + step}ms"
                expected = f"{number * 100 + step}ms" if number * 100 + step else "0s"
                assert worlds[number].settings["start_delay"] == expected
                assert shared.settings["start_delay"] == "0s"

        in_threads(4, use)
