"""A running emulator, for tests."""

from typing import Any
from uuid import uuid4

from foas_emulator.testing.client import ControlClient
from foas_emulator.testing.shapes import WORLDS
from foas_emulator.testing.world import World
from foas_emulator.world.names import check_name

__tracebackhide__ = True


class Server:
    """An emulator at a URL. `control_token` is required unless it listens only on this machine."""

    def __init__(self, url: str, *, control_token: str | None = None) -> None:
        self.control = ControlClient(url, control_token=control_token)

    @property
    def url(self) -> str:
        return self.control.url

    def world(self, name: str | None = None) -> World:
        """Return the world of this name, by default a new, unique one. It is created when it is first used.

        Raise ValueError for a name that no world can have.
        """
        if name is None:
            return World(self.control, uuid4().hex)
        check_name(name)
        return World(self.control, name)

    def worlds(self) -> list[str]:
        """Return the names of all worlds."""
        return [world["name"] for world in self.control.request("GET", "/worlds", shape=WORLDS)["worlds"]]

    def has_world(self, name: str) -> bool:
        """Whether there is a world of this name, usable or not; this does not create one."""
        return self.control.has_world(name)

    def info(self) -> dict[str, Any]:
        """Return the version, the settings in force, and the operations by kind of evidence."""
        return dict(self.control.request("GET", "/info"))

    def coverage(self) -> dict[str, Any]:
        """Return the coverage of the service since the server started, in all and by world."""
        return dict(self.control.request("GET", "/coverage"))

    def reset(self) -> None:
        """Reset every world to what it was created from."""
        self.control.request("POST", "/reset")
