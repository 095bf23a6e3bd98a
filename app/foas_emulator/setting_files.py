"""Read the files that settings name; an error in a file is reported as an error of its setting."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.encodings import utf8_text
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.loading import load
from foas_emulator.seeds.states import States, read_states
from foas_emulator.seeds.validation import override_problems
from foas_emulator.settings import SettingError, Settings
from foas_emulator.world.settings import ErrorOverride, read_overrides

log = logging.getLogger(__name__)


def error_overrides(file: Path | None) -> Mapping[str, ErrorOverride]:
    """Return the overrides in a file. Raise `SettingError` that lists all wrong ones."""
    if file is None:
        return read_overrides({})
    try:
        document = load(utf8_text(file.read_bytes()))
        overrides = read_overrides({} if document.value is None else document.value)
    except (OSError, ValueError) as error:
        raise SettingError(
            "error_overrides", f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    problems = [f"{file}:{document.line((code,)) or 1}: {message}" for code, message in override_problems(overrides)]
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


def access_keys(settings: Settings) -> AccessKeys:
    """Return the access keys and bearer tokens of the settings. Raise `SettingError`, which shows no secret."""
    entries: list[str] = []
    for given in settings.access_keys:
        try:
            entries += _read_keys(Path(given)) if is_file_of_keys(given) else [given]
        except (OSError, ValueError) as error:
            reason = "an entry is neither ID:SECRET[:TOKEN] nor a file that can be read"
            # Show the text only if it is the name of an existing file: otherwise it may be a secret.
            if os.path.exists(given):  # noqa: PTH110 - Path refuses what no path can be
                reason = f"{given} cannot be read: {getattr(error, 'strerror', None) or error}"
            raise SettingError("access_keys", reason) from None
    try:
        return AccessKeys.parse(entries, bearer_tokens=settings.bearer_tokens)
    except ValueError as error:
        raise SettingError("access_keys", error) from None


def is_file_of_keys(given: str) -> bool:
    """Whether an access key setting names a file; an absolute path may have a colon, as after a drive on Windows."""
    return ":" not in given or Path(given).is_absolute()


def warn_of_readers(setting: str, file: Path) -> None:
    """Warn of a file with secrets that other users can read. Raise OSError if it cannot be looked at."""
    if os.name == "posix" and file.stat().st_mode & 0o077:
        log.warning("%s: other users can read %s; protect its secrets with chmod 600", setting, file)


def _read_keys(file: Path) -> list[str]:
    warn_of_readers("access_keys", file)
    return utf8_text(file.read_bytes()).split()
