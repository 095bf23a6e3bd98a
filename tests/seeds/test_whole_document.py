"""Checks of a seed document as a whole: missing references, repetitions and contradictions."""

import difflib
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from foas_emulator.cli import main
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.image import try_seeds
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.seeds.validation import validate
from foas_emulator.showing import Suggestions, nearest

PROJECT = """
clusters: [{ClusterId: north}]
projects:
- Name: shop
  ClusterId: north
  queues: [{QueueName: root.shop}]
  folders: [{Path: /orders, FolderId: 7}]
  packages: [{PackageName: clicks-1.2.jar}]
  jobs:
  - JobName: j
"""


def faults(text: str, *, clusters: tuple[str, ...] = ()) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SeedError) as refused:
        parse_seed(text, "seed.yaml", clusters=clusters)
    return [(fault.line, fault.path, fault.message) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("members", "path", "message"),
    [
        ("ClusterId: nort", "ClusterId", "there is no cluster 'nort' (the nearest is 'north'); give it under clusters"),
        ("QueueName: root.shpo", "QueueName", "the project has no queue 'root.shpo' (the nearest is 'root.shop')"),
        ("FolderId: 8", "FolderId", "the project's folders have no FolderId 8"),
        (
            "Packages: 'clicks-1.2.jar, clicks-1.3.jar'",
            "Packages",
            "the project has no package 'clicks-1.3.jar' (the nearest is 'clicks-1.2.jar')",
        ),
        (
            "{IsCommitted: false, instances: [{}]}",
            "IsCommitted",
            "a job that has instances is committed; leave out one of the two",
        ),
        ("ProjectName: other", "ProjectName", "'other' contradicts the part around it: the project's name is 'shop'"),
        (
            "instances: [{JobName: other}]",
            "instances[0].JobName",
            "'other' contradicts the part around it: the job's name is 'j'",
        ),
        (
            "instances: [{ApiType: SQL}, {ApiType: DATASTREAM}]",
            "instances[1].ApiType",
            "'DATASTREAM' contradicts the part around it: the job's ApiType is 'SQL'",
        ),
        (
            "instances: [{is_archived: false}, {is_archived: false}]",
            "instances[1].is_archived",
            "a stream job has one instance that is not archived, and an earlier one is",
        ),
    ],
)
def test_what_leads_nowhere_or_contradicts_itself_is_reported(members: str, path: str, message: str) -> None:
    given = members if members.startswith("{") else "{" + members + "}"
    text = PROJECT + f"    <<: {given}\n"
    assert faults(text) == [(11, f"projects[0].jobs[0].{path}", message)]


def test_the_queue_of_another_cluster_is_reported() -> None:
    text = PROJECT.replace("[{ClusterId: north}]", "[{ClusterId: north}, {ClusterId: south}]")
    told = [(11, "projects[0].jobs[0].ClusterId", "cluster 'south' has not queue 'root.shop'")]
    assert faults(text + "    ClusterId: south\n    QueueName: root.shop\n") == told
    text += "    ClusterId: south\n"
    assert faults(text) == [(11, "projects[0].jobs[0].ClusterId", "cluster 'south' has no queue of the project")]


def test_every_fault_of_every_kind_is_reported_in_one_pass() -> None:
    text = (
        PROJECT + "    Code: 5\n    QueueName: nowhere\n  - JobName: j\n    IsCommitted: false\n    instances: [{}]\n"
    )
    assert [(line, path) for line, path, _ in faults(text)] == [
        (11, "projects[0].jobs[0].Code"),
        (12, "projects[0].jobs[0].QueueName"),
        (13, "projects[0].jobs[1].JobName"),
        (14, "projects[0].jobs[1].IsCommitted"),
    ]


def test_clusters_of_the_world_are_known_and_others_are_not() -> None:
    text = "projects: [{Name: p, ClusterId: c}]"
    assert parse_seed(text, "seed", clusters=("c",)).projects[0].cluster_id == "c"
    told = [(1, "projects[0].ClusterId", "there is no cluster 'c'; give it under clusters")]
    assert faults(text, clusters=("d",)) == told


def test_a_job_whose_instances_say_what_it_is_need_not_say_it() -> None:
    text = "projects: [{Name: p, jobs: [{JobName: j, instances: [{ApiType: DATASTREAM, JobType: FLINK_BATCH}]}]}]"
    assert parse_seed(text, "seed").projects[0].jobs[0].instances[0].api_type == "DATASTREAM"


@pytest.mark.parametrize(
    "text",
    [
        "clusters: null\nprojects: null\nfaults: null\nsettings: null\n",
        """
projects:
- {Name: p, queues: null, folders: null, packages: null, State: null, IsOpenBatchSQL: null, DeployType: null, jobs: [
  {JobName: j, JobType: null, ApiType: null, IsCommitted: null, instances: [
  {ActualState: null, ExpectState: null, JobType: null, ApiType: null, StartTime: null, is_archived: null,
  timeline: null}]}]}""",
        "clusters: [{ClusterId: c, State: null, slave_num: null, engine_versions: null, StorageType: null}]",
        """
faults:
- {effect: {status: 500, code: X, message: null}, match: {operation: null, params: null}, skip: null, times: null,
  probability: null, at: null, id: null}""",
        "settings: {not_running: null, start_delay: null, batch_duration: null, signature: null}",
    ],
)
def test_null_is_what_is_left_out_everywhere(text: str, tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(text, "utf-8")
    try_seeds([str(file)])


@pytest.mark.parametrize("text", ["projects: [{Name: null}]", "projects: [null]", "projects: [{Name: p, Nmae: null}]"])
def test_null_is_not_what_is_required_or_unknown(text: str) -> None:
    assert faults(text)


def test_notes_and_anchors_may_stand_anywhere_under_x() -> None:
    text = (
        "$schema: seed.schema.json\n"
        "x-job: &job {EngineVersion: blink-3.7.8}\n"
        "projects:\n- Name: p\n  x-note: mine\n  jobs:\n  - {<<: *job, JobName: j, x-a: [1], instances: [{x-b: 1}]}\n"
        "settings: {x-why: tests, start_delay: 1s}\n"
        "faults: [{effect: {drop: true}, x-why: tests}]\n"
    )
    document = parse_seed(text, "seed")
    assert document.projects[0].jobs[0].engine_version == "blink-3.7.8"
    assert document.settings == {"start_delay": "1s"}


class TestCheck:
    def run(self, tmp_path: Path, *texts: str, onto: tuple[str, ...] = ()) -> tuple[int, str]:
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / f"{number}.yaml")
            files[-1].write_text(text, "utf-8")
        options = [option for each in onto for option in ("--onto", each)]
        result = CliRunner().invoke(main, ["seed", "check", *options, *map(str, files)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output.replace(f"{tmp_path}/", "")

    def test_a_cluster_that_is_nowhere_is_reported(self, tmp_path: Path) -> None:
        code, output = self.run(tmp_path, "projects: [{Name: p, ClusterId: demo}]")
        assert code == 1
        assert output == "0.yaml:1: projects[0].ClusterId: there is no cluster 'demo'; give it under clusters\n"

    def test_what_the_world_holds_before_counts(self, tmp_path: Path) -> None:
        text = "projects: [{Name: p, ClusterId: demo4b0v6t1kq8y2w7x5z3ca}]"
        assert self.run(tmp_path, text, onto=("default",)) == (0, "0.yaml: ok\n")

    def test_what_the_world_refuses_is_reported_with_its_line(self, tmp_path: Path) -> None:
        world = tmp_path / "world.yaml"
        world.write_text("projects: [{Name: q, folders: [{Path: /, FolderId: 5}]}]", "utf-8")
        text = "projects:\n- Name: p\n  folders:\n  - Path: /x\n    FolderId: 5\n"
        code, output = self.run(tmp_path, text, onto=(str(world),))
        assert code == 1
        message = "FolderId 5 is that of / in project 'q' already"
        assert output == f"0.yaml:5: projects[0].folders[0].FolderId: {message}\n"

    def test_every_file_is_told_of(self, tmp_path: Path) -> None:
        code, output = self.run(tmp_path, "{}", "a: *b", "projects: [{}]")
        assert code == 1
        assert [line.partition(": ")[0] for line in output.splitlines()] == ["0.yaml", "1.yaml:1", "2.yaml:1"]


def test_wrong_names_are_compared_as_long_as_that_takes_no_longer_than_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []

    def count(word: str, known: Iterable[str], n: int) -> list[str]:
        compared.extend(len(word) * len(each) for each in known)
        return [*known][:n]

    monkeypatch.setattr("difflib.get_close_matches", count)
    names = [f"{number:0128b}" for number in range(600)]
    packages = [{"PackageName": name} for name in names[:300]]
    jobs = [{"JobName": f"j{place}", "Packages": name} for place, name in enumerate(names[300:])]
    overrides = {f"{name}.{place}": {"status": 400} for place, name in enumerate(names[:300])}
    _, problems = validate(
        {"projects": [{"Name": "p", "packages": packages, "jobs": jobs}], "settings": {"error_overrides": overrides}},
        clusters=(),
    )
    lost = [message for _, message in problems if message.startswith("the project has no package")]
    assert len(lost) == len(jobs)
    assert "the nearest is" in lost[0]
    assert "the nearest is" not in lost[-1]
    assert 0 < sum(compared) < 5_000_000, "each pair of characters may take a tenth of a microsecond"


def test_the_schema_is_written_by_the_command_line() -> None:
    result = CliRunner().invoke(main, ["seed", "schema"])
    assert result.exit_code == 0
    assert result.output == (Path(__file__).parents[2] / "fixtures/seed.schema.json").read_text("utf-8")


def test_many_parts_that_differ_from_the_same_long_text_take_no_room_for_each() -> None:
    jobs = [{"JobName": f"j{number}", "ProjectName": "q"} for number in range(1000)]
    document = {"projects": [{"Name": "p" * 100_000, "jobs": jobs}]}
    tracemalloc.start()
    try:
        seed, problems = validate(document)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seed is None
    assert len(problems) == 1000
    assert most < 20_000_000, "not a hundred megabytes"


def test_queues_are_not_looked_through_for_each_job() -> None:
    """With as many queues as jobs, that would take the square of them."""
    looked_at = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal looked_at
            looked_at += 1
            return super().__eq__(other)

        __hash__ = str.__hash__

    queues = [{"QueueName": f"q{number}", "ClusterId": Name(f"c{number}")} for number in range(100)]
    jobs = [{"JobName": f"j{number}", "ClusterId": Name("c99")} for number in range(100)]
    project = {"Name": "p", "queues": queues, "jobs": jobs}
    clusters = [{"ClusterId": f"c{number}"} for number in range(100)]
    seed, problems = validate({"clusters": clusters, "projects": [project]}, clusters=())
    assert problems == []
    assert seed is not None
    assert looked_at < 1000


def test_a_name_with_nothing_to_compare_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of 48 MB took seconds, and a third of one in which nothing else ran."""
    monkeypatch.setattr(difflib, "get_close_matches", None)
    assert nearest("a" * 257, ["a" * 256]) == ""


@pytest.mark.parametrize(("name", "known"), [("", "c"), ("c", ""), ("c", "c" * 257)])
def test_names_are_looked_through_so_often_whatever_their_length(name: str, known: str) -> None:
    """1000 empty names and 20,000 known ones took seven seconds."""
    looked_at = 0

    def names() -> Iterator[str]:
        nonlocal looked_at
        for _ in range(1000):
            looked_at += 1
            yield known

    suggestions = Suggestions()
    for _ in range(500):
        suggestions.nearest(name, names())
    assert looked_at <= 40_500


def test_a_job_names_no_more_packages_than_a_call_may_give_it() -> None:
    """DeletePackage looks through the names of all jobs."""
    jobs = [{"JobName": "j", "Packages": "a.jar," * 10_923}]
    _, problems = validate({"projects": [{"Name": "p", "packages": [{"PackageName": "a.jar"}], "jobs": jobs}]})
    told = "String should have at most 65536 characters"
    assert problems == [(("projects", 0, "jobs", 0, "Packages"), told)]


def test_a_cluster_has_no_more_engine_versions_than_one_answer_may_list() -> None:
    versions = "a--b," * 13_108 + "a--b"
    _, problems = validate({"clusters": [{"ClusterId": "c", "engine_versions": versions}]})
    assert problems == [(("clusters", 0, "engine_versions"), "String should have at most 65536 characters")]


def test_an_instance_names_no_more_packages_than_a_snapshot_may_give_it() -> None:
    jobs = [{"JobName": "j", "instances": [{"Packages": "a.jar," * 10_923}]}]
    _, problems = validate({"projects": [{"Name": "p", "jobs": jobs}]})
    assert [place for place, _ in problems] == [("projects", 0, "jobs", 0, "instances", 0, "Packages")]


def test_a_timeline_has_so_many_states() -> None:
    """A call that changes the instance cancels all of them, 100,000 in a tenth of a second."""
    instance = {"ActualState": "RUNNING", "timeline": [{"after": "1h", "ActualState": "FAILED"}] * 10_001}
    _, problems = validate({"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [instance]}]}]})
    ((place, told),) = problems
    assert place == ("projects", 0, "jobs", 0, "instances", 0, "timeline")
    assert "at most 10000 items" in told
