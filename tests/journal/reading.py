"""The journal of the default world through the control API."""

from typing import Any

from tests.api import Api

JOURNAL = "/_emulator/worlds/default/journal"
GET = {"projectName": "project1", "jobName": "job1", "instanceId": 412536}


def read(api: Api, **wanted: Any) -> dict[str, Any]:
    """A page of the journal."""
    response = api.request("GET", JOURNAL, params=wanted)
    assert response.status_code == 200, response.text
    return dict(response.json())


def only(api: Api) -> dict[str, Any]:
    """The only entry there is."""
    (entry,) = read(api)["entries"]
    return dict(entry)


def verify(api: Api, **expected: Any) -> tuple[int, dict[str, Any]]:
    response = api.request("POST", f"{JOURNAL}/verify", json=expected)
    return response.status_code, response.json()
