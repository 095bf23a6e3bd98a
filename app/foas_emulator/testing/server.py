"""A running emulator, as a test sees it."""

from typing import Any
from uuid import uuid4

from foas_emulator.testing.client import ControlClient
from foas_emulator.testing.shapes import WORLDS
from foas_emulator.testing.world import World

__tracebackhide__ = True


class Server:
    """An emulator at an address. `control_token` is needed where it does not listen on this machine alone."""

    def __init__(self, url: str, *, control_token: str | None = None) -> None:
        self.control = ControlClient(url, control_token=control_token)

    @property
    def url(self) -> str:
        return self.control.url

    def world(self, name: str | None = None) -> World:
        """The world of this name; without one, a new name that nobody else has. It begins when it is first used."""
        return World(self.control, uuid4().hex if name is None else name)

    def worlds(self) -> list[str]:
        """The names of all worlds."""
        return [world["name"] for world in self.control.request("GET", "/worlds", shape=WORLDS)["worlds"]]

    def has_world(self, name: str) -> bool:
        """Whether there is a world of this name, usable or not; asking makes none."""
        return self.control.has_world(name)

    def info(self) -> dict[str, Any]:
        """Version, settings in force, operations and what they are known from."""
        return dict(self.control.request("GET", "/info"))

    def coverage(self) -> dict[str, Any]:
        """What of the service was exercised since the server started, in all and per world."""
        return dict(self.control.request("GET", "/coverage"))

    def reset(self) -> None:
        """Return every world to what it was created from."""
        self.control.request("POST", "/reset")
