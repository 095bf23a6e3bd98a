"""The time that `foas-emulator run` adds to a test suite."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Row, Series, interleaved
from benchmarks.peers import emulator
from benchmarks.servers import MeasurementError

_ALONE, _AROUND = "the suite alone", "the suite in foas-emulator run"
_SUITE = """
import json
import os

import pytest
from aliyunsdkcore.client import AcsClient
from aliyunsdkfoas.request.v20181111.GetInstanceRequest import GetInstanceRequest


@pytest.mark.parametrize("number", range(50))
def test_a_call(number):
    request = GetInstanceRequest()
    request.set_projectName("project1")
    request.set_jobName("job1")
    request.set_instanceId("-1")
    if "TOLD" in os.environ:
        request.set_endpoint(os.environ["TOLD"])
    client = AcsClient(os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID", "test"), "test", "cn-hangzhou")
    assert json.loads(client.do_action_with_exception(request))["Instance"]["Id"] == 412536
"""
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "xdist", "-p", "no:cacheprovider", "-n", "4")


def around(bench: Bench) -> Outcome:
    """50 tests with a call each on 4 workers, on both cores: told where a server is that runs, or run by `run`.

    So `run` is charged with the start of its server, its certificates, and the proxy and TLS that the calls go through.
    """
    what = "a suite of 50 tests on 4 workers"
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        with TemporaryDirectory() as directory, emulator().serving(bench.document) as server:
            suite = Path(directory) / "test_suite.py"
            suite.write_text(_SUITE, "utf-8")
            pytest = (*_PYTEST, str(suite))
            run = (sys.executable, "-m", "foas_emulator", "run", "--", *pytest)
            told = {"TOLD": f"http://127.0.0.1:{server.port}"}
            measures = {_ALONE: partial(_seconds, pytest, told), _AROUND: partial(_seconds, run, {})}
            interleaved(measures, 1)
            rounds, failed = interleaved(measures, bench.effort.starts)
    finally:
        os.sched_setaffinity(0, cores)
    series = Series(what, "s", rounds, missing=failed)
    title = "what foas-emulator run adds to a suite of 50 tests on 4 workers"
    if failed:
        return Outcome((Row(title, None, 1.5, 1.0, "s", note="; ".join(failed.values())),), (series,))
    alone, within = series.counted(_ALONE), series.counted(_AROUND)
    row = Row(title, within - alone, 1.5, 1.0, "s", note=f"{within:.2f} s against {alone:.2f} s")
    return Outcome((row,), (series,))


def _seconds(command: Sequence[str], variables: Mapping[str, str]) -> float:
    # Plugins that happen to be installed would take most of the time, on both sides.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    started = time.perf_counter()
    ran = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    if ran.returncode:
        raise MeasurementError(f"the suite fails: {ran.stdout[-500:]}{ran.stderr[-500:]}")
    return time.perf_counter() - started
