"""The artifact of a failed test: a folder with its world, its calls, its report and the command to replay it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.shapes import JOURNAL_FILE, ForeignAnswerError, checked
from foas_emulator.testing.world import World
from foas_emulator.world.names import check_name
from foas_emulator.writing import read_file, write_file

__tracebackhide__ = True

SNAPSHOT, JOURNAL, REPORT, README = "snapshot.json", "journal.json", "report.txt", "README.md"

MOST_WHOLE_CALLS = 200
"""The most calls to keep with headers and bodies; each takes a request."""


class ArtifactError(ValueError):
    """A folder is not the artifact of a failed test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The contents of a folder: the test's id, the name of its world, its calls, and the file of its snapshot."""

    test: str
    world: str
    calls: Sequence[Mapping[str, Any]]
    snapshot: Path


def save_state(world: World, file: Path) -> None:
    """Save a world in its present state, with its clock frozen, so that nothing is due when it is loaded later."""
    if world.clock.is_frozen:
        world.save(file)
        return
    world.clock.freeze()
    try:
        world.save(file)
    finally:
        world.clock.run()


def save_artifact(folder: Path, world: World, *, test: str, report: str) -> None:
    """Write the folder of a failed test. Raise `EmulatorError` or OSError if the world or the folder is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    save_state(world, folder / SNAPSHOT)
    document = {"test": test, "world": world.name, "entries": _whole_calls(world)}
    write_file(folder / JOURNAL, f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode())
    write_file(folder / REPORT, f"{report}\n".encode())
    write_file(folder / README, _readme(folder.name, test, world.name).encode())


def load_artifact(folder: Path) -> Artifact:
    """Load the artifact in a folder. Raise `ArtifactError` if it is not one, and OSError if it cannot be read."""
    if not (folder / JOURNAL).is_file() or not (folder / SNAPSHOT).is_file():
        raise ArtifactError(f"{folder} has no {JOURNAL} and {SNAPSHOT}; name the folder of one test")
    try:
        document = json.loads(read_file(folder / JOURNAL).decode())
        checked(document, JOURNAL_FILE, "its content")
        check_name(document["world"])
    except (ValueError, RecursionError) as error:
        why = error.why if isinstance(error, ForeignAnswerError) else error
        raise ArtifactError(f"{folder / JOURNAL} is not what a failed test left: {why}") from None
    return Artifact(
        test=document["test"], world=document["world"], calls=document["entries"], snapshot=folder / SNAPSHOT
    )


def _whole_calls(world: World) -> list[dict[str, Any]]:
    """Return the entries of a world's journal, the last ones with headers and bodies."""
    entries = world.journal.entries()
    for place in range(max(0, len(entries) - MOST_WHOLE_CALLS), len(entries)):
        try:
            entries[place] = world.journal.entry(entries[place]["request_id"], number=entries[place]["number"])
        except EmulatorError:  # dropped in the meantime to keep within the budget, or a request without an id
            continue
    return entries


def _readme(folder: str, test: str, world: str) -> str:
    return f"""# {test}

`foas-emulator replay {folder}` starts an emulator with the world of this test as it was when the test failed, and shows
its calls. Beside this folder, `foas-emulator snapshot load {folder}/{SNAPSHOT} --world {world}` loads it into a server
that runs already. The clock of the world stands still.

- `{REPORT}`: the calls, and why those that were refused were
- `{JOURNAL}`: the calls in full
- `{SNAPSHOT}`: the world
"""
