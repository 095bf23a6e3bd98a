"""The states of a cluster, and what moves it from one to another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

State = Literal["STARTING", "RUNNING", "EXPANDING", "REDUCING", "UPGRADING", "MAINTAINING", "DESTROYING", "DESTROYED"]
Event = Literal["expand", "shrink", "change_master", "destroy", "finish"]

STATES: tuple[State, ...] = (
    "STARTING",
    "RUNNING",
    "EXPANDING",
    "REDUCING",
    "UPGRADING",
    "MAINTAINING",
    "DESTROYING",
    "DESTROYED",
)
EVENTS: tuple[Event, ...] = ("expand", "shrink", "change_master", "destroy", "finish")

TRANSITIONS: Mapping[tuple[str, Event], State] = MappingProxyType(
    {
        ("STARTING", "finish"): "RUNNING",
        ("RUNNING", "expand"): "EXPANDING",
        ("RUNNING", "shrink"): "REDUCING",
        ("RUNNING", "change_master"): "UPGRADING",
        ("RUNNING", "destroy"): "DESTROYING",
        ("EXPANDING", "finish"): "RUNNING",
        ("REDUCING", "finish"): "RUNNING",
        ("UPGRADING", "finish"): "RUNNING",
        ("DESTROYING", "finish"): "DESTROYED",
    }
)
"""State x event -> state; what is not here is refused. MAINTAINING is the service's own affair."""

SERVING: frozenset[str] = frozenset({"RUNNING", "EXPANDING", "REDUCING", "UPGRADING"})
"""The states in which a cluster has resources to give."""
