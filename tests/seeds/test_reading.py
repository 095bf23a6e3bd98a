import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.operations.instances.lifecycle import State
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.seeds.reading import parse_seed, read_seed

EVERY_STATE = set(get_args(State))
NO_DURATION = "is not a duration: give a number with ms, s, m, h or d, such as 30s or 500ms"
STATES = "Input should be 'WAITING', 'RUNNING', 'PAUSED', 'TERMINATED', 'SUCCESS' or 'FAILED'"


def faults(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SeedError) as refused:
        parse_seed(text, "seed.yaml")
    return [(fault.line, fault.path, fault.message) for fault in refused.value.faults]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_seeds_are_read_by_their_names(name: str) -> None:
    assert bool(read_seed(name).projects) == (name != "empty")


def test_the_seed_of_five_thousand_jobs_is_read_only_when_it_is_named() -> None:
    program = """
import sys
from foas_emulator.seeds.reading import read_seed
read_seed("default")
assert "foas_emulator.seeds.five_thousand" not in sys.modules
print(len(read_seed("five-thousand").projects[0].jobs))
"""
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout.split() == [b"5000"]


@pytest.mark.parametrize("name", ["night-shift", "five-thousand"])
def test_a_seed_of_every_state_has_every_state_a_draft_and_reasons_for_failures(name: str) -> None:
    jobs = [job for project in read_seed(name).projects for job in project.jobs]
    instances = [instance for job in jobs for instance in job.instances]
    assert {instance.actual_state for instance in instances} == EVERY_STATE
    assert any(job.is_committed is False for job in jobs)
    assert all(each.last_error_message for each in instances if each.actual_state == "FAILED")


def test_each_folder_of_the_five_thousand_jobs_has_jobs_of_every_state() -> None:
    states: dict[int | None, set[str]] = {}
    for job in read_seed("five-thousand").projects[0].jobs:
        states.setdefault(job.folder_id, set()).update(each.actual_state for each in job.instances)
    assert len(states) == 20
    assert all(found == EVERY_STATE for found in states.values())


def test_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "default"
    file.write_text("projects: [{Name: mine}]", "utf-8")
    assert [project.name for project in read_seed(str(file)).projects] == ["mine"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "null"])
def test_document_of_nothing_holds_nothing(text: str) -> None:
    document = parse_seed(text, "empty")
    assert (document.clusters, document.projects, document.settings) == ([], [], {})


def test_json_is_read_as_yaml_is() -> None:
    document = {
        "projects": [{"Name": "项目", "jobs": [{"JobName": "j", "Code": 'a\n"b"\t', "instances": [{"Id": 7}]}]}]
    }
    assert parse_seed(json.dumps(document), "a") == parse_seed(json.dumps(document, ensure_ascii=False, indent=2), "b")


def test_json_that_is_no_yaml_is_read_too_and_keeps_its_lines() -> None:
    text = '{\n\t"projects": [\n\t\t{"Name": "a\\ud83c\\udf88\\/\\u0000\x7f\\\\u",\n\t\t"Nmae": "b"}]}'
    assert parse_seed(text.replace("Nmae", "Description"), "seed").projects[0].name == "a🎈/\0\x7f\\u"
    assert faults(text) == [(4, "projects[0].Nmae", "there is no such member (the nearest is 'Name')")]


@pytest.mark.parametrize(
    ("source", "near"), [("no-such-file.yaml", ""), ("night-shif", " (the nearest is 'night-shift')")]
)
def test_a_file_that_does_not_exist_has_no_line_and_the_nearest_seed_is_named(source: str, near: str) -> None:
    with pytest.raises(SeedError) as raised:
        read_seed(source)
    assert str(raised.value) == (
        f"{source}: there is no such file, and no built-in seed is called so{near}; those are {', '.join(BUILT_IN)}"
    )


def test_a_directory_is_no_seed_and_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(SeedError) as raised:
        read_seed(str(tmp_path))
    assert str(raised.value).startswith(f"{tmp_path}: it cannot be read: ")


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_bytes(b"projects: [{Name: \xff}]")
    with pytest.raises(SeedError, match="cannot be read"):
        read_seed(str(file))


def test_every_fault_is_reported_with_its_file_line_and_path(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(
        "projects:\n"
        "  - Name: a\n"
        "    Nmae: b\n"
        "    jobs:\n"
        "      - JobName: j\n"
        "        JobType: STREAM\n"
        "        instances:\n"
        "          - Id: many\n"
        "          - ActualState: running\n"
        "  - Description: nameless\n"
        "settings:\n"
        "  start_delay: soon\n"
        "more: {}\n",
        "utf-8",
    )
    with pytest.raises(SeedError) as refused:
        read_seed(str(file))
    assert str(refused.value).splitlines() == [
        f"{file}:3: projects[0].Nmae: there is no such member (the nearest is 'Name')",
        f"{file}:6: projects[0].jobs[0].JobType: Input should be 'FLINK_STREAM' or 'FLINK_BATCH'",
        f"{file}:8: projects[0].jobs[0].instances[0].Id: Input should be a valid integer",
        f"{file}:9: projects[0].jobs[0].instances[1].ActualState: {STATES}",
        f"{file}:10: projects[1].Name: Field required",
        f"{file}:12: settings.start_delay: 'soon' {NO_DURATION}",
        f"{file}:13: more: there is no such member (there are clusters, projects, faults, settings)",
    ]


def test_a_text_that_is_not_yaml_is_reported_with_its_line() -> None:
    assert faults("projects:\n  - Name: a\n bad") == [(3, "document", "not YAML: did not find expected key")]


@pytest.mark.parametrize("text", ["[]", "text", "1", "!!python/object:os.system {}", "{a: 1}: 2", "\x00"])
def test_document_of_another_shape_is_a_fault(text: str) -> None:
    assert faults(text)


def test_key_that_stands_twice_is_reported_where_it_stands_again() -> None:
    assert faults("projects:\n  - Name: a\n    Id: x\n    Name: b\n") == [(4, "projects[0].Name", "is repeated")]


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("clusters:\n  - ClusterId: c\n  - ClusterId: c", "clusters[1].ClusterId", "'c'"),
        ("projects:\n  - Name: a\n  - Name: a", "projects[1].Name", "'a'"),
        ("projects:\n  - Name: a\n    jobs: [{JobName: j}, {JobName: j}]", "projects[0].jobs[1].JobName", "'j'"),
        (
            "projects:\n- Name: a\n  jobs: [{JobName: j, instances: [{Id: 1}]}, {JobName: k, instances: [{Id: 1}]}]",
            "projects[0].jobs[1].instances[0].Id",
            "1",
        ),
        (
            "projects:\n- {Name: a, folders: [{Path: /, FolderId: 3}]}\n- {Name: b, folders: [{Path: /, FolderId: 3}]}",
            "projects[1].folders[0].FolderId",
            "3",
        ),
        (
            "projects:\n  - Name: a\n    packages: [{PackageName: p}, {PackageName: p}]",
            "projects[0].packages[1].PackageName",
            "'p'",
        ),
        (
            "projects:\n  - Name: a\n    queues: [{QueueName: q}, {QueueName: q}]",
            "projects[0].queues[1].QueueName",
            "'q'",
        ),
        ("projects:\n  - Name: a\n    folders: [{Path: /f}, {Path: /f}]", "projects[0].folders[1].Path", "'/f'"),
    ],
)
def test_resource_that_stands_twice_is_reported(text: str, path: str, value: str) -> None:
    assert faults(text) == [(text.count("\n") + 1, path, f"{value} is repeated")]


def test_same_name_in_two_projects_is_no_repetition() -> None:
    text = "projects: [{Name: a, jobs: [{JobName: j}]}, {Name: b, jobs: [{JobName: j}, {JobName: k}]}]"
    assert len(parse_seed(text, "seed").projects) == 2


@pytest.mark.parametrize(
    "member",
    [
        "StartTime: 2020-09-11",
        "StartTime: '1'",
        "StartTime: 1.5",
        "StartTime: 9223372036854775808",
        "Id: 0",
        "Id: -1",
        "Code: 1",
        "is_archived: 'yes'",
        "isArchived: true",
        "Priority: 2147483648",
        'Code: "\\ud800"',
        "timeline: [{after: soon, ActualState: FAILED}]",
        "timeline: [{after: 5m}]",
    ],
)
def test_value_of_another_type_or_width_is_a_fault(member: str) -> None:
    text = f"projects: [{{Name: a, jobs: [{{JobName: j, instances: [{{{member}}}]}}]}}]"
    assert faults(text)


def test_a_name_in_place_of_a_mapping_is_told_the_member_for_it() -> None:
    (_, _, folder), (_, _, job), (_, _, rule) = faults(
        "{projects: [{Name: a, folders: [/etl], jobs: [j]}], faults: [reset]}"
    )
    assert folder == "it must be a mapping of members with Path"
    assert job == "it must be a mapping of members with JobName"
    assert rule == "it must be a mapping of members with effect"


@pytest.mark.parametrize(
    ("rule", "place", "told"),
    [
        ("{match: StartJob, effect: {drop: true}}", "faults[0].match", "it must be a mapping of members"),
        ("{effect: {rate_limit: 10}}", "faults[0].effect.rate_limit", "it must be a mapping of members with calls"),
    ],
)
def test_no_class_is_named_for_a_value_in_place_of_a_mapping(rule: str, place: str, told: str) -> None:
    assert faults(f"faults: [{rule}]") == [(1, place, told)]


def test_a_tab_in_an_indentation_is_told() -> None:
    ((line, _, told),) = faults("projects:\n\t- Name: shop\n")
    assert line == 2
    assert "found character that cannot start any token: a tab before it" in told


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        (
            "{strat_delay: 1s}",
            "settings.strat_delay",
            "there is no setting 'strat_delay' (the nearest is 'start_delay')",
        ),
        ("{not_running: maybe}", "settings.not_running", "not_running is 'maybe'; allowed: fail, answer"),
        ("{signature: true}", "settings.signature", "signature is True; allowed: off, warn, strict"),
        ("[a]", "settings", "Input should be a valid dictionary"),
        (
            "{error_overrides: {InvalidInstance.NotRuning: {status: 403}}}",
            "settings.error_overrides.InvalidInstance.NotRuning",
            "the catalogue has no error 'InvalidInstance.NotRuning' (the nearest is 'InvalidInstance.NotRunning')",
        ),
        ("{error_overrides: [a]}", "settings.error_overrides", "error overrides are a mapping"),
    ],
)
def test_wrong_setting_says_what_is_allowed(settings: str, place: str, message: str) -> None:
    ((_, path, said),) = faults(f"settings: {settings}")
    assert path == place
    assert said.startswith(message)


def test_captured_answer_can_be_pasted_in() -> None:
    answer = json.loads((Path(__file__).parents[2] / "fixtures/documented/GetInstance.json").read_text("utf-8"))
    document = {"projects": [{"Name": "project1", "jobs": [{"JobName": "job1", "instances": [answer["Instance"]]}]}]}
    assert parse_seed(json.dumps(document), "captured").projects[0].jobs[0].instances[0].id == 412536


@given(st.text())
def test_no_text_makes_reading_fail_otherwise_than_by_its_faults(text: str) -> None:
    with suppress(SeedError):
        parse_seed(text, "seed")
