"""What the engine derives from a draft: its tables, its plan, and the resources of that."""

import json
from typing import Any

import pytest

from foas_emulator.operations.jobs import lifecycle
from foas_emulator.operations.jobs.rows import PlanSession
from foas_emulator.world.ids import token
from foas_emulator.world.pending import planned
from foas_emulator.world.tables import assign, equal
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
SQL = """create table orders (id varchar, at timestamp) with (type='datahub', topic='orders');
create table users (id varchar, primary key (id), period for system_time) with (type='rds', tableName='users');
create table result (id varchar, n bigint) with (type='print');
insert into result select o.id, count(*) from orders o
  join users for system_time as of proctime() as u on o.id = u.id group by o.id;"""
WRONG = "create table t (a int) with (type='print');\ninsert into t select a from absent;"


@pytest.fixture
def sql(p: Api) -> Api:
    building.job(p, apiType="SQL", code=SQL)
    return p


@pytest.fixture
def wrong(p: Api) -> Api:
    building.job(p, apiType="SQL", code=WRONG)
    return p


def plan_of(api: Api, **asked: Any) -> dict[str, Any]:
    session_id = api.ok("GetRawPlanJson", **J, **asked)["SessionId"]
    found: dict[str, Any] = api.ok("CheckRawPlanJson", **J, sessionId=session_id)["PlanJsonInfo"]
    return found


def parallelism(plan: Any) -> set[int]:
    return {node["parallelism"] for node in json.loads(plan["PlanJson"])["nodes"]}


def test_a_valid_job_is_answered_with_its_tables(sql: Api) -> None:
    tables = sql.ok("ValidateJob", **J)["JobInOut"]
    (source,), (sink,), (dim,) = tables["Inputs"]["Input"], tables["Outputs"]["Output"], tables["Dims"]["Dim"]
    assert (source["Alias"], source["Type"]) == ("orders", "datahub")
    assert source["Properties"] == {"type": "datahub", "topic": "orders"}
    assert (sink["Alias"], sink["Type"]) == ("result", "print")
    assert (dim["Alias"], dim["Type"]) == ("users", "rds")


def test_a_wrong_job_is_answered_with_the_parsers_report(wrong: Api) -> None:
    outcome = wrong.refused("ValidateJob", **J, code="InvalidJob.SyntaxError")
    assert outcome.members["Message"].startswith("code:[30017], brief info:[get app plan failed]")
    assert "line 2, column 29" in outcome.hint


def test_a_datastream_job_has_no_tables(p: Api) -> None:
    building.job(p)
    tables = p.ok("ValidateJob", **J)["JobInOut"]
    assert tables == {"Inputs": {"Input": []}, "Outputs": {"Output": []}, "Dims": {"Dim": []}}


def test_a_plan_is_made_in_a_session(sql: Api) -> None:
    session_id = sql.ok("GetRawPlanJson", **J)["SessionId"]
    assert len(session_id) == 141
    plan = sql.ok("CheckRawPlanJson", **J, sessionId=session_id)["PlanJsonInfo"]
    assert plan["Status"] == "success"
    nodes = json.loads(plan["PlanJson"])["nodes"]
    assert [node["pact"] for node in nodes][:: len(nodes) - 1] == ["Data Source", "Data Sink"]


def test_a_session_is_in_run_until_its_plan_is_due(sql: Api) -> None:
    sql.world.set({"plan_delay": "10s"})
    sql.advance("0s")
    session_id = sql.ok("GetRawPlanJson", **J)["SessionId"]
    check = J | {"sessionId": session_id}
    sql.advance("9s")
    assert sql.ok("CheckRawPlanJson", **check)["PlanJsonInfo"] == {"Status": "Session in run"}
    sql.advance("1s")
    assert sql.ok("CheckRawPlanJson", **check)["PlanJsonInfo"]["Status"] == "success"


@pytest.mark.parametrize("wrong", ["before", "after", "never"])
def test_a_plan_is_that_of_the_draft_when_it_was_asked_for(sql: Api, wrong: str) -> None:
    if wrong == "before":
        sql.ok("UpdateJob", **J, code=WRONG)
    sql.world.set({"plan_delay": "10s"})
    session_id = sql.ok("GetRawPlanJson", **J)["SessionId"]
    if wrong != "never":
        sql.ok("UpdateJob", **J, code=WRONG if wrong == "after" else SQL + "\n")
    else:  # a session that an older version has begun
        with sql.world.transaction():
            own = equal(PlanSession.session_id, session_id)
            sql.world.store.update(PlanSession, assign(PlanSession.plan_json, None), where=[own])
    check = J | {"sessionId": session_id}
    assert sql.ok("CheckRawPlanJson", **check)["PlanJsonInfo"] == {"Status": "Session in run"}
    sql.advance("10s")
    ended = sql.ok("CheckRawPlanJson", **check)["PlanJsonInfo"]
    assert (ended["Status"], "PlanJson" in ended) == (("fail", False) if wrong == "before" else ("success", True))


def test_each_session_ends_when_its_own_plan_is_due(sql: Api) -> None:
    sql.world.set({"plan_delay": "10s"})
    sql.advance("0s")
    first = sql.ok("GetRawPlanJson", **J)["SessionId"]
    sql.advance("5s")
    second = sql.ok("GetRawPlanJson", **J)["SessionId"]
    seen = []
    for _ in range(2):
        sql.advance("5s")
        checked = [sql.ok("CheckRawPlanJson", **J, sessionId=each)["PlanJsonInfo"] for each in (first, second)]
        seen.append([plan["Status"] for plan in checked])
    assert seen == [["success", "Session in run"], ["success", "success"]]


def test_a_plan_for_wrong_code_fails(wrong: Api) -> None:
    plan = plan_of(wrong)
    assert (plan["Status"], plan.get("PlanJson")) == ("fail", None)
    assert "code:[30017]" in plan["ErrorMessage"]


def test_a_session_belongs_to_one_job(sql: Api) -> None:
    building.job(sql, "other")
    session_id = sql.ok("GetRawPlanJson", **J)["SessionId"]
    for job_name, asked in (("other", session_id), ("j", "absent")):
        sql.refused(
            "CheckRawPlanJson",
            projectName="p",
            jobName=job_name,
            sessionId=asked,
            code="InvalidSession.NotFound",
            status=404,
        )
    sql.refused("CheckRawPlanJson", **J, code="MissingsessionId")


def test_a_plan_stays_within_the_expected_resources(sql: Api) -> None:
    assert parallelism(plan_of(sql)) == {1}
    small, large = (parallelism(plan_of(sql, expectedCore=cores, expectedGB=4 * cores)) for cores in (1, 10))
    assert max(small) < min(large)


@pytest.mark.parametrize(("given", "missing"), [("expectedCore", "expectedGB"), ("expectedGB", "expectedCore")])
def test_expected_cores_and_memory_are_given_together(sql: Api, given: Any, missing: str) -> None:
    sql.refused("GetRawPlanJson", **J, **{given: 1}, code=f"Missing{missing}")


def test_expected_resources_are_more_than_nothing(sql: Api) -> None:
    sql.refused("GetRawPlanJson", **J, expectedCore=0, expectedGB=1, code="InvalidexpectedCore")
    sql.refused("GetRawPlanJson", **J, expectedCore=1, expectedGB=-1, code="InvalidexpectedGB")


def test_a_tuned_plan_follows_what_autoscale_made(sql: Api) -> None:
    assert parallelism(plan_of(sql, autoconfEnable=True)) == {1}
    sql.ok("CommitJob", **J, isOnOff=True, maxCU=10, configure='{"fetch_delay":1}')
    sql.ok("StartJob", **J)
    tuned = sql.ok("GetJobLatestAutoScalePlan", **J)["PlanJson"]
    assert plan_of(sql, autoconfEnable=True)["PlanJson"] == tuned
    assert parallelism(plan_of(sql)) == {1}
    assert plan_of(sql, autoconfEnable=True, expectedCore=1, expectedGB=4)["PlanJson"] != tuned


def test_a_tuned_plan_is_one_of_the_code_that_the_job_has_now(sql: Api) -> None:
    sql.ok("CommitJob", **J, isOnOff=True, maxCU=10, configure='{"fetch_delay":1}')
    sql.ok("StartJob", **J)
    tuned = plan_of(sql, autoconfEnable=True)
    assert min(parallelism(tuned)) > 1

    sql.ok("UpdateJob", **J, code="create table t (a int) with (type='print'); insert into t values (1);")
    assert plan_of(sql, autoconfEnable=True) == plan_of(sql) != tuned

    sql.ok("UpdateJob", **J, code=WRONG)
    assert plan_of(sql, autoconfEnable=True)["Status"] == "fail"

    sql.ok("UpdateJob", **J, code=SQL)
    assert plan_of(sql, autoconfEnable=True) == tuned


def test_a_tuned_plan_that_comes_due_later_follows_what_autoscale_made(sql: Api) -> None:
    sql.ok("CommitJob", **J, isOnOff=True, maxCU=10, configure='{"fetch_delay":1}')
    sql.ok("StartJob", **J)
    tuned = sql.ok("GetJobLatestAutoScalePlan", **J)["PlanJson"]
    sql.world.set({"plan_delay": "10s"})
    session_id = sql.ok("GetRawPlanJson", **J, autoconfEnable=True)["SessionId"]
    sql.advance("10s")
    assert sql.ok("CheckRawPlanJson", **J, sessionId=session_id)["PlanJsonInfo"]["PlanJson"] == tuned


def test_the_cost_of_a_job_is_that_of_its_own_plan(sql: Api) -> None:
    plan = {"nodes": [{"id": 1, "pact": "Data Source", "parallelism": 12, "core": 0.1, "heap_memory": 256}]}
    sql.ok("UpdateJob", **J, planJson=json.dumps(plan))
    assert sql.ok("CalcPlanJsonResource", **J)["PlanJsonResource"] == {"MemoryGB": 3, "Cores": 1.2}


@pytest.mark.parametrize(("plan_json", "is_warned_of"), [(None, False), ("", False), ("{a:b}", True)])
def test_a_draft_without_a_plan_is_not_warned_of(p: Api, plan_json: str | None, *, is_warned_of: bool) -> None:
    given = {} if plan_json is None else {"planJson": plan_json}
    created = p.call("CreateJob", **J, jobType="FLINK_STREAM", apiType="SQL", code=SQL, **given)
    assert (created.status, "x-emulator-warning" in created.headers) == (200, is_warned_of)


@pytest.mark.parametrize("plan_json", [None, "", "{a:b}"])
def test_the_cost_of_a_job_without_a_plan_is_that_of_its_code(sql: Api, plan_json: str) -> None:
    if plan_json is not None:
        sql.ok("UpdateJob", **J, planJson=plan_json)
    nodes = json.loads(plan_of(sql)["PlanJson"])["nodes"]
    cost = sql.ok("CalcPlanJsonResource", **J)["PlanJsonResource"]
    assert cost == {"MemoryGB": len(nodes) / 4, "Cores": round(len(nodes) / 10, 1)}


def test_the_cost_of_wrong_code_cannot_be_told(wrong: Api) -> None:
    wrong.refused("CalcPlanJsonResource", **J, code="InvalidJob.SyntaxError")


def test_costs_are_told_for_blink_3_2_1_and_newer(sql: Api) -> None:
    sql.ok("UpdateJob", **J, engineVersion="blink-3.2.0")
    sql.refused("CalcPlanJsonResource", **J, code="InvalidEngineVersion.TooOld")
    for version in ("blink-3.2.1", "blink-3.10", "blink-4.0", "nightly"):
        sql.ok("UpdateJob", **J, engineVersion=version)
        sql.ok("CalcPlanJsonResource", **J)


def test_a_draft_whose_plan_cannot_be_read_gets_none_and_is_told_why(p: Api) -> None:
    building.job(p, apiType="SQL", code=SQL, planJson='{"nodes": 3}')
    made = plan_of(p)
    assert made["Status"] == "fail"
    assert "PlanJson" not in made
    assert made["ErrorMessage"].startswith("code:[30017], brief info:[get app plan failed]")
    assert "the job's planJson cannot be read:\n     its nodes are not a list" in made["ErrorMessage"]
    p.ok("UpdateJob", **J, planJson="")
    assert plan_of(p)["Status"] == "success"


def test_the_documented_placeholder_is_no_plan_and_in_nobodys_way(p: Api) -> None:
    building.job(p, apiType="SQL", code=SQL, planJson="{a:b}")
    assert plan_of(p)["Status"] == "success"
    assert "planJson has no nodes" in p.call("CalcPlanJsonResource", **J).headers["x-emulator-warning"]


def test_a_statement_that_no_known_word_begins_is_reported_by_the_validation(p: Api) -> None:
    building.job(p, apiType="SQL", code=f"{SQL}\nfrobnicate t;")
    for _ in range(2):
        called = p.call("ValidateJob", **J)
        assert called.status == 200
        assert called.headers["x-emulator-warning"] == ('No known statement begins with "frobnicate"; it was skipped.')
    journal = p.request("GET", "/_emulator/worlds/default/journal?operation=ValidateJob").json()
    assert "frobnicate" in journal["entries"][-1]["warning"]


@pytest.mark.parametrize("wrong", ["INSERT INTO nowhere SELECT a FROM s;", "SELECT (a FROM s;"])
def test_a_validation_that_fails_warns_of_a_statement_that_no_known_word_begins_too(wrong: str, p: Api) -> None:
    building.job(p, apiType="SQL", code=f"frobnicate t;\n{SQL}\n{wrong}")
    called = p.call("ValidateJob", **J)
    assert (called.status, called.code) == (400, "InvalidJob.SyntaxError")
    assert 'begins with "frobnicate"; it was skipped.' in called.headers["x-emulator-warning"]


@pytest.mark.parametrize("delay", ["0s", "1d"])
def test_a_job_keeps_its_newest_sessions(sql: Api, monkeypatch: pytest.MonkeyPatch, delay: str) -> None:
    monkeypatch.setattr(lifecycle, "MOST_SESSIONS", 2)
    sql.world.set({"plan_delay": delay})
    building.job(sql, "other")
    other = sql.ok("GetRawPlanJson", projectName="p", jobName="other")["SessionId"]
    forgotten, *kept = [sql.ok("GetRawPlanJson", **J)["SessionId"] for _ in range(3)]
    sql.refused("CheckRawPlanJson", **J, sessionId=forgotten, code="InvalidSession.NotFound", status=404)
    for session_id in kept:
        sql.ok("CheckRawPlanJson", **J, sessionId=session_id)
    sql.ok("CheckRawPlanJson", projectName="p", jobName="other", sessionId=other)
    subjects = {change.subject for change in planned(sql.world.store)}
    assert subjects == ({f"plan_session:{each}" for each in (other, *kept)} if delay == "1d" else set())


def test_a_project_keeps_the_newest_sessions_of_its_jobs(sql: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MOST_SESSIONS_OF_PROJECT", 2)
    building.job(sql, "other")
    jobs = [J, {"projectName": "p", "jobName": "other"}, J]
    first, *kept = [sql.ok("GetRawPlanJson", **each)["SessionId"] for each in jobs]
    sql.refused("CheckRawPlanJson", **J, sessionId=first, code="InvalidSession.NotFound", status=404)
    for job, session_id in zip(jobs[1:], kept, strict=True):
        sql.ok("CheckRawPlanJson", **job, sessionId=session_id)


def test_a_job_of_a_restored_world_keeps_its_newest_sessions(sql: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MOST_SESSIONS", 9)
    forgotten, *kept = [sql.ok("GetRawPlanJson", **J)["SessionId"] for _ in range(9)]
    snapshot = sql.request("GET", "/_emulator/worlds/default/snapshot").content
    assert sql.request("PUT", "/_emulator/worlds/default/snapshot", content=snapshot).status_code == 204
    assert sql.request("GET", "/_emulator/worlds/default/snapshot").content == snapshot
    kept.append(sql.ok("GetRawPlanJson", **J)["SessionId"])
    sql.refused("CheckRawPlanJson", **J, sessionId=forgotten, code="InvalidSession.NotFound", status=404)
    for session_id in kept:
        sql.ok("CheckRawPlanJson", **J, sessionId=session_id)


def test_a_session_gets_an_id_that_no_session_of_the_world_has(sql: Api) -> None:
    """A snapshot may have ids that the world would make later."""
    taken = [token(sql.world.seed, "plan_session", number, length=141) for number in (1, 2)]
    for session_id in taken:
        with sql.world.transaction():
            sql.world.store.insert(
                PlanSession(session_id=session_id, project_name="p", job_name="j", status="success", is_tuned=False)
            )
    assert sql.ok("GetRawPlanJson", **J)["SessionId"] not in taken
