"""Named seeds: the provider states that a verifier of Pact contracts requests before it makes a call."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foas_emulator.gateway.encodings import utf8_text
from foas_emulator.seeds.document import SeedDocument, is_note
from foas_emulator.seeds.errors import Fault, SeedError, faults_of, unusable
from foas_emulator.seeds.limits import DocumentError, path_of, quoted, weight
from foas_emulator.seeds.loading import Document, load
from foas_emulator.seeds.reading import check_seed
from foas_emulator.showing import nearest

LONGEST_NAME = 1000
"""The most characters of the name of a state."""
PARAMETER = "param"
"""The only member of a placeholder for a parameter of a state: `JobName: {param: job}`."""


class StateError(ValueError):
    """A state does not exist, or its parameters are not those that were given."""


@dataclass(frozen=True)
class States:
    """The seeds of a document by the names of their states; none by default."""

    file: str = "no file of states"
    document: Document | None = None
    size: int = 0
    """The weight of the file, which bounds that of each seed in it."""

    @cached_property
    def seeds(self) -> Mapping[str, Any]:
        """The seeds as they are written, with placeholders for parameters."""
        written: Mapping[str, Any] = MappingProxyType({}) if self.document is None else self.document.value
        return {name: seed for name, seed in written.items() if not is_note(name)}

    def seed(
        self, name: str, parameters: Mapping[str, Any], *, clusters: Collection[str] | None = None
    ) -> SeedDocument:
        """Return the seed of a state, with its placeholders replaced by these parameters.

        `clusters` are those of the world that it is for. Raise `StateError` if the document does not have this state or
        these parameters, and `SeedError` if the parameters make a wrong seed.
        """
        if self.document is None or name not in self.seeds:
            raise StateError(f"there is no state {quoted(name)}{nearest(name, self.seeds)}")
        wanted = set(_parameters(self.seeds[name]))
        if wanted != parameters.keys():
            raise StateError(f"the state {name!r} takes {_listed(wanted)}, and {_listed(parameters)} came with it")
        document = self.document  # which looks for the lines of all faults once
        if parameters:
            document = replace(document, value={**document.value, name: _fill(self.seeds[name], parameters)})
        return check_seed(document, self.file, within=(name,), clusters=clusters)


def read_states(file: Path) -> States:
    """Return the states in a file. Raise `SeedError` with all faults of seeds that have no parameters."""
    try:
        text = utf8_text(file.read_bytes())
        document = load(text)
    except DocumentError as error:
        raise SeedError(faults_of(error, str(file))) from None
    except (OSError, ValueError) as error:
        raise unusable(str(file), f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(document.value, dict):
        raise SeedError([_fault(str(file), 1, "it must be a mapping from the name of each state to its seed")])
    states = States(str(file), document, weight(text))
    faults = [fault for name in states.seeds for fault in _faults(states, name)]
    if faults:
        raise SeedError(faults)
    return states


def _faults(states: States, name: str) -> list[Fault]:
    if not 0 < len(name) <= LONGEST_NAME:
        assert states.document is not None
        message = f"the name of a state has 1 to {LONGEST_NAME} characters"
        return [_fault(states.file, states.document.line((name,)), message)]
    if next(_parameters(states.seeds[name]), None) is not None:
        return []  # it is checked once its parameters are known
    try:
        states.seed(name, {})
    except SeedError as error:
        return error.faults
    return []


def _fault(file: str, line: int | None, message: str) -> Fault:
    return Fault(file=file, line=line, path=path_of(()), message=message)


def _parameters(value: Any) -> Iterator[str]:
    """Yield the name of each parameter in a part of a seed."""
    if _is_parameter(value):
        yield value[PARAMETER]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _parameters(part)


def _fill(value: Any, parameters: Mapping[str, Any]) -> Any:
    """Return a part of a seed with the values of the parameters in place of their placeholders."""
    if _is_parameter(value):
        return parameters[value[PARAMETER]]
    if isinstance(value, dict):
        return {name: _fill(part, parameters) for name, part in value.items()}
    return [_fill(part, parameters) for part in value] if isinstance(value, list) else value


def _is_parameter(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {PARAMETER} and isinstance(value[PARAMETER], str)


def _listed(names: Collection[str]) -> str:
    return f"the parameters {', '.join(sorted(names))}" if names else "no parameters"
