"""Read the files that settings name; an error in a file is reported as an error of its setting."""

from collections.abc import Mapping
from pathlib import Path

from foas_emulator.gateway.encodings import utf8_text
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.loading import load
from foas_emulator.seeds.states import States, read_states
from foas_emulator.seeds.validation import override_problems
from foas_emulator.settings import SettingError
from foas_emulator.world.settings import ErrorOverride, read_overrides


def error_overrides(file: Path | None) -> Mapping[str, ErrorOverride]:
    """Return the overrides in a file. Raise `SettingError` that lists all wrong ones."""
    if file is None:
        return read_overrides({})
    try:
        document = load(utf8_text(file.read_bytes()))
        overrides = read_overrides({} if document.value is None else document.value)
    except (OSError, ValueError) as error:
        raise SettingError("error_overrides", f"{file} cannot be read: {error}") from None
    problems = [f"{file}:{document.line((code,))}: {message}" for code, message in override_problems(overrides)]
    if problems:
        raise SettingError("error_overrides", "; ".join(problems))
    return overrides


def pact_states(file: Path | None) -> States:
    """Return the states in a file, none without one. Raise `SettingError` that lists all faults in it."""
    if file is None:
        return States()
    try:
        return read_states(file)
    except SeedError as error:
        raise SettingError("pact_states", "; ".join(map(str, error.faults))) from None
