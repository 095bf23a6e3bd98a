"""One world of a running emulator, for tests. Everything goes over HTTP."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from foas_emulator.testing.client import ControlClient, EmulatorError
from foas_emulator.testing.faults import Faults
from foas_emulator.testing.journal import Journal
from foas_emulator.testing.shapes import CLOCK, MOVED_CLOCK, WORLD
from foas_emulator.testing.written import written
from foas_emulator.writing import read_file, write_file

__tracebackhide__ = True

if TYPE_CHECKING:
    from aliyunsdkcore.client import AcsClient

REGION = "cn-hangzhou"
"""The region of `World.client`. The emulator treats all regions alike."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that has happened in a world, or will: its instant in milliseconds since the epoch, and what it is.

    `job` is `project/job` for a change of an instance, `state` the state that the change brings, if any.
    Changes are equal if they are the same thing at the same instant.
    """

    at: int
    what: str
    job: str | None = field(default=None, compare=False)
    state: str | None = field(default=None, compare=False)


class Clock:
    """The clock of a world. Instants are milliseconds since the epoch; arguments may be datetimes or ISO 8601 texts.

    Methods that move the clock return the changes that became due on the way, each at its own instant.
    """

    def __init__(self, control: ControlClient, path: str) -> None:
        self._control = control
        self._path = f"{path}/clock"

    @property
    def now(self) -> int:
        """The world's time."""
        return int(self._read(limit=1)["now"])

    @property
    def is_frozen(self) -> bool:
        return bool(self._read(limit=1)["mode"] == "frozen")

    @property
    def pending(self) -> list[Change]:
        """The pending changes, the next one first."""
        return _changes(self._read()["pending"])

    def freeze(self, at: int | str | datetime | None = None) -> list[Change]:
        """Freeze the clock, at an instant or where it is. Setting it back undoes nothing."""
        return self._set("frozen", at)

    def run(self, at: int | str | datetime | None = None) -> list[Change]:
        """Let the clock run, from an instant or from where it is."""
        return self._set("real", at)

    def advance(self, by: str | int | timedelta) -> list[Change]:
        """Move on by a duration (a timedelta, `"30s"`, `"4m59s"`) or by milliseconds."""
        return self._advance(by=by)

    def advance_to(self, at: int | str | datetime) -> list[Change]:
        """Move on to an instant."""
        return self._advance(to=at)

    def advance_to_next(self) -> list[Change]:
        """Move on to the next pending change; if there is none, do nothing."""
        return self._advance(until="next")

    def advance_until_idle(self) -> list[Change]:
        """Move on until no change is pending."""
        return self._advance(until="idle")

    def _read(self, *, limit: int | None = None) -> Any:
        """Return the clock with its pending changes, or with so many of them."""
        query = "" if limit is None else f"?limit={limit}"
        return self._control.request("GET", f"{self._path}{query}", shape=CLOCK)

    def _set(self, mode: str, at: int | str | datetime | None) -> list[Change]:
        setting = {"mode": mode} if at is None else {"mode": mode, "now": at}
        return _changes(self._control.request("PUT", self._path, setting, shape=MOVED_CLOCK)["changes"])

    def _advance(self, **how: int | str | datetime | timedelta) -> list[Change]:
        return _changes(self._control.request("POST", f"{self._path}/advance", how, shape=MOVED_CLOCK)["changes"])


def _changes(documents: list[dict[str, Any]]) -> list[Change]:
    return [Change(each["at"], each["what"], job=each["job"], state=each["state"]) for each in documents]


class Settings(Mapping[str, Any]):
    """The settings in force in a world. Delays are durations (`"30s"`, a timedelta); a number is seconds."""

    def __init__(self, control: ControlClient, path: str) -> None:
        self._control = control
        self._path = f"{path}/settings"

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.update(**{name: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def update(self, settings: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Change the given settings, all or none; like a dict's `update`, it takes a mapping, keywords, or both."""
        self._control.request("PUT", self._path, {**(settings or {}), **more})

    def _read(self) -> dict[str, Any]:
        return dict(self._control.request("GET", self._path))


class World:
    """An isolated universe in a running emulator. Clients select it by its access key, or by its header."""

    access_key_secret = "test"  # noqa: S105 - public on purpose

    def __init__(self, control: ControlClient, name: str) -> None:
        self._control = control
        self.path = f"/worlds/{quote(name, safe='')}"
        """The path of this world in the control API."""
        self.name = name
        self.clock = Clock(control, self.path)
        self.settings = Settings(control, self.path)
        self.faults = Faults(control, self.path)
        self.journal = Journal(control, self.path)

    def __repr__(self) -> str:
        return f"<World {self.name} at {self.endpoint}>"

    @property
    def exists(self) -> bool:
        """Whether there is this world, usable or not; this does not create it."""
        return self._control.has_world(self.name)

    # -- for clients

    @property
    def endpoint(self) -> str:
        """The URL of the service."""
        return self._control.url

    @property
    def access_key_id(self) -> str:
        """The key that selects this world; its secret is `access_key_secret`."""
        return f"world-{self.name}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that select this world for a request without a signature."""
        return {"x-emulator-world": self.name}

    def client(self) -> "AcsClient":
        """Return a client of the official SDK for this world; requires `aliyun-python-sdk-core`."""
        try:
            from aliyunsdkcore.client import AcsClient  # noqa: PLC0415 - used only here, and not always installed
        except ModuleNotFoundError as error:
            error.msg += ": client() needs the package aliyun-python-sdk-foas; other clients need `endpoint` and a key"
            raise

        client = AcsClient(self.access_key_id, self.access_key_secret, REGION)
        client.add_endpoint(REGION, "foas", self.endpoint)
        # The SDK would use HTTP_PROXY for this machine, too, whatever NO_PROXY says.
        client.proxy = {"http": None, "https": None}
        return client

    # -- for tests

    def create(self, beginning: Mapping[str, Any] | None = None) -> None:
        """Start over from the default seed, or from one of `{"seed": ...}`, `{"snapshot": ...}`, `{"fork": ...}`."""
        self._control.request("PUT", self.path, beginning, shape=WORLD)

    def reset(self) -> None:
        """Reset the world to what it was created from, and forget its journal."""
        self._control.request("POST", f"{self.path}/reset")

    def drop(self) -> None:
        """Drop the world, if there is one. The next use of its name creates a new one."""
        self._control.discard(self.path)

    def fork(self, name: str) -> "World":
        """Create another world as a copy of this one as it is now."""
        copy = World(self._control, name)
        copy.create({"fork": self.name})
        return copy

    def seed(self, document: Mapping[str, Any] | Path | str) -> None:
        """Merge a seed document, given as a mapping, as a file, or as YAML or JSON text; all or nothing."""
        if isinstance(document, Path):
            content = read_file(document)
        elif isinstance(document, str):
            if document.strip() and not set("\n:{").intersection(document):
                reason = "give a file as a Path; create({'seed': NAME}) starts over from a built-in one"
                raise ValueError(f"{document!r} is not the text of a seed: {reason}")
            content = document.encode()
        else:
            content = json.dumps(written(document)).encode()
        self._control.send("POST", f"{self.path}/seed", content, {"content-type": "application/yaml"})

    def snapshot(self) -> dict[str, Any]:
        """Return the whole world as a document: rows, clock, pending changes, counters, settings, fault rules."""
        return dict(self._control.request("GET", f"{self.path}/snapshot"))

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Replace the world by the one in a snapshot, to the byte."""
        self._control.request("PUT", f"{self.path}/snapshot", snapshot)

    def save(self, file: str | Path) -> None:
        """Write a snapshot into a file, with every row on a line of its own."""
        write_file(Path(file), self._control.send("GET", f"{self.path}/snapshot"))

    def load(self, file: str | Path) -> None:
        """Restore a snapshot from a file: JSON, or YAML in one that is named so."""
        text = read_file(Path(file))
        # save() writes JSON whatever the name, and reading it as YAML would take far longer.
        is_yaml = Path(file).suffix.lower() in (".yaml", ".yml") and not text.startswith(b"{")
        headers = {"content-type": f"application/{'yaml' if is_yaml else 'json'}"}
        try:
            self._control.send("PUT", f"{self.path}/snapshot", text, headers)
        except EmulatorError as refusal:
            if refusal.status == HTTPStatus.BAD_REQUEST:
                refusal.add_note("load() restores what save() has written; seed(Path(...)) merges a seed document.")
            raise

    def put_state(
        self,
        project_name: str,
        job_name: str,
        instance_id: int,
        actual_state: str,
        *,
        last_error_message: str | None = None,
    ) -> None:
        """Put an instance into a state at once, as no call of the service can."""
        parts = ("projects", project_name, "jobs", job_name, "instances", str(instance_id))
        names = "/".join(quote(part, safe="") for part in parts)
        state = {"ActualState": actual_state, "LastErrorMessage": last_error_message}
        self._control.request("PUT", f"{self.path}/{names}/state", state)
