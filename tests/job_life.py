"""Print how many functions are called for each of the six writes of a job's life, after a first run of all."""

import asyncio
import sys
from urllib.parse import urlencode

from tests.api import Api, open_api
from tests.hot_read import request
from tests.operations import building

JOBS = "/api/v2/projects/p/jobs"
CALLS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("CreateJob", "POST", JOBS, {"jobName": "j", "jobType": "FLINK_STREAM", "apiType": "DATASTREAM", "code": "a=b"}),
    ("CommitJob", "PUT", f"{JOBS}/j/commit", {}),
    ("StartJob", "POST", f"{JOBS}/j/instance", {}),
    ("ModifyInstanceState", "PUT", f"{JOBS}/j/instances/-1/expectstate", {"expectState": "TERMINATED"}),
    ("OfflineJob", "PUT", f"{JOBS}/j/offline", {}),
    ("DeleteJob", "DELETE", f"{JOBS}/j", {}),
)


async def _live(api: Api) -> dict[str, int]:
    """Let a job live once; return the number of functions, of Python and of C, that each call calls."""
    counted: dict[str, int] = {}
    for name, method, path, parameters in CALLS:
        scope: dict[str, object] = {
            "type": "http",
            "scheme": "http",
            "method": method,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(parameters).encode(),
            "headers": [(b"host", b"127.0.0.1:8018"), (b"accept", b"application/json")],
            "state": {},
        }
        counted[name] = 0

        def count(_frame: object, event: str, _argument: object, name: str = name) -> None:
            counted[name] += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            status = await request(api, scope)
        finally:
            sys.setprofile(None)
        assert status == 200, name
    return counted


async def _live_often(api: Api) -> dict[str, int]:
    for _ in range(3):
        counted = await _live(api)
    return counted


if __name__ == "__main__":
    with open_api() as opened:
        building.project_with_queue(opened)
        for operation, number in asyncio.run(_live_often(opened)).items():
            print(operation, number)  # noqa: T201 - for the test that runs this
