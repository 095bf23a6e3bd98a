"""The service's own operations as buttons, with the states of a job in which they are allowed."""

from dataclasses import dataclass
from urllib.parse import quote

from foas_emulator.console.calls import Call, service_call
from foas_emulator.console.language import mark

NOT_STARTED = mark("not started")
DRAFT = mark("draft")
"""The states of a job without an instance: committed and never started, or not committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An operation on a job: its label, its call, and the states in which the service accepts it."""

    name: str
    label: str
    call: Call
    states: frozenset[str]

    def fits(self, state: str) -> bool:
        return state in self.states


_LIVE = frozenset({"WAITING", "RUNNING", "PAUSED"})
_ENDED = frozenset({NOT_STARTED, "TERMINATED", "SUCCESS", "FAILED"})


def job_path(project: str, job: str) -> str:
    """Return the path of a job in the service's API."""
    return f"/api/v2/projects/{quote(project, safe='')}/jobs/{quote(job, safe='')}"


def buttons(world: str, project: str, job: str, *, instance: int | None, is_stream: bool) -> list[Button]:
    """Return the operations on a job and its current instance, in the order of a job's life."""
    path = job_path(project, job)

    def button(name: str, label: str, method: str, target: str, states: frozenset[str], **form: str) -> Button:
        call = service_call(method, target, world=world, form=form)
        return Button(name=name, label=label, call=call, states=states)

    expect = f"{path}/instances/{-1 if is_stream or instance is None else instance}/expectstate"
    found = [
        button("CommitJob", mark("Commit"), "PUT", f"{path}/commit", frozenset({DRAFT})),
        button("StartJob", mark("Start"), "POST", f"{path}/instance", _ENDED),
        button("Resume", mark("Resume"), "PUT", expect, frozenset({"PAUSED"}), expectState="RUNNING"),
        button("Pause", mark("Pause"), "PUT", expect, frozenset({"RUNNING"}), expectState="PAUSED"),
        button("Stop", mark("Stop"), "PUT", expect, _LIVE, expectState="TERMINATED"),
        button("OfflineJob", mark("Take offline"), "PUT", f"{path}/offline", _ENDED),
        button("DeleteJob", mark("Delete"), "DELETE", path, frozenset({DRAFT})),
    ]
    if not is_stream:
        return [each for each in found if each.name not in ("Pause", "Resume")]
    return found


FIRST = ("CommitJob", "StartJob", "Resume", "Pause", "Stop")
"""The operations in a row of a list; the others are in its menu."""
