import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from foas_emulator.faults.rules import MOST_RULES
from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.seeds import applying
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.pending import planned
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, equal
from foas_emulator.world.world import World
from tests.api import dump, open_api


@pytest.fixture
def world() -> Iterator[World]:
    with open_api(seed=("empty",)) as api:
        world = api.world
        with world.transaction():
            world.clock.set(mode="frozen", now=1_600_000_000_999)
        yield world


def seed(world: World, text: str) -> None:
    apply(world, parse_seed(text, "seed"))


def only(world: World, model: type[Row]) -> Any:
    (row,) = world.store.find(model)
    return row


def test_project_gets_the_defaults_of_the_service(world: World) -> None:
    seed(world, "projects: [{Name: p}]")
    project, queue, folder, cluster = (only(world, model) for model in (Project, Queue, Folder, Cluster))
    assert (project.state, project.deploy_type, project.region) == ("ENABLE", "cell", "cn-hangzhou")
    assert (project.create_time, project.modify_time) == (1_600_000_000_000, 1_600_000_000_000)
    assert (len(project.id), project.creator, project.modifier) == (24, "239960377092765296", "239960377092765296")
    assert (queue.queue_name, queue.project_name, queue.max_v_core, queue.max_mem) == ("root.p", "p", 300, 12288)
    assert project.cluster_id == queue.cluster_id == cluster.cluster_id
    assert (cluster.state, cluster.region_id, cluster.slave_num) == ("RUNNING", "cn-hangzhou", 2)
    assert (folder.path, folder.folder_id) == ("/", 1)


def test_project_takes_the_first_cluster_there_is(world: World) -> None:
    seed(world, "clusters: [{ClusterId: a}, {ClusterId: b}]\nprojects: [{Name: p}, {Name: q, ClusterId: b}]")
    assert [project.cluster_id for project in world.store.find(Project)] == ["a", "b"]
    assert len(world.store.find(Cluster)) == 2


def test_cluster_gets_the_defaults_of_the_service(world: World) -> None:
    seed(world, "clusters: [{ClusterId: c}]")
    cluster = only(world, Cluster)
    assert (cluster.gmt_create, cluster.gmt_modified) == (1_600_000_000_000, 1_600_000_000_000)
    assert (cluster.storage_type, cluster.pay_model, cluster.master_num) == ("HDFS", "post", 1)
    assert cluster.owner_id == cluster.operator == "239960377092765296"


def test_job_gets_the_defaults_of_the_service_and_is_committed(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j}]}]")
    job, committed = only(world, Job), only(world, CommittedJob)
    assert (job.job_type, job.api_type, job.engine_version) == ("FLINK_STREAM", "SQL", "blink-3.4.4")
    assert (job.queue_name, job.folder_id) == ("root.p", 1)
    assert (committed.job_name, committed.engine_version) == ("j", "blink-3.4.4")


@pytest.mark.parametrize(
    ("members", "committed"),
    [("", 1), ("IsCommitted: false", 0), ("IsCommitted: true", 1), ("instances: [{}]", 1)],
)
def test_job_is_committed_unless_it_says_otherwise_and_always_with_instances(
    world: World, members: str, committed: int
) -> None:
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, {members}}}]}}]")
    assert world.store.count(CommittedJob) == committed


def test_instance_follows_its_job(world: World) -> None:
    job = "JobName: j, Code: c, Properties: pr, Packages: pa, PlanJson: pl, EngineVersion: blink-3.7.8, Description: d"
    seed(world, f"projects: [{{Name: p, packages: [{{PackageName: pa}}], jobs: [{{{job}, instances: [{{}}]}}]}}]")
    instance = only(world, Instance)
    assert (instance.id, instance.project_name, instance.job_name) == (1, "p", "j")
    assert (instance.code, instance.properties, instance.packages, instance.plan_json) == ("c", "pr", "pa", "pl")
    assert (instance.engine_version, instance.queue_name) == ("blink-3.7.8", "root.p")
    assert (instance.actual_state, instance.expect_state, instance.input_delay) == ("RUNNING", "RUNNING", -99999999)
    assert instance.start_time == instance.last_operate_time == 1_600_000_000_000
    assert instance.end_time is None
    assert instance.engine_job_handler.startswith("application_")
    assert not instance.is_archived


@pytest.mark.parametrize(
    ("actual", "expected", "ended"),
    [
        ("WAITING", "RUNNING", False),
        ("RUNNING", "RUNNING", False),
        ("PAUSED", "PAUSED", False),
        ("TERMINATED", "TERMINATED", True),
        ("SUCCESS", "SUCCESS", True),
        ("FAILED", "RUNNING", True),
    ],
)
def test_state_of_an_instance_tells_what_is_expected_and_whether_it_ended(
    world: World, actual: str, expected: str, ended: object
) -> None:
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: [{{ActualState: {actual}}}]}}]}}]")
    instance = only(world, Instance)
    assert (instance.expect_state, instance.end_time is not None) == (expected, ended)


def test_an_instance_that_waits_has_no_start_unless_told(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, instances: [{ActualState: WAITING}]}]}]")
    instance = only(world, Instance)
    assert (instance.start_time, instance.engine_job_handler) == (None, None)
    assert instance.last_operate_time == 1_600_000_000_000
    told = "{ActualState: WAITING, StartTime: 5000, EngineJobHandler: a|b}"
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: [{told}]}}]}}]")
    instance = only(world, Instance)
    assert (instance.start_time, instance.engine_job_handler) == (5000, "a|b")


def test_last_instance_of_a_stream_job_is_the_current_one_unless_told_otherwise(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, instances: [{Id: 1}, {Id: 2}, {Id: 3}]}]}]")
    assert [row.is_archived for row in world.store.find(Instance)] == [True, True, False]
    told = "[{Id: 1, is_archived: false}, {Id: 2, is_archived: true}]"
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: {told}}}]}}]")
    assert [row.is_archived for row in world.store.find(Instance)] == [False, True]


def test_instances_of_a_batch_job_are_not_archived(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, JobType: FLINK_BATCH, instances: [{Id: 1}, {Id: 2}]}]}]")
    assert [row.is_archived for row in world.store.find(Instance)] == [False, False]


def test_folders_above_a_folder_are_made(world: World) -> None:
    seed(world, "projects: [{Name: p, folders: [{Path: /a/b/c/, FolderId: 9}, {Path: /a}]}]")
    assert {row.path: row.folder_id for row in world.store.find(Folder)} == {"/a/b/c": 9, "/": 10, "/a": 11, "/a/b": 12}


def test_id_that_is_not_given_never_takes_one_that_is(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, instances: [{}, {Id: 1}, {Id: 7}, {}]}]}]")
    assert [row.id for row in world.store.find(Instance)] == [1, 7, 8, 9]


def test_package_gets_the_defaults_of_the_service(world: World) -> None:
    seed(world, "projects: [{Name: p, packages: [{PackageName: a.jar}]}]")
    package = only(world, Package)
    assert (package.project_name, package.type, package.create_time) == ("p", "JAR", 1_600_000_000_000)


def test_timeline_is_planned_from_the_moment_of_applying(world: World) -> None:
    timeline = "[{after: 5m, ActualState: FAILED, LastErrorMessage: gone}, {after: 90, ActualState: PAUSED}]"
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: [{{Id: 5, timeline: {timeline}}}]}}]}}]")
    now = world.now()
    assert [(change.at - now, change.what) for change in planned(world.store)] == [
        (90_000, "instance:5 put_state"),
        (300_000, "instance:5 put_state"),
    ]
    with world.transaction():
        world.clock.put(world.clock.ahead(300_000))
    world.settle()
    instance = only(world, Instance)
    assert (instance.actual_state, instance.last_error_message) == ("FAILED", "gone")


def test_settings_become_those_of_the_world(world: World) -> None:
    seed(world, "settings: {not_running: answer, start_delay: 30s, batch_duration: 5}")
    assert (world.settings.not_running, world.settings.start_delay) == ("answer", 30_000)
    assert world.settings.batch_duration == 5_000


def test_merging_replaces_a_project_whole_and_leaves_the_others(world: World) -> None:
    seed(
        world,
        "projects:\n"
        "  - {Name: p, packages: [{PackageName: a}], jobs: [{JobName: j, instances: "
        "[{Id: 1, timeline: [{after: 1s, ActualState: FAILED}]}]}]}\n"
        "  - {Name: q, jobs: [{JobName: j, instances: [{Id: 2}]}]}\n",
    )
    untouched = [row.model_dump() for row in world.store.find(Instance, equal(Instance.project_name, "q"))]
    seed(world, "projects: [{Name: p, jobs: [{JobName: k}]}]")
    assert [row.job_name for row in world.store.find(Job, equal(Job.project_name, "p"))] == ["k"]
    assert world.store.find(Package) == []
    assert planned(world.store) == []
    assert [row.model_dump() for row in world.store.find(Instance)] == untouched


def test_merging_the_same_document_again_changes_nothing(world: World) -> None:
    text = "projects: [{Name: p, Id: i, folders: [{Path: /, FolderId: 1}], jobs: [{JobName: j, JobId: n, FileId: f}]}]"
    seed(world, text)
    before = dump(world)
    seed(world, text)
    assert {**dump(world), "counters": before["counters"]} == before


def test_instance_moves_to_where_the_later_document_has_it(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, instances: [{Id: 1}]}]}]")
    seed(world, "projects: [{Name: q, jobs: [{JobName: k, instances: [{Id: 1}]}]}]")
    assert [(row.project_name, row.id) for row in world.store.find(Instance)] == [("q", 1)]


def test_document_that_takes_the_folder_id_of_another_project_changes_nothing(world: World) -> None:
    seed(world, "projects: [{Name: p, folders: [{Path: /, FolderId: 5}]}]")
    before = dump(world)
    with pytest.raises(SeedError, match="FolderId 5 is that of / in project 'p' already"):
        seed(world, "clusters: [{ClusterId: new}]\nprojects: [{Name: q, folders: [{Path: /x, FolderId: 5}]}]")
    assert dump(world) == before


@pytest.mark.parametrize(
    ("projects", "place"),
    [
        ("{Name: p, queues: [{QueueName: root.q}]}, {Name: q, ClusterId: c, queues: [{QueueName: root.q}]}", "queues"),
        ("{Name: p, queues: [{QueueName: root.q, ClusterId: c}]}, {Name: q, ClusterId: c}", "Name"),
        ("{Name: q}, {Name: p, queues: [{QueueName: root.q}]}", "queues"),
    ],
)
def test_a_queue_is_bound_to_one_project_of_a_document(world: World, projects: str, place: str) -> None:
    with pytest.raises(SeedError, match=rf"projects\[1\].{place}.*queue 'root.q' of cluster c is bound to project"):
        seed(world, f"clusters: [{{ClusterId: c}}]\nprojects: [{projects}]")
    assert world.store.count(Project) == 0


def test_queues_of_two_clusters_may_have_one_name(world: World) -> None:
    queues = "queues: [{QueueName: root.q}]"
    projects = f"{{Name: p, ClusterId: c, {queues}}}, {{Name: q, ClusterId: d, {queues}}}"
    seed(world, f"clusters: [{{ClusterId: c}}, {{ClusterId: d}}]\nprojects: [{projects}]")
    assert world.store.count(Queue) == 2


def test_queue_of_a_cluster_is_bound_to_the_project_that_names_it_last(world: World) -> None:
    text = "clusters: [{ClusterId: c}]\nprojects: [{Name: %s, ClusterId: c, queues: [{QueueName: root.shared}]}]"
    seed(world, text % "p")
    seed(world, text % "q")
    assert only(world, Queue).project_name == "q"


def test_null_is_a_member_that_is_not_given(world: World) -> None:
    seed(world, "projects: [{Name: p, Creator: null, jobs: [{JobName: j, instances: [{EndTime: null, Id: null}]}]}]")
    assert only(world, Project).creator == "239960377092765296"
    assert only(world, Instance).id == 1


def test_a_moved_instance_leaves_behind_what_was_planned_for_it(world: World) -> None:
    plan = "instances: [{Id: 7, timeline: [{after: 1m, ActualState: FAILED}]}]"
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, {plan}}}]}}]")
    seed(world, "projects: [{Name: q, jobs: [{JobName: j, instances: [{Id: 7}]}]}]")
    assert planned(world.store) == []


def test_a_moved_instance_leaves_behind_the_plans_that_autoscale_made_for_it(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: j, instances: [{Id: 7}]}]}]")
    plan = AutoScalePlan.model_construct(
        instance_id=7, plan_name="2018-09-18 10:10:20", project_name="p", job_name="j", plan_json="{}"
    )
    with world.transaction():
        world.store.insert(plan)
    seed(world, "projects: [{Name: q, jobs: [{JobName: j, instances: [{Id: 7}]}]}]")
    assert world.store.find(AutoScalePlan) == []


def test_given_file_ids_are_kept_and_given_to_no_other_job(world: World) -> None:
    seed(world, "projects: [{Name: p, jobs: [{JobName: a}, {JobName: b, FileId: '7'}, {JobName: c, FileId: mine}]}]")
    jobs = {job.job_name: job.file_id for job in world.store.find(Job)}
    assert jobs == {"a": "8", "b": "7", "c": "mine"}


def test_too_many_fault_rules_are_a_fault_of_the_seed(world: World) -> None:
    rules = [{"effect": {"error": "Throttling.User"}}] * (MOST_RULES + 1)
    with pytest.raises(SeedError, match=r"seed:1: faults\[1000\]: a world has at most 1000 fault rules"):
        seed(world, json.dumps({"projects": [{"Name": "p"}], "faults": rules}))
    assert world.store.count(Project) == 0


def test_deep_folders_are_refused_before_all_above_them_are_made(world: World) -> None:
    """A path of a kilobyte has hundreds of folders above it, which take a hundred times its room."""
    folders = [{"Path": f"/{number}" + "/a" * 500} for number in range(200)]
    tracemalloc.start()
    try:
        with pytest.raises(SeedError, match="with those above them they are over 1000 folders"):
            seed(world, json.dumps({"projects": [{"Name": "p", "folders": folders}]}))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10_000_000, "not fifty megabytes"


def test_rows_are_not_read_for_each_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many queues and clusters as jobs and projects, anything else would take the product of both."""
    read: list[type[Row]] = []
    find = Store.find

    def noted(store: Store, model: type[Any], *conditions: Any) -> list[Any]:
        read.append(model)
        return find(store, model, *conditions)

    monkeypatch.setattr(Store, "find", noted)
    jobs = json.dumps([{"JobName": f"j{number}", "QueueName": "root.b"} for number in range(9)])
    queues = "[{QueueName: root.a}, {QueueName: root.b}]"
    seed(world, f"projects: [{{Name: p, queues: {queues}, jobs: {jobs}}}, {{Name: q}}, {{Name: r}}]")
    assert read.count(Queue) <= 3, "once for each project"
    assert read.count(Cluster) == 0, "only their ids are"
    assert {job.queue_name for job in find(world.store, Job)} == {"root.b"}


def test_a_job_gets_the_first_queue_of_the_name_and_the_cluster_that_it_gives(world: World) -> None:
    queues = "[{QueueName: c, ClusterId: c1}, {QueueName: b, ClusterId: c2}, {QueueName: a, ClusterId: c2}]"
    jobs = (
        "[{JobName: j1}, {JobName: j2, QueueName: b}, {JobName: j3, ClusterId: c2},"
        " {JobName: j4, QueueName: b, ClusterId: c2}]"
    )
    clusters = "[{ClusterId: c1}, {ClusterId: c2}]"
    seed(world, f"clusters: {clusters}\nprojects: [{{Name: p, queues: {queues}, jobs: {jobs}}}]")
    found = [(job.queue_name, job.cluster_id) for job in world.store.find(Job)]
    assert found == [("c", "c1"), ("b", "c2"), ("a", "c2"), ("b", "c2")]


def test_what_a_project_had_is_found_by_an_index(world: World) -> None:
    """A seed of a kilobyte may replace a hundred projects: none of them may look through all that the world holds."""
    parts = "folders: [{Path: /a}], packages: [{PackageName: x}], jobs: [{JobName: j, instances: [{}]}]"
    text = f"projects: [{{Name: p, {parts}}}]"
    seed(world, text)
    written: list[str] = []
    world.store._raw.set_trace_callback(written.append)
    seed(world, text)
    world.store._raw.set_trace_callback(None)
    changes = [statement for statement in written if statement.startswith(("DELETE", "UPDATE"))]
    assert len(changes) > 10
    plans = {step[3]: each for each in changes for step in world.store._raw.execute(f"EXPLAIN QUERY PLAN {each}")}
    assert [plans[step] for step in plans if step.startswith("SCAN")] == []


def test_the_queue_of_a_project_without_one_has_no_longer_name_than_another(world: World) -> None:
    seed(world, f"projects: [{{Name: {'p' * 256}, jobs: [{{JobName: j, QueueName: root.{'p' * 251}}}]}}]")
    assert only(world, Queue).queue_name == only(world, Job).queue_name == f"root.{'p' * 251}"


def test_projects_of_one_document_may_exchange_their_ids(world: World) -> None:
    for x, y in ((7, 8), (8, 7)):
        of_a, of_b = f"folders: [{{Path: /x, FolderId: {x}}}]", f"folders: [{{Path: /y, FolderId: {y}}}]"
        seed(world, f"projects: [{{Name: a, {of_a}}}, {{Name: b, {of_b}}}]")
    folders = world.store.find(Folder)
    assert [(each.folder_id, each.path) for each in folders if each.path != "/"] == [(7, "/y"), (8, "/x")]


def test_a_job_on_another_cluster_than_the_queues_of_its_project_is_refused(world: World) -> None:
    seed(world, "clusters: [{ClusterId: a}]")
    text = "clusters: [{ClusterId: b}]\nprojects: [{Name: p, jobs: [{JobName: j, ClusterId: b}]}]"
    with pytest.raises(SeedError, match=r"ClusterId: cluster 'b' has no such queue of the project"):
        seed(world, text)


def test_the_timelines_of_a_project_have_so_many_states_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST_PLANNED", 3)
    states = "{timeline: [{after: 1h, ActualState: FAILED}, {after: 2h, ActualState: FAILED}]}"
    seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: [{states}, {{}}]}}]}}]")
    with pytest.raises(SeedError, match=r"projects\[0\].jobs: together their timelines have over 3 states"):
        seed(world, f"projects: [{{Name: p, jobs: [{{JobName: j, instances: [{states}, {states}]}}]}}]")
    assert len(planned(world.store)) == 2


def test_more_projects_than_a_world_may_have_are_refused_before_the_first_is_put(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document can have millions, and each takes a tenth of a millisecond."""
    monkeypatch.setattr(applying, "MOST_PROJECTS", 1)
    monkeypatch.setattr(applying, "_put_project", lambda *_: pytest.fail("a project was put"))
    with pytest.raises(SeedError, match="projects: the world would have over 1 projects"):
        seed(world, "clusters: [{ClusterId: c}]\nprojects: [{Name: p}, {Name: q}]")


def test_more_instances_than_a_project_may_have_are_refused_before_the_first_is_put(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "MOST_INSTANCES", 1)
    monkeypatch.setattr(applying, "_put_instance", lambda *_, **_given: pytest.fail("an instance was put"))
    with pytest.raises(SeedError, match=r"projects\[0\].jobs: together they have over 1 instances"):
        seed(world, "clusters: [{ClusterId: c}]\nprojects: [{Name: p, jobs: [{JobName: j, instances: [{}, {}]}]}]")
