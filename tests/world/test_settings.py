from typing import Any

import pytest

from foas_emulator.world.settings import NAMES, WorldSettings, read_setting, write_setting


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("default_format", "xml", "xml"),
        ("not_running", "answer", "answer"),
        ("sql_check", "start", "start"),
        ("signature", "strict", "strict"),
        ("start_delay", "500ms", 500),
        ("stop_delay", "30s", 30_000),
        ("batch_duration", "30s", 30_000),
        ("batch_duration", None, None),
    ],
)
def test_a_setting_is_written_as_it_is_read(name: str, written: Any, kept: Any) -> None:
    assert read_setting(name, written) == kept
    assert write_setting(kept) == written


def test_overrides_are_written_as_they_are_read() -> None:
    overrides = {
        "InvalidJob.NotFound": {"code": "Gone", "status": 410, "message": "Gone."},
        "Throttling": {"status": 429},
    }
    assert write_setting(read_setting("error_overrides", overrides)) == overrides


@pytest.mark.parametrize("name", NAMES)
def test_every_default_can_be_written_and_read(name: str) -> None:
    default = getattr(WorldSettings(), name)
    assert read_setting(name, write_setting(default)) == default


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("gravity", 1, "there is no setting 'gravity'; there are: default_format"),
        ("default_format", "yaml", "default_format is 'yaml'; allowed: json, xml"),
        ("start_delay", "soon", "is not a duration"),
        ("start_delay", ["soon"], "a list is not a duration"),
        ("latency", ["soon"], "a list is neither a duration nor"),
        ("latency", "soon" * 50, "^'soon[a-z]*'... of 200 characters is neither a duration nor"),
        ("error_rate", {"some": 1}, "a mapping is not a rate"),
        ("error_rate", "some%" * 50, "^'some[a-z%]*'... of 250 characters is not a rate"),
        ("sql_check", ["start"], "sql_check is a list; allowed: validate, start"),
        ("sql_check", "x" * 99, "sql_check is 'x{80}'... of 99 characters; allowed: validate, start"),
        ("error_overrides", [], "error overrides are a mapping"),
        ("error_overrides", {"A": {}}, "the override of A must give one or more of"),
        ("error_overrides", {"A": {"code": None}}, "the override of A must give one or more of"),
        ("error_overrides", {"A": {"colour": "red"}}, "the override of A must give one or more of"),
        ("error_overrides", {"A": {"status": 200}}, "the override of A has status 200; allowed: 400 to 599"),
        ("error_overrides", {"A": {"code": 5}}, "must give code and message as texts"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_setting(name, value)
