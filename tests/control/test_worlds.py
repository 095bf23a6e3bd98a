import time
from pathlib import Path
from typing import Any

import pytest

from tests.api import open_api
from tests.control.conftest import Control
from tests.machine_clock import MachineClock
from tests.renewing import renewed


def projects(control: Control, world: str) -> list[str]:
    response = control.api.request("GET", "/api/v2/projects", headers={"x-emulator-world": world, "accept": "*/*"})
    return [project["Name"] for project in response.json()["Projects"]["Project"]]


def add_project(control: Control, world: str, name: str = "added") -> None:
    control.ok("POST", f"/worlds/{world}/seed", {"projects": [{"Name": name}]}, status=204)


def test_a_world_is_created_from_the_default_seed(control: Control) -> None:
    assert control.ok("PUT", "/worlds/alice", status=201) == {"name": "alice", "access_key_id": "world-alice"}
    assert projects(control, "alice") == projects(control, "default")


def test_a_world_that_is_there_is_replaced(control: Control) -> None:
    control.ok("PUT", "/worlds/alice", status=201)
    add_project(control, "alice")
    control.ok("PUT", "/worlds/alice", {}, status=200)
    assert "added" not in projects(control, "alice")


def test_a_world_is_created_from_a_seed_document(control: Control) -> None:
    control.ok("PUT", "/worlds/alice", {"seed": {"projects": [{"Name": "p"}]}}, status=201)
    assert projects(control, "alice") == ["p"]


@pytest.mark.parametrize(
    ("seed", "found"), [("empty", []), ("night-shift", ["shop"]), ("five-thousand", ["large"])], ids=str
)
def test_a_world_is_created_from_a_built_in_seed(control: Control, seed: str, found: list[str]) -> None:
    control.ok("PUT", "/worlds/alice", {"seed": seed}, status=201)
    assert projects(control, "alice") == found


def test_a_body_may_be_yaml(control: Control) -> None:
    response = control.send(
        "PUT", "/worlds/alice", "seed:\n  projects:\n  - Name: p\n", content_type="application/yaml"
    )
    assert response.status_code == 201
    assert projects(control, "alice") == ["p"]


def test_a_world_is_created_from_a_snapshot(control: Control) -> None:
    add_project(control, "alice")
    snapshot = control.ok("GET", "/worlds/alice/snapshot")
    control.ok("PUT", "/worlds/bob", {"snapshot": snapshot}, status=201)
    assert control.ok("GET", "/worlds/bob/snapshot") == snapshot


def test_a_fork_is_a_copy_that_goes_its_own_way(control: Control) -> None:
    add_project(control, "alice")
    control.ok("PUT", "/worlds/bob", {"fork": "alice"}, status=201)
    assert control.ok("GET", "/worlds/bob/snapshot") == control.ok("GET", "/worlds/alice/snapshot")
    add_project(control, "bob", "of bob")
    assert "of bob" not in projects(control, "alice")
    assert "added" in projects(control, "bob")


@pytest.mark.parametrize(
    "beginning", [None, {"seed": "empty"}, {"seed": {"projects": [{"Name": "p"}]}}, {"fork": "default"}]
)
def test_a_reset_returns_to_what_a_world_was_created_from(control: Control, beginning: object) -> None:
    control.ok("PUT", "/worlds/alice", beginning, status=201)
    before = projects(control, "alice")
    add_project(control, "alice")
    assert control.ok("POST", "/worlds/alice/reset")["name"] == "alice"
    assert projects(control, "alice") == before


def test_a_reset_begins_the_journal_anew(control: Control) -> None:
    projects(control, "alice")
    assert control.ok("GET", "/worlds/alice/journal")["total"] == 1
    control.ok("POST", "/worlds/alice/reset")
    assert control.ok("GET", "/worlds/alice/journal")["total"] == 0


def test_all_worlds_are_reset_together(control: Control) -> None:
    for world in ("alice", "default"):
        add_project(control, world)
    assert control.ok("POST", "/reset") == {"worlds": ["alice", "default"]}
    assert "added" not in projects(control, "alice") + projects(control, "default")


def test_a_deleted_world_is_gone_and_its_name_is_free(control: Control) -> None:
    add_project(control, "alice")
    control.ok("DELETE", "/worlds/alice", status=204)
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]
    assert "added" not in projects(control, "alice")


def test_deleting_creates_nothing(control: Control) -> None:
    assert "There is no world alice." in control.refused("DELETE", "/worlds/alice", status=404)
    assert len(control.ok("GET", "/worlds")["worlds"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "snapshot", None),
        ("HEAD", "snapshot", None),
        ("GET", "settings", None),
        ("GET", "clock", None),
        ("GET", "journal", None),
        ("GET", "journal/x", None),
        ("POST", "journal/verify", {"operation": "StartJob"}),
        ("GET", "faults", None),
        ("GET", "faults/1", None),
        ("DELETE", "faults", None),
        ("DELETE", "journal", None),
    ],
)
def test_a_call_that_only_reads_makes_no_world(control: Control, method: str, path: str, body: Any) -> None:
    answer = control.send(method, f"/worlds/nobody/{path}", body)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json()["error"] == "There is no world nobody."
        assert answer.json()["no_world"] == "nobody"
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]


def test_a_call_that_changes_a_world_creates_the_one_it_names(control: Control) -> None:
    calls = [("PUT", "settings", {}), ("POST", "clock/advance", {"until": "idle"}), ("POST", "reset", None)]
    for number, (method, path, body) in enumerate(calls):
        control.ok(method, f"/worlds/w{number}/{path}", body)
        assert control.ok("GET", "/worlds")["worlds"][-1]["name"] == f"w{number}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "settings", {"start_delay": "soon"}),
        ("POST", "seed", {"projects": [{"Name": "p", "ClusterId": "absent"}]}),
        ("POST", "seed", "projects: ["),
        ("PUT", "snapshot", {}),
        ("POST", "faults", {"effect": {"error": "None"}}),
        ("POST", "clock/advance", {"until": "soon"}),
        ("PUT", "clock", {"now": -1}),
    ],
)
def test_a_change_that_is_refused_makes_no_world(control: Control, method: str, path: str, body: Any) -> None:
    control.refused(method, f"/worlds/nobody/{path}", body)
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]


def test_a_seed_for_a_new_world_may_name_the_clusters_with_which_worlds_begin(control: Control) -> None:
    (cluster, *_) = control.api.ok("ListCluster")["Clusters"]["Cluster"]
    seed = {"projects": [{"Name": "mine", "ClusterId": cluster["ClusterId"]}]}
    control.ok("POST", "/worlds/alice/seed", seed, status=204)
    assert "mine" in projects(control, "alice")


def test_worlds_are_listed_with_their_keys_and_how_long_nobody_used_them(control: Control) -> None:
    control.ok("PUT", "/worlds/alice", status=201)
    alice, default = control.ok("GET", "/worlds")["worlds"]
    assert (alice["name"], alice["access_key_id"], alice["open"]) == ("alice", "world-alice", True)
    assert default["name"] == "default"
    assert 0 <= alice["idle_ms"] <= default["idle_ms"]


def test_a_list_does_not_count_as_use(control: Control) -> None:
    world = control.api.registry.open_or_create("default")
    before = world.last_used
    control.ok("GET", "/worlds")
    assert world.last_used == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"seed": "empty", "fork": "default"}, "Give one of seed, snapshot, fork."),
        ({"clone": "default"}, "Give one of seed, snapshot, fork."),
        ({"sed": "empty"}, "It has no member 'sed' (the nearest is 'seed'). Give one of seed, snapshot, fork."),
        ([], "The body does not say what to create the world from. Give one of seed, snapshot, fork."),
        ("{", "The body is not JSON."),
        ("seed: empty", "If it is YAML, send it with the Content-Type application/yaml."),
        ("\ud800".encode("utf-8", "surrogatepass"), "The body is not UTF-8."),
        (
            '{"seed": "empty"}'.encode("utf-16"),
            "The body is UTF-16, as Windows PowerShell writes it. Save it as UTF-8.",
        ),
        ('{"seed": "中'.encode() + b"\xff", "invalid start byte at character 12."),
        ({"seed": "night-shif"}, "There is no seed 'night-shif' (the nearest is 'night-shift'). "),
        ({"seed": "/etc/passwd"}, "There is no seed '/etc/passwd'. Give a document, or one of default, empty, "),
        ({"seed": {"projects": [{}]}}, "seed:1: projects[0].Name: Field required"),
        ({"seed": 5}, "The seed document cannot be used."),
        ({"snapshot": {}}, "a snapshot is an object with snapshot_version and tables"),
    ],
)
def test_a_beginning_that_cannot_be_changes_nothing(control: Control, body: object, reason: str) -> None:
    add_project(control, "alice")
    assert reason in control.refused("PUT", "/worlds/alice", body)
    assert "added" in projects(control, "alice")
    control.refused("PUT", "/worlds/bob", body)
    assert len(control.ok("GET", "/worlds")["worlds"]) == 2


@pytest.mark.parametrize("name", ["nobody", 5, None])
def test_a_world_that_does_not_exist_cannot_be_forked(control: Control, name: object) -> None:
    assert f"There is no world {name!r} to fork." in control.refused("PUT", "/worlds/alice", {"fork": name}, status=404)


def test_a_long_name_is_cut_before_it_is_shown(control: Control) -> None:
    """To write 16 million characters in quotes would hold all threads for a tenth of a second."""
    long = "a" * 10_000
    assert f" seed '{'a' * 500}...{'a' * 500}'. " in control.refused("PUT", "/worlds/alice", {"seed": long})
    assert f"'{'a' * 200}...' cannot name a world" in control.refused("PUT", "/worlds/alice", {"fork": long})
    assert "no world of this name" in control.refused("PUT", "/worlds/alice", {"fork": [1] * 10_000}, status=404)


def test_a_name_that_no_world_can_have_is_refused(control: Control) -> None:
    for method, path in (("PUT", ""), ("DELETE", ""), ("GET", "/snapshot"), ("POST", "/reset"), ("GET", "/clock")):
        assert "'Alice' cannot name a world" in control.refused(method, f"/worlds/Alice{path}")


def test_more_worlds_than_are_allowed_are_refused_with_the_reason() -> None:
    with open_api(max_worlds=2) as api:
        control = Control(api)
        control.ok("PUT", "/worlds/alice", status=201)
        for method, path in (("PUT", ""), ("PUT", "/settings"), ("POST", "/reset")):
            assert "At most 2 worlds may be open" in control.refused(method, f"/worlds/bob{path}", {}, status=503)
        answer = control.get_instance("bob")
        assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable")
        assert "At most 2 worlds may be open" in answer.headers["x-emulator-hint"]
        assert answer.headers["x-acs-request-id"] == answer.json()["RequestId"]
        control.ok("DELETE", "/worlds/alice", status=204)
        assert control.get_instance("bob").status_code == 200


@pytest.mark.parametrize("again", ["reset", "new default seed"])
def test_a_closed_world_begins_when_it_is_reset_and_not_when_it_is_opened_next(
    tmp_path: Path, machine_clock: MachineClock, again: str
) -> None:
    seed = tmp_path / "seed.yaml"
    instances = "[{Id: 412536, timeline: [{after: 30s, ActualState: FAILED}]}]"
    seed.write_text(f"projects: [{{Name: project1, jobs: [{{JobName: job1, instances: {instances}}}]}}]", "utf-8")
    with open_api(data_dir=tmp_path / "worlds", seed=(str(seed),), world_idle=1) as api:
        control = Control(api)
        assert control.get_instance("alice").json()["Instance"]["ActualState"] == "RUNNING"
        time.sleep(0.01)  # longer than a world may be idle
        api.registry.open_or_create("other")
        assert api.registry.peek("alice") is None
        machine_clock.let_pass(60_000)
        if again == "reset":
            control.ok("POST", "/reset")
        else:
            assert "alice" in list(renewed(api.registry, api.registry.origin("alice")))
        machine_clock.let_pass(20_000)
        assert api.registry.peek("alice") is None
        assert control.get_instance("alice").json()["Instance"]["ActualState"] == "RUNNING"
        machine_clock.let_pass(10_000)
        assert "412536 is FAILED" in control.get_instance("alice").headers["x-emulator-hint"]
