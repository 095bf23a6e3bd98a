"""What clients are told where the file of a world cannot be used."""

import html
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from foas_emulator.control import images, resetting
from foas_emulator.faults.rules import FaultRule
from foas_emulator.world import copying, soundness
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.staging import StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.tables import assign, equal
from foas_emulator.world.world import WorldRow
from tests.api import Api, open_api
from tests.console.conftest import Console

SAID = "The file alice.db of the data directory cannot be used: "
ALICE = {"x-emulator-world": "alice"}
PLAN = "INSERT INTO pending_changes (sequence, at, subject, event, details) VALUES"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with open_api(data_dir=tmp_path) as opened:
        yield opened


def damage(api: Api, directory: Path) -> None:
    """Overwrite the file of an open world."""
    store = api.registry.open_or_create("alice").store
    store._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._raw.execute("PRAGMA shrink_memory")
    path = directory / "alice.db"
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"x" * (len(content) - 100))
    store._raw.execute("PRAGMA cache_size = 0")


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("mend", [("PUT", ""), ("POST", "/reset"), ("DELETE", "")])
def test_a_file_that_is_damaged_while_it_is_open_is_named_by_both_apis(
    mend: tuple[str, str], api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr(images, "LARGE", 0)
    damage(api, tmp_path)
    answer = api.request("GET", "/api/v2/projects", headers=ALICE)
    assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable")
    assert answer.json()["RequestId"]
    assert answer.headers["x-emulator-hint"].startswith(SAID)
    control = api.request("GET", "/_emulator/worlds/alice/snapshot")
    assert (control.status_code, control.json()["error"]) == (503, "The world cannot be kept in its file.")
    assert control.json()["hint"].startswith(SAID)
    assert api.request("GET", "/api/v2/projects").status_code == 200
    method, path = mend
    assert api.request(method, f"/_emulator/worlds/alice{path}").is_success
    assert api.request("GET", "/api/v2/projects", headers=ALICE).status_code == 200


def test_a_world_that_is_damaged_in_the_middle_is_not_copied(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundness, "LARGEST_CHECKED", 0)  # it is too large to be checked as it is opened
    for module in (copying, images):
        monkeypatch.setattr(module, "LARGE", 0)
    api.request(
        "POST", "/_emulator/worlds/alice/seed", json={"projects": [{"Name": "mine", "jobs": [{"JobName": "a"}]}]}
    )
    api.registry._shut("alice")
    path = tmp_path / "alice.db"
    content = path.read_bytes()
    start = content.index(b"mine") // 512 * 512
    path.write_bytes(content[:start] + bytes(512) + content[start + 512 :])
    for read in (
        api.request("PUT", "/_emulator/worlds/bob", json={"fork": "alice"}),
        api.request("GET", "/_emulator/worlds/alice/snapshot"),
    ):
        assert read.status_code == 503
        assert read.json()["hint"].startswith(SAID)
    assert not api.registry.exists("bob")


@pytest.mark.parametrize("target", ["/api/v2/projects", "/_emulator/worlds/alice/snapshot"])
def test_a_text_in_a_file_that_is_none_is_damage(api: Api, target: str) -> None:
    store = api.registry.open_or_create("alice").store
    store._raw.execute("UPDATE projects SET description = CAST(x'ff80' AS TEXT)")
    answer = api.request("GET", target, headers=ALICE)
    assert answer.status_code == 503
    assert SAID in answer.headers.get("x-emulator-hint", answer.text)
    assert api.request("PUT", "/_emulator/worlds/alice").is_success
    assert api.request("GET", target, headers=ALICE).is_success


@pytest.mark.parametrize("read", ["service", "control"])
def test_an_error_that_is_about_no_file_stays_what_it_is(read: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.IntegrityError("UNIQUE constraint failed")

    api.registry.open_or_create("alice")
    monkeypatch.setattr(Store, "find", refuse)
    monkeypatch.setattr("foas_emulator.control.snapshots.snapshot_of_image", refuse)
    if read == "service":
        answer = api.request("GET", "/api/v2/projects", headers=ALICE)
        assert (answer.status_code, answer.json()["Code"]) == (500, "InternalError")
    else:
        answer = api.request("GET", "/_emulator/worlds/alice/snapshot")
        assert (answer.status_code, answer.json()["error"]) == (500, "The request failed unexpectedly.")


def test_a_world_that_cannot_be_reset_keeps_none_of_the_others_from_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alice", "bob", "carol"):
        seed = {"projects": [{"Name": "mine"}]}
        assert api.request("POST", f"/_emulator/worlds/{name}/seed", json=seed).is_success
    reset_existing = api.registry.reset_existing

    def full_for_bob(name: str, staged: StagedImage) -> None:
        if name == "bob":
            raise WorldFileError(Path("bob.db"), "No space left on device")
        reset_existing(name, staged)

    monkeypatch.setattr(api.registry, "reset_existing", full_for_bob)
    answer = api.request("POST", "/_emulator/reset")
    assert (answer.status_code, "bob.db" in answer.json()["hint"]) == (503, True)
    holding = [
        name
        for name in ("alice", "bob", "carol")
        if "mine" in api.request("GET", "/api/v2/projects", headers={"x-emulator-world": name}).text
    ]
    assert holding == ["bob"]


@pytest.mark.parametrize("is_missing", [False, True])
def test_a_reset_of_all_repairs_a_closed_world_whose_origin_is_lost(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_missing: bool
) -> None:
    monkeypatch.setattr(resetting, "LARGE", 0)
    api.request("PUT", "/_emulator/worlds/alice", json={"seed": {"projects": [{"Name": "mine"}]}})
    api.registry._shut("alice")
    origin = tmp_path / "alice.origin"
    if is_missing:
        origin.unlink()
    else:
        origin.write_bytes(origin.read_bytes()[:1000])
    assert api.request("POST", "/_emulator/reset").status_code == 200
    projects = api.request("GET", "/api/v2/projects", headers=ALICE)
    assert (projects.status_code, "mine" in projects.text) == (200, False)


@pytest.mark.parametrize("mend", [("PUT", ""), ("POST", "/reset"), ("DELETE", "")])
def test_nobody_waits_for_a_program_that_has_locked_a_file(mend: tuple[str, str], api: Api, tmp_path: Path) -> None:
    store = api.registry.open_or_create("alice").store
    assert store._raw.execute("PRAGMA busy_timeout").fetchone()[0] < 50
    snapshot = api.request("GET", "/_emulator/worlds/alice/snapshot").content
    api.registry._shut("alice")  # nobody can lock the file of a world that is open
    with closing(sqlite3.connect(tmp_path / "alice.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = api.request("POST", "/api/v2/projects", headers=ALICE, data={"name": "mine", "clusterId": "c"})
        assert (answer.status_code, answer.json()["Code"]) == (503, "ServiceUnavailable")
        assert answer.headers["x-emulator-hint"].startswith(f"{SAID}database is locked; end the other program")
        restored = api.request("PUT", "/_emulator/worlds/alice/snapshot", content=snapshot)
        assert (restored.status_code, restored.json()["hint"]) == (503, answer.headers["x-emulator-hint"])
        seen = api.request("GET", "/_emulator/worlds/alice/snapshot")
        assert (seen.status_code, seen.json()["hint"]) == (503, answer.headers["x-emulator-hint"])
        assert api.request("GET", "/api/v2/projects").is_success
        method, path = mend
        assert api.request(method, f"/_emulator/worlds/alice{path}").is_success
    assert api.request("PUT", "/_emulator/worlds/alice/snapshot", content=snapshot).is_success


@pytest.mark.parametrize("mend", [("PUT", ""), ("POST", "/reset"), ("DELETE", "")])
@pytest.mark.parametrize(
    "edit",
    [
        (
            f"{PLAN} (99, 0, 'tea:1', 'boil', '{{}}')",
            "/api/v2/projects",
            "there is no kind of pending change such as 'tea:1 boil'",
        ),
        (
            f"{PLAN} (99, 0, 'instance:412536', 'put_state', '{{')",
            "/api/v2/projects",
            "no JSON is in the details of 'instance:412536 put_state'",
        ),
        (
            f"{PLAN} (99, 9e15, 'instance:412536', 'put_state', '[]')",
            "/_emulator/worlds/alice/clock",
            "no JSON object is in the details of 'instance:412536 put_state'",
        ),
        (
            "UPDATE fault_rules SET params = '{'",
            "/_emulator/worlds/alice/faults",
            "no JSON is in the params of fault rule 1",
        ),
        ("UPDATE fault_rules SET effect = '[]'", "/_emulator/worlds/alice/faults/1", "no JSON"),
        (
            "UPDATE jobs SET create_time = 'soon' WHERE job_name = 'job1'",
            "/api/v2/projects/project1/jobs",
            "it holds what no world can have (jobs 'project1', 'job1' has a create_time that is not of type integer)",
        ),
        (
            "UPDATE projects SET description = x'00' WHERE name = 'project1'",
            "/api/v2/projects",
            "it holds what no world can have (projects 'project1' has a description that is not of type text)",
        ),
        (
            "UPDATE instances SET actual_state = 'TIRED' WHERE id = 412536",
            "/api/v2/projects",
            "it holds what no world can have (instances 412536 has a value of actual_state other than WAITING, ",
        ),
        ("UPDATE fault_rules SET effect = '{'", "/_emulator/console/w/alice/faults", "no JSON"),
    ],
)
def test_a_row_that_was_edited_by_hand_and_cannot_be_read_is_named_with_its_file(
    edit: tuple[str, str, str], mend: tuple[str, str], tmp_path: Path
) -> None:
    statement, target, said = edit
    rule = {"effect": {"error": "ServiceUnavailable"}, "match": {"operation": "GetJob"}}
    with open_api(data_dir=tmp_path) as api:
        assert api.request("POST", "/_emulator/worlds/alice/faults", json=rule).status_code == 201
    with closing(sqlite3.connect(tmp_path / "alice.db", isolation_level=None)) as other:
        assert other.execute(statement).rowcount == 1
    with open_api(data_dir=tmp_path) as api:
        for _ in range(2):
            answer = api.request("GET", target, headers=ALICE)
            told = html.unescape(answer.headers.get("x-emulator-hint", answer.text))
            assert answer.status_code == 503, told
            assert f"{SAID}{said}" in told
            assert "PUT, reset or DELETE the world to repair it" in told
        assert api.request("GET", "/api/v2/projects").status_code == 200
        method, path = mend
        assert api.request(method, f"/_emulator/worlds/alice{path}").is_success
        assert api.request("GET", "/api/v2/projects", headers=ALICE).status_code == 200
        assert api.request("GET", target, headers=ALICE).status_code in (200, 404)


def turn_columns_round(path: Path) -> None:
    """Give all tables of a database their columns in the opposite order."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        for (table,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = opened.execute(f"PRAGMA table_info({table})").fetchall()[::-1]
            declared = [f"{name} {kind}{' NOT NULL' if required else ''}" for _, name, kind, required, *_ in columns]
            keys = ", ".join(name for key, name in sorted((column[5], column[1]) for column in columns) if key)
            opened.execute(f"ALTER TABLE {table} RENAME TO before")
            opened.execute(f"CREATE TABLE {table} ({', '.join(declared)}, PRIMARY KEY ({keys}))")
            names = ", ".join(column[1] for column in columns)
            opened.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM before")
            opened.execute("DROP TABLE before")


def test_a_file_whose_tables_have_their_columns_in_another_order_holds_the_same_world(tmp_path: Path) -> None:
    snapshot = "/_emulator/worlds/{}/snapshot"
    with open_api(data_dir=tmp_path) as api:
        api.ok("GetJob", projectName="project1", jobName="job1")
        taken = api.request("GET", snapshot.format("default")).text
    turn_columns_round(tmp_path / "default.db")
    with open_api(data_dir=tmp_path) as api:
        assert api.request("GET", snapshot.format("default")).text == taken
        assert api.request("PUT", snapshot.format("restored"), content=taken).is_success
        for left, right in (("default", "restored"), ("restored", "default")):
            page = Console(api).page(f"/w/default/compare?left={left}&right={right}")
            assert "Every row of every table is the same on both sides." in page
        api.ok("UpdateJob", projectName="project1", jobName="job1", description="new")
        assert "new" in Console(api).page("/w/default/compare?left=restored&right=default")


def test_values_that_another_version_stored_and_that_this_one_refuses_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server with such a world in its data directory did not start, and its calls were answered with 500."""
    with open_api(data_dir=tmp_path) as api:
        api.world.set({"default_format": "xml"})
        rule = {"effect": {"rate_limit": {"calls": 1, "per": "1s"}}}
        for each in (rule, {"match": {"operation": "GetJob"}, "effect": {"error": "ServiceUnavailable"}}):
            assert api.request("POST", "/_emulator/worlds/default/faults", json=each).status_code == 201
        settings = {"default_format": "xml", "error_overrides": {"Throttling": {"code": ""}}, "of_tomorrow": 1}
        never = {"rate_limit": {"calls": 1, "per": "0s"}}
        with api.world.transaction():
            api.world.store.update(
                WorldRow, assign(WorldRow.settings, json.dumps(settings)), where=[equal(WorldRow.id, 1)]
            )
            api.world.store.update(
                FaultRule, assign(FaultRule.effect, json.dumps(never)), where=[equal(FaultRule.id, 1)]
            )
    with open_api(data_dir=tmp_path) as api:
        assert api.request("GET", "/api/v2/projects").status_code == 200
        assert api.call("GetJob", projectName="project1", jobName="job1").status == 503
        assert api.world.settings.default_format == "xml"
        refused = "/_emulator/worlds/default/snapshot"
        for name in ("error_overrides", "of_tomorrow"):
            own = api.request("GET", refused).text
            hint = api.request("PUT", refused, content=own).json()["hint"]
            assert f"its setting {name} is refused: " in hint
            assert hint.endswith("; take it out of the settings")
            del settings[name]
            with api.world.transaction():
                api.world.store.update(
                    WorldRow, assign(WorldRow.settings, json.dumps(settings)), where=[equal(WorldRow.id, 1)]
                )
        hint = api.request("PUT", refused, content=api.request("GET", refused).text).json()["hint"]
        assert "fault rule 1 is refused: effect: a limit over no time never applies; take it out" in hint
    assert "the setting error_overrides of world default is not used: the override of Throttling must" in caplog.text
    assert "the setting of_tomorrow of world default is not used: there is no setting 'of_tomorrow'" in caplog.text
    assert "rule 1 of world default is not applied: " in caplog.text
