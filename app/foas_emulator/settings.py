"""All settings with name, default, unit and meaning. Flags and `FOASEMU_*` variables are derived from them."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import click
from click.types import BoolParamType

from foas_emulator.completion import SEEDS
from foas_emulator.world.durations import Span, duration, duration_text, rate, rate_text, span, span_text, whole_number
from foas_emulator.world.settings import CHOICES

PREFIX = "FOASEMU_"
"""The prefix of every variable. A longer one would clash with Kubernetes' variables for a service foas-emulator."""


class SettingError(ValueError):
    """A setting has a value that cannot be used. `reason` says what is wrong with it and what to do."""

    def __init__(self, setting: str, reason: object) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = " ".join(str(reason).split())


class Written(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """The type of a value that people write as a text: `read` parses the text, and `write` formats the value."""

    def __init__(self, name: str, read: Callable[[str], Any], write: Callable[[Any], str]) -> None:
        self.name = name
        self._read = read
        self.write = write

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of a text; a default is a value already."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Written("duration", duration, duration_text)
"""Milliseconds, written as `30s`, `500ms`, `4m59s`, `1h`, `3d`, or a number of seconds."""
LATENCY = Written("latency", span, span_text)
RATE = Written("rate", rate, rate_text)
_INTEGER = Written("integer", whole_number, str)


class IntegerRange(click.IntRange):
    """Integers in a range, in plain digits; click takes what Python does, such as `1_000`."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number that was typed."""
        return super().convert(_INTEGER.convert(value, param, ctx), param, ctx)


class Checked(click.ParamType):  # type: ignore[type-arg]  # as above
    """The type of a text that must match a pattern; `advice` says what to give instead of one that does not.

    A `secret` text is not shown.
    """

    def __init__(self, name: str, pattern: str, advice: str, *, secret: bool = False) -> None:
        self.name = name
        self._secret = secret
        self._pattern = re.compile(pattern)
        self._advice = advice

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text that was typed."""
        if self._pattern.fullmatch(value) is None:
            self.fail(
                f"{'the value' if self._secret else repr(value)} is not a valid {self.name}: {self._advice}",
                param,
                ctx,
            )
        return value


class OnOff(BoolParamType):
    """The type of a setting that is on or off, with an error in these words: click's lists an empty one, too.

    To click, a blank one is off, which turned off what is on by default.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return whether it is on."""
        is_blank = isinstance(value, str) and not value.strip()
        try:
            return super().convert("blank" if is_blank else value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither on nor off: give on, true, yes or 1, or off, false, no or 0", param, ctx)


ORIGIN = Checked(
    "origin", r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@A-Z]+", "give scheme://host or scheme://host:port, in lower case"
)
HOST = Checked("host", r"[^\s/?#@*]+", "give a name or an address, without a scheme or a *")
TOKEN = Checked("token", "[!-~]+", "give letters, digits and signs of ASCII, which a header can carry", secret=True)
TEXT = Checked("text", r"(?s).*\S.*", "leave it out, or give one that is not empty")
"""Any text except an empty one, which an unset variable of a script would give."""


class NamedPath(click.Path):
    """The type of a path that is not empty: an unset variable of a script would mean the current directory.

    No shell replaces the ~ in `--data-dir=~/worlds` and in variables of containers, so it is replaced here.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path that was typed."""
        if not value.strip():
            self.fail("the path is empty", param, ctx)
        if "\0" in value:
            self.fail("no path has a zero byte", param, ctx)
        # Path.expanduser raises RuntimeError where there is no home.
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111


def setting(default: Any, help_: str, *, type_: Any = TEXT, metavar: str | None = None, secret: bool = False) -> Any:
    """Declare a setting. A tuple as default makes it repeatable; the value of a secret one is never shown."""
    return field(default=default, metadata={"help": help_, "type": type_, "metavar": metavar, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server. Durations are in milliseconds."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8018, "Port to listen on; 0 means any free port.", type_=IntegerRange(0, 65535))
    seed: tuple[str, ...] = setting(
        ("default",),
        "Contents of every new world: a file, a directory of files, or one of default, empty, everything-running, "
        "all-failed, night-shift, five-thousand. Repeatable.",
        metavar="FILE|DIR|NAME",
    )
    watch: bool = setting(
        False, "Read the seeds again when a file changes, and reset the worlds created from them.", type_=bool
    )
    pact_states: Path | None = setting(
        None, "YAML file with a seed for each provider state that Pact verifiers request.", type_=NamedPath()
    )
    data_dir: Path | None = setting(
        None, "Directory for a file of each world; without it, worlds are kept in memory.", type_=NamedPath()
    )
    default_format: str = setting(
        "json", "Format of the answer if the client requests none.", type_=click.Choice(CHOICES["default_format"])
    )
    not_running: str = setting(
        "fail",
        "GetInstance for a job that is not running: fail as documented, or answer with its state.",
        type_=click.Choice(CHOICES["not_running"]),
    )
    sql_check: str = setting(
        "validate",
        "What detects wrong SQL: only ValidateJob, or also StartJob, whose instance then becomes FAILED.",
        type_=click.Choice(CHOICES["sql_check"]),
    )
    error_overrides: Path | None = setting(
        None,
        "YAML file that changes the code, status or message of errors of the catalogue.",
        type_=NamedPath(),
    )
    signature: str = setting(
        "warn",
        "Signatures: off checks none, warn serves the call and warns, strict refuses as the gateway does.",
        type_=click.Choice(CHOICES["signature"]),
    )
    access_keys: tuple[str, ...] = setting(
        (),
        "Access key that signs requests, or a file with one on each line; test:test is built in. Repeatable.",
        metavar="ID:SECRET[:TOKEN]|FILE",
        secret=True,
    )
    bearer_tokens: tuple[str, ...] = setting(
        (),
        "Bearer or identity token that is accepted instead of a signature. Repeatable.",
        type_=TOKEN,
        secret=True,
    )
    signature_max_skew: int = setting(
        15 * 60_000, "Largest difference between a request's date and this machine's clock.", type_=DURATION
    )
    start_delay: int = setting(0, "Time from StartJob until the instance is RUNNING.", type_=DURATION)
    pause_delay: int = setting(0, "Time from a pause until the instance is PAUSED.", type_=DURATION)
    stop_delay: int = setting(0, "Time from a stop until the instance is TERMINATED.", type_=DURATION)
    batch_duration: int | None = setting(
        None,
        "Time from RUNNING until a batch instance is SUCCESS; without it, it runs until a call ends it.",
        type_=DURATION,
    )
    plan_delay: int = setting(0, "Time from GetRawPlanJson until the plan is ready.", type_=DURATION)
    cluster_delay: int = setting(0, "Time from a change of a cluster until it is RUNNING again.", type_=DURATION)
    latency: Span = setting(
        Span(),
        "Time before every call takes effect, such as 200ms, or a range such as 100ms-400ms.",
        type_=LATENCY,
        metavar="DURATION[-DURATION]",
    )
    error_rate: float = setting(
        0.0,
        "Share of calls that fail, such as 5%, with throttling and ServiceUnavailable in turn.",
        type_=RATE,
        metavar="RATE",
    )
    read_cache: int = setting(
        128 * 1024 * 1024, "Bytes for cached answers to reads; 0 disables the cache.", type_=IntegerRange(min=0)
    )
    journal_bytes: int = setting(
        16 * 1024 * 1024,
        "Bytes for the journals of all worlds; the oldest entries are dropped first. 0 disables them.",
        type_=IntegerRange(min=0),
    )
    image_bytes: int = setting(
        256 * 1024 * 1024,
        "Bytes for the database images that worlds in memory are reset to, and for those of stale reads.",
        type_=IntegerRange(min=0),
    )
    world_bytes: int = setting(
        4 * 1024 * 1024 * 1024,
        "Bytes for the databases of all worlds in memory; each may have 1 GiB of them.",
        type_=IntegerRange(min=1024 * 1024),
    )
    max_worlds: int = setting(2000, "Number of worlds that may be open at a time.", type_=IntegerRange(min=1))
    world_idle: int = setting(
        86_400_000,
        "Time after which an unused world may be dropped (closed, if in a file) for a new one; 0 keeps all.",
        type_=DURATION,
    )
    control_token: str | None = setting(
        None,
        "Token that the control API requires; one is created and printed if --host is not a loopback address.",
        type_=TOKEN,
        secret=True,
    )
    control_hosts: tuple[str, ...] = setting(
        (),
        "Host name under which the control API and the pages are served without a token, in addition to localhost and "
        "the address listened on. Repeatable.",
        type_=HOST,
        metavar="HOST",
    )
    control_origins: tuple[str, ...] = setting(
        (),
        "Origin whose pages may use the control API; by default, those of this machine. Repeatable.",
        type_=ORIGIN,
        metavar="ORIGIN",
    )
    console: bool = setting(True, "Serve the pages of the console under /_emulator/console/.", type_=bool)
    tls: bool = setting(False, "Also serve https, with a certificate created at the start.", type_=bool)
    tls_port: int = setting(8019, "Port for https; 0 means any free port.", type_=IntegerRange(0, 65535))
    tls_cert: Path | None = setting(None, "PEM file with the certificate for https.", type_=NamedPath())
    tls_key: Path | None = setting(None, "PEM file with the key of the certificate.", type_=NamedPath())
    intercept: int | None = setting(
        None,
        "Port of a proxy for programs that name no endpoint; 0 means any free port.",
        type_=IntegerRange(0, 65535),
    )
    intercept_allow: tuple[str, ...] = setting(
        (), "Host that the proxy lets through; others are refused, except those of foas. Repeatable.", metavar="HOST"
    )
    keep_alive: int = setting(75_000, "How long a connection may stay idle before it is closed.", type_=DURATION)
    max_body: int = setting(4 * 1024 * 1024, "Largest request body, in bytes.", type_=IntegerRange(min=1))
    max_document: int = setting(
        256 * 1024 * 1024, "Largest seed or snapshot in a control call, in bytes.", type_=IntegerRange(min=1)
    )
    cors_origins: tuple[str, ...] = setting(
        ("*",), "Origin whose pages may call the API from a browser. Repeatable.", type_=ORIGIN, metavar="ORIGIN"
    )
    cors_credentials: bool = setting(False, "Let those pages send credentials, such as cookies.", type_=bool)
    access_log: bool = setting(False, "Log every call of the API, not only refused ones.", type_=bool)
    log_refused: bool = setting(True, "Log every refused call, with its code and hint.", type_=bool)
    log_level: str = setting(
        "info", "Lowest severity to log.", type_=click.Choice(["debug", "info", "warning", "error"])
    )
    log_format: str = setting("text", "Format of log lines.", type_=click.Choice(["text", "json"]))


def options() -> list[click.Option]:
    """Return a command-line option for every setting, which is also read from the setting's variable."""
    return [_option(setting_) for setting_ in fields(Settings)]


def _option(declared: "Field[Any]") -> click.Option:
    name = flag(declared.name)
    default = declared.default
    return click.Option(
        [f"{name}/--no-{name[2:]}" if declared.metadata["type"] is bool else name, declared.name],
        type=OnOff() if declared.metadata["type"] is bool else declared.metadata["type"],
        shell_complete=SEEDS if declared.name == "seed" else None,
        default=default,
        multiple=isinstance(default, tuple),
        envvar=variable(declared.name),
        show_envvar=True,
        show_default=shown_default(declared) or False,
        help=declared.metadata["help"],
        metavar=declared.metadata["metavar"],
        callback=_not_blank if isinstance(default, tuple) else None,
    )


def _not_blank(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a repeatable setting; refuse an empty list in place of a default, as of a blank variable."""
    if not values and option.default:
        raise click.BadParameter("it is blank: leave it out, or give one value or more")
    return values


def shown_default(declared: "Field[Any]") -> str:
    """Return a setting's default as people write it; empty if it has none."""
    default: Any = declared.default
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        return " ".join(default)
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(declared.metadata["type"], Written):
        return declared.metadata["type"].write(default)
    return str(default)


def show_settings(settings: Settings) -> dict[str, Any]:
    """Return all settings with their values as people write them; secret ones are masked."""
    return {declared.name: _shown(declared, getattr(settings, declared.name)) for declared in fields(Settings)}


def _shown(declared: "Field[Any]", value: Any) -> Any:
    if value in (None, ()):
        return None if value is None else []
    if declared.metadata["secret"]:
        return "***"
    if isinstance(declared.metadata["type"], Written):
        return declared.metadata["type"].write(value)
    if isinstance(value, tuple):
        return [_legible(each) for each in value]
    return _legible(str(value)) if isinstance(value, str | Path) else value


def _legible(text: str) -> str:
    """Return a text that every document can carry: bytes of a path that are not UTF-8 are escaped."""
    return text.encode(errors="backslashreplace").decode()


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """Return the command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def check_variables(environment: Mapping[str, str]) -> None:
    """Raise `click.UsageError`, which names the closest setting, for a variable with our prefix that is no setting."""
    known = [declared.name.upper() for declared in fields(Settings)]
    for name in sorted(environment):
        stem = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and stem not in known:
            near = difflib.get_close_matches(stem, known, n=1)
            hint = f" (the nearest is {PREFIX}{near[0]})" if near else ""
            there_are = ", ".join(PREFIX + each for each in known)
            raise click.UsageError(f"There is no setting {name}{hint}. There are: {there_are}.")


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Return the settings from variables alone. Raise `click.UsageError` for a wrong one."""
    check_variables(environment)
    return read_settings({})


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Return settings with these values (None is the default); variables give the others. Raise `click.UsageError`."""
    arguments = [argument for name, value in given.items() for argument in _arguments(name, value)]
    command = click.Command("settings", params=list[click.Parameter](options()))
    for option in (each for each in command.params if each.name in given):
        option.envvar = None
    return Settings(**command.make_context("foas-emulator", arguments).params)


def _arguments(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag(name) if value else flag(f"no_{name}")]
    values = [] if value is None else value if isinstance(value, list | tuple) else [value]
    return [f"{flag(name)}={each}" for each in values]
