"""Fault rules of the default world, armed through the control API."""

from typing import Any

from tests.api import Api

FAULTS = "/_emulator/worlds/default/faults"


def arm(api: Api, **fault: Any) -> dict[str, Any]:
    """Arm a rule; answers it."""
    response = api.request("POST", FAULTS, json=fault)
    assert response.status_code == 201, response.text
    return dict(response.json())


def refused(api: Api, **fault: Any) -> str:
    """Try to arm a rule that cannot be; answers the hint."""
    response = api.request("POST", FAULTS, json=fault)
    assert response.status_code == 400, response.text
    assert response.json().keys() == {"error", "hint"}
    assert api.request("GET", FAULTS).json() == {"faults": []}
    return str(response.json()["hint"])


def counts(api: Api) -> list[tuple[int, int]]:
    """How many calls each rule has seen and struck."""
    return [(rule["seen"], rule["hits"]) for rule in api.request("GET", FAULTS).json()["faults"]]
