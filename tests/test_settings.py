from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from foas_emulator.settings import (
    DURATION,
    Settings,
    check_variables,
    flag,
    from_environment,
    options,
    read_settings,
    show_settings,
    variable,
)

NAMES = [declared.name for declared in fields(Settings)]

SAMPLES: dict[str, tuple[str, Any]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("0", 0),
    "seed": ("empty", ("empty",)),
    "data_dir": ("/data", Path("/data")),
    "default_format": ("xml", "xml"),
    "not_running": ("answer", "answer"),
    "sql_check": ("start", "start"),
    "pact_states": ("states.yaml", Path("states.yaml")),
    "error_overrides": ("errors.yaml", Path("errors.yaml")),
    "signature": ("strict", "strict"),
    "access_keys": ("a:b", ("a:b",)),
    "signature_max_skew": ("1h", 3_600_000),
    "start_delay": ("500ms", 500),
    "batch_duration": ("2m", 120_000),
    "read_cache": ("0", 0),
    "max_body": ("1", 1),
    "tls": ("true", True),
    "tls_cert": ("c.pem", Path("c.pem")),
    "cors_origins": ("http://a", ("http://a",)),
    "access_log": ("1", True),
    "log_refused": ("1", True),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
}


def parse(*arguments: str) -> Settings:
    command = click.Command("serve", params=list[click.Parameter](options()))
    return Settings(**command.make_context("foas-emulator", list(arguments)).params)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(variable(name), raising=False)


def test_nothing_given_is_every_default() -> None:
    assert parse() == from_environment({}) == Settings()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_flag_a_variable_and_a_meaning(name: str) -> None:
    (option,) = [option for option in options() if option.name == name]
    assert option.opts[0] == "--" + name.replace("_", "-")
    assert option.envvar == "FOASEMU_" + name.upper()
    assert option.help
    assert option.help.endswith(".")


@pytest.mark.parametrize("name", SAMPLES)
def test_flag_and_variable_mean_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = SAMPLES[name]
    flag = "--" + name.replace("_", "-")
    given = parse(flag) if isinstance(value, bool) else parse(flag, text)
    assert getattr(given, name) == value
    monkeypatch.setenv(variable(name), text)
    assert parse() == given


def test_flag_wins_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOASEMU_PORT", "1")
    monkeypatch.setenv("FOASEMU_TLS", "true")
    assert (parse("--port", "2").port, parse("--no-tls").tls) == (2, False)


@pytest.mark.parametrize("name", [each.name for each in fields(Settings) if isinstance(each.default, tuple)])
def test_a_repeatable_setting_that_is_blank_is_refused_where_it_would_replace_a_default(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), "  ")
    if getattr(Settings(), name):
        with pytest.raises(click.BadParameter, match="it is blank"):
            read_settings({})
    else:
        assert read_settings({}) == Settings()


@pytest.mark.parametrize("given", [None, []])
@pytest.mark.parametrize("name", ["data_dir", "seed", "control_token", "batch_duration", "control_hosts"])
def test_a_setting_that_is_given_as_nothing_has_its_default_whatever_its_variable(
    name: str, given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), "30s")
    assert getattr(read_settings({}), name) != getattr(Settings(), name)
    assert read_settings({name: given}) == Settings()


def test_repeatable_settings_collect_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse("--seed", "a.yaml", "--seed", "b.yaml").seed == ("a.yaml", "b.yaml")
    monkeypatch.setenv("FOASEMU_SEED", "a.yaml b.yaml")
    assert parse().seed == ("a.yaml", "b.yaml")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("3d", 259_200_000), ("5", 5_000), ("0", 0)],
)
def test_duration_takes_a_unit_and_a_bare_number_is_seconds(text: str, milliseconds: int) -> None:
    assert parse("--start-delay", text).start_delay == milliseconds
    assert DURATION.convert(milliseconds, None, None) == milliseconds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--default-format", "yaml"), "'yaml' is not one of 'json', 'xml'"),
        (("--not-running", "maybe"), "'maybe' is not one of 'fail', 'answer'"),
        (("--signature", "on"), "'on' is not one of 'off', 'warn', 'strict'"),
        (("--log-level", "loud"), "'loud' is not one of 'debug', 'info', 'warning', 'error'"),
        (("--port", "65536"), "65536 is not in the range 0<=x<=65535"),
        (("--port", "http"), "'http' is not a valid integer"),
        (("--port", "８０１８"), "'８０１８' is not a valid integer"),
        (("--read-cache", "1_000"), "'1_000' is not a valid integer"),
        (("--max-body", "+5"), "'+5' is not a valid integer"),
        (("--max-worlds", "1" * 5000), "'... of 5000 characters is not a valid integer"),
        (("--max-body", "0"), "0 is not in the range x>=1"),
        (("--start-delay", "soon"), "'soon' is not a duration: give a number with ms, s, m, h or d"),
        (("--start-delay", "-1s"), "'-1s' is not a duration"),
        (("--control-token", "tö"), "the value is not a valid token: give letters, digits and signs of ASCII"),
        (("--control-token", "a b"), "the value is not a valid token"),
        (("--bearer-tokens", "tö"), "the value is not a valid token"),
    ],
)
def test_wrong_value_names_the_setting_and_what_is_allowed(
    arguments: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, value = arguments
    for attempt in ((flag, value), ()):
        with pytest.raises(click.UsageError) as refused:
            parse(*attempt)
        assert said in refused.value.format_message()
        assert flag in refused.value.format_message()
        monkeypatch.setenv(variable(flag[2:].replace("-", "_")), value)


@pytest.mark.parametrize(
    ("text", "is_on"), [("on", True), ("1", True), ("yes", True), ("off", False), ("FALSE", False)]
)
def test_a_switch_is_on_or_off(text: str, monkeypatch: pytest.MonkeyPatch, *, is_on: bool) -> None:
    monkeypatch.setenv("FOASEMU_WATCH", text)
    assert parse().watch is is_on
    monkeypatch.setenv("FOASEMU_WATCH", f"{text}!")
    with pytest.raises(click.UsageError, match=f"'{text}!' is neither on nor off: give on, true, yes or 1, or off, "):
        parse()


@pytest.mark.parametrize("name", ["console", "watch"])
def test_a_blank_switch_is_refused_whatever_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable(name), " ")
    with pytest.raises(click.UsageError, match="' ' is neither on nor off"):
        parse()


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), (" ", "is empty"), ("a\0b", "no path has a zero byte")])
def test_a_path_that_no_file_can_have_is_refused_with_its_flag(text: str, said: str) -> None:
    for name in ("data_dir", "pact_states", "error_overrides", "tls_cert", "tls_key"):
        with pytest.raises(click.UsageError, match=said) as refused:
            parse(flag(name), text)
        assert flag(name) in refused.value.format_message()


def test_unknown_variable_is_refused_with_the_nearest_and_all_others() -> None:
    with pytest.raises(click.UsageError) as refused:
        check_variables({"FOASEMU_SIGNATUR": "off", "FOASEMU_PORT": "1", "OTHER": ""})
    message = refused.value.format_message()
    assert message.startswith("There is no setting FOASEMU_SIGNATUR (the nearest is FOASEMU_SIGNATURE). There are: ")
    assert all(variable(name) in message for name in NAMES)


def test_variable_like_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(click.UsageError, match=r"There is no setting FOASEMU_QQQQQQ\. There are: "):
        from_environment({"FOASEMU_QQQQQQ": ""})


def test_variables_of_others_are_none_of_ours() -> None:
    check_variables({"FOAS_EMULATOR_PORT": "tcp://10.0.0.1:8018", "FOASEMULATOR": "1"})


def test_settings_are_shown_as_people_write_them_and_secrets_are_not() -> None:
    shown = show_settings(parse("--access-keys", "id:secret", "--start-delay", "1500ms", "--data-dir", "/d"))
    assert (shown["start_delay"], shown["signature_max_skew"]) == ("1500ms", "15m")
    assert (shown["data_dir"], shown["seed"], shown["tls"]) == ("/d", ["default"], False)
    assert shown["access_keys"] == "***"
    assert shown["tls_cert"] is None
    assert "secret" not in str(shown)
    assert shown.keys() == set(NAMES)


def test_settings_with_bytes_that_are_no_text_can_be_shown() -> None:
    """On Linux, a path may have any bytes; Python reads those that are not UTF-8 as half a surrogate pair."""
    shown = show_settings(parse("--data-dir", "/d\udcff", "--seed", "s\udcff"))
    assert (shown["data_dir"], shown["seed"]) == (r"/d\udcff", [r"s\udcff"])


@pytest.mark.parametrize("host", ["*", "*.example", "http://a", "a/b", ""])
def test_a_host_that_no_request_can_name_is_refused(host: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a valid host: give a name or an address, without a scheme"):
        parse("--control-hosts", host)
    assert parse("--control-hosts", "emulator.test").control_hosts == ("emulator.test",)


@pytest.mark.parametrize("is_flag", [True, False])
def test_the_home_directory_may_be_written_as_shells_do(*, is_flag: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell replaces it after `--data-dir=`, nor does what reads the variables of a container."""
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, "/home/me")
    given = ["--data-dir=~/worlds"] if is_flag else []
    if not is_flag:
        monkeypatch.setenv("FOASEMU_DATA_DIR", "~/worlds")
    assert parse(*given).data_dir == Path("/home/me/worlds")
