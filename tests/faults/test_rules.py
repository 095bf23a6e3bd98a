"""The calls to which a rule applies, how often, and where its counts are stored."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.rules import (
    MOST_RULES,
    MOST_TEXT,
    FaultRule,
    RuleLimitError,
    active_rules,
    disarm_all,
    rules_of,
)
from foas_emulator.faults.rules import arm as arm_in
from foas_emulator.gateway.formats import Body
from foas_emulator.patterns import CallPattern
from foas_emulator.pipeline import held_calls
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.tables import assign, equal
from tests.api import Api, open_api
from tests.faults.arming import FAULTS, arm, counts
from tests.faults.holding import Holding
from tests.journal.reading import only
from tests.wire import INSTANCE

DENY = {"error": "Forbidden.RAM"}
SEED = "faults: [{match: {operation: GetInstance}, effect: {error: Forbidden.RAM}, times: 1}]"


@pytest.fixture
def wire_format() -> str:
    return "json"


@pytest.fixture(scope="module")
def lasting() -> Iterator[Api]:
    """An emulator for tests that need no world of their own."""
    with open_api() as opened:
        yield opened


def struck(api: Api) -> bool:
    return api.call("GetInstance", projectName="project1", jobName="job1", instanceId=412536).code == "Forbidden.RAM"


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({}, 1),
        ({"operation": "GetInstance"}, 1),
        ({"operation": "Get*"}, 1),
        ({"operation": "List*"}, 0),
        ({"params": {"jobName": "job1"}}, 1),
        ({"params": {"jobName": "job?"}}, 1),
        ({"params": {"jobName": "job1", "projectName": "other"}}, 0),
        ({"params": {"instanceId": 412536}}, 1),
        ({"params": {"instanceId": 1}}, 0),
        ({"params": {"expectState": "*"}}, 0),
    ],
)
def test_a_rule_strikes_what_it_matches(lasting: Api, match: dict[str, Any], hits: int) -> None:
    lasting.request("DELETE", FAULTS)
    arm(lasting, match=match, effect=DENY)
    assert struck(lasting) == bool(hits)
    assert counts(lasting) == [(hits, hits)]


def test_a_list_fits_no_pattern(seeded_api: Api) -> None:
    arm(seeded_api, match={"operation": "CreateFolder", "params": {"path": "*"}}, effect=DENY)
    response = seeded_api.request("POST", "/api/v2/projects/project1/folders", json={"path": ["/a"]})
    assert response.status_code == 400
    assert counts(seeded_api) == [(0, 0)]


def test_the_first_calls_can_be_let_pass(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, skip=2, times=1)
    assert [struck(seeded_api) for _ in range(5)] == [False, False, True, False, False]
    assert counts(seeded_api) == [(3, 1)]


def test_a_rule_that_has_struck_often_enough_is_at_rest(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=2)
    assert [struck(seeded_api) for _ in range(3)] == [True, True, False]
    (rule,) = rules_of(seeded_api.world)
    assert not rule.is_armed()
    assert active_rules(seeded_api.world).rules == []
    assert counts(seeded_api) == [(2, 2)]


def test_a_rule_whose_time_is_over_is_at_rest(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, ttl="1h")
    assert struck(seeded_api)
    with seeded_api.world.transaction():
        seeded_api.world.store.update(FaultRule, assign(FaultRule.expires_at, 1), where=[equal(FaultRule.id, 1)])
    seeded_api.world.load(seeded_api.world.store.image())
    assert not struck(seeded_api)
    assert counts(seeded_api) == [(1, 1)]


def test_a_ttl_runs_on_real_time_while_the_rule_is_at_work(seeded_api: Api) -> None:
    """The rule before it holds the call back until the ttl is over."""
    seeded_api.advance("1d")
    arm(seeded_api, effect={"latency": "60ms"})
    arm(seeded_api, effect=DENY, ttl="30ms")
    assert not struck(seeded_api)
    assert len(active_rules(seeded_api.world).rules) == 1


def test_chance_comes_from_the_worlds_seed(seeded_api: Api) -> None:
    fault = FaultDocument.model_validate({"effect": DENY, "probability": 0.5})

    def run(name: str) -> list[bool]:
        world = seeded_api.registry.open_or_create(name)
        arm_in(world, fault)
        (rule,) = active_rules(world).rules
        return [rule.count_match(world) is not None for _ in range(100)]

    first, other = run("first"), run("other")
    assert first != other
    assert 25 < sum(first) < 75
    assert 25 < sum(other) < 75
    seeded_api.registry.reset("first")
    assert run("first") == first


def test_the_rule_armed_first_is_the_outermost(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=1)
    arm(seeded_api, effect={"error": "Throttling.Api"})
    assert struck(seeded_api)
    assert counts(seeded_api) == [(1, 1), (0, 0)]
    assert not struck(seeded_api)
    assert counts(seeded_api) == [(1, 1), (1, 1)]


def test_rules_of_several_effects_add_up(seeded_api: Api) -> None:
    arm(seeded_api, effect={"latency": "1ms"})
    arm(seeded_api, effect={"duplicate": True})
    arm(seeded_api, effect=DENY, skip=1)
    assert struck(seeded_api)
    assert counts(seeded_api) == [(1, 1), (1, 1), (2, 1)]


def test_a_disarmed_rule_strikes_no_more(seeded_api: Api) -> None:
    for rule in (arm(seeded_api, effect=DENY), arm(seeded_api, effect=DENY)):
        assert struck(seeded_api)
        assert seeded_api.request("DELETE", f"{FAULTS}/{rule['id']}").status_code == 204
    assert not struck(seeded_api)


def test_all_rules_can_be_disarmed_at_once(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY)
    arm(seeded_api, effect=DENY)
    assert seeded_api.request("DELETE", FAULTS).status_code == 204
    assert not struck(seeded_api)
    assert counts(seeded_api) == []


def test_rules_of_one_world_leave_the_others_alone(seeded_api: Api) -> None:
    seeded_api.request("POST", "/_emulator/worlds/other/faults", json={"effect": DENY})
    assert not struck(seeded_api)


def test_a_hit_leaves_the_revision_and_so_the_read_cache_as_they_are(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=1)
    revision = seeded_api.world.store.revision
    assert struck(seeded_api)
    assert seeded_api.world.store.revision == revision


def test_what_a_fault_answers_is_not_kept_for_later(seeded_api: Api) -> None:
    assert not struck(seeded_api)
    arm(seeded_api, effect=DENY, times=1)
    assert struck(seeded_api)
    assert not struck(seeded_api)


def test_rules_and_their_counts_survive_a_restart(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=2)
    assert struck(seeded_api)
    image = seeded_api.world.store.image()
    copy = seeded_api.registry.create_or_replace("copy", image)
    (rule,) = rules_of(copy)
    assert (rule.seen, rule.hits, rule.is_armed()) == (1, 1, True)


def test_a_reset_takes_the_rules_away(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY)
    assert struck(seeded_api)
    seeded_api.registry.reset("default")
    assert not struck(seeded_api)


def test_a_world_has_the_rules_of_its_seed(seeded_api: Api) -> None:
    apply(seeded_api.world, parse_seed(SEED, "seed.yaml"))
    assert [struck(seeded_api), struck(seeded_api)] == [True, False]


def test_a_seeds_rule_replaces_the_one_of_its_id(seeded_api: Api) -> None:
    numbered = SEED.replace("{match", "{id: 7, match")
    for _ in range(2):
        apply(seeded_api.world, parse_seed(numbered, "seed.yaml"))
    assert [rule.id for rule in rules_of(seeded_api.world)] == [7]
    assert arm(seeded_api, effect=DENY)["id"] == 8


def test_a_seed_that_fails_arms_nothing(seeded_api: Api) -> None:
    active_rules(seeded_api.world)
    document = parse_seed(SEED, "seed.yaml")
    with suppress(ArithmeticError), seeded_api.world.transaction():
        apply(seeded_api.world, document)
        raise ArithmeticError
    assert not struck(seeded_api)


def test_the_control_api_is_never_struck(seeded_api: Api) -> None:
    arm(seeded_api, effect={"error": "InternalError"})
    assert seeded_api.request("GET", "/_emulator/health").status_code == 200
    assert seeded_api.request("GET", FAULTS).status_code == 200
    assert counts(seeded_api) == [(0, 0)]


def test_a_snapshot_has_the_rules_and_their_counts(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=2)
    assert struck(seeded_api)
    snapshot = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").json()
    assert struck(seeded_api)
    assert not struck(seeded_api)
    assert seeded_api.request("PUT", "/_emulator/worlds/default/snapshot", json=snapshot).status_code < 300
    assert counts(seeded_api) == [(1, 1)]
    assert [struck(seeded_api), struck(seeded_api)] == [True, False]


def test_the_counts_of_a_rule_stay_within_what_a_snapshot_may_hold(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY)
    snapshot = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").json()
    for count in (2**62, 2**63 - 1):
        snapshot["tables"]["fault_rules"][0].update(seen=count, hits=count)
        for _ in range(2):
            assert seeded_api.request("PUT", "/_emulator/worlds/default/snapshot", json=snapshot).status_code == 204
            assert struck(seeded_api)
            snapshot = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").json()
        assert counts(seeded_api) == [(min(count + 2, 2**63 - 1),) * 2]


def test_a_snapshot_with_a_rule_that_cannot_be_is_refused(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY)
    text = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").text.replace("Forbidden.RAM", "No.Such")
    response = seeded_api.request("PUT", "/_emulator/worlds/default/snapshot", content=text)
    assert response.status_code == 400
    assert "No.Such" in response.json()["hint"]
    assert struck(seeded_api)


@pytest.mark.parametrize(
    ("table", "column", "written"),
    [
        ("fault_rules", "params", {"jobName": "\ud800"}),
        ("world", "settings", {"error_overrides": {"InvalidJob.NotFound": {"message": "\udfff"}}}),
    ],
)
def test_a_snapshot_with_half_of_a_surrogate_pair_in_json_is_refused(
    seeded_api: Api, table: str, column: str, written: Any
) -> None:
    """Showing the rules, or the settings, would end in a 500."""
    arm(seeded_api, effect=DENY)
    snapshot = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").json()
    snapshot["tables"][table][0][column] = json.dumps(written)
    response = seeded_api.request("PUT", "/_emulator/worlds/default/snapshot", json=snapshot)
    assert response.status_code == 400
    assert f"the {column} of {table} hold half of a surrogate pair" in response.json()["hint"]


def test_a_fork_has_rules_of_its_own(seeded_api: Api) -> None:
    arm(seeded_api, effect=DENY, times=1)
    assert seeded_api.request("PUT", "/_emulator/worlds/fork", json={"fork": "default"}).status_code < 300
    assert struck(seeded_api)
    forked = seeded_api.request("GET", "/_emulator/worlds/fork/faults").json()["faults"]
    assert [(rule["seen"], rule["hits"]) for rule in forked] == [(0, 0)]


Held = Callable[..., list[int]]


@pytest.fixture
def held_together(seeded_api: Api, monkeypatch: pytest.MonkeyPatch) -> Held:
    """The statuses of calls that are all on their way at once."""

    async def hold(calls: int, meanwhile: Callable[[], Any]) -> list[int]:
        holding = Holding(monkeypatch)
        transport = httpx.ASGITransport(seeded_api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
            held = [asyncio.create_task(client.get(INSTANCE)) for _ in range(calls)]
            await holding.begun(*held)
            meanwhile()
            holding.end()
            return [(await call).status_code for call in held]

    return lambda calls, meanwhile=lambda: None: asyncio.run(asyncio.wait_for(hold(calls, meanwhile), 60))


def test_a_call_that_is_held_back_is_recorded_with_the_worlds_time_of_its_arrival(
    seeded_api: Api, held_together: Held
) -> None:
    arm(seeded_api, effect={"latency": "60ms"})
    with seeded_api.world.transaction():
        seeded_api.world.clock.set(mode="frozen", now=1_600_000_000_000)
    held_together(1, lambda: seeded_api.advance("1h") and None)
    assert only(seeded_api)["world_time"] == "2020-09-13T12:26:40.000Z"


def test_calls_that_are_held_back_together_are_not_struck_more_often_than_said(
    seeded_api: Api, held_together: Held
) -> None:
    arm(seeded_api, effect={"latency": "60ms"})
    arm(seeded_api, effect=DENY, times=2)
    assert sorted(held_together(5)) == [200, 200, 200, 403, 403]
    assert counts(seeded_api) == [(5, 5), (2, 2)]


@pytest.mark.parametrize("is_setting", [False, True])
def test_calls_that_are_held_back_are_limited_by_their_size(
    seeded_api: Api, held_together: Held, monkeypatch: pytest.MonkeyPatch, *, is_setting: bool
) -> None:
    if is_setting:
        seeded_api.world.set({"latency": "60ms"})
    else:
        arm(seeded_api, effect={"latency": "60ms"})
    monkeypatch.setattr(held_calls, "MOST_HELD", 50_000)
    assert sorted(held_together(5)) == [200, 200, 503, 503, 503]
    assert held_together(1) == [200]
    monkeypatch.setattr(held_calls, "MOST_HELD", 1)
    assert held_together(1) == [200]


def test_answers_that_are_held_back_are_limited_with_their_calls(
    seeded_api: Api, held_together: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer may have megabytes, and the call that asked for it has next to nothing."""
    arm(seeded_api, effect={"latency": "60ms"}, at="after_commit")
    monkeypatch.setattr(Body, "size", 30_000)
    monkeypatch.setattr(held_calls, "MOST_HELD", 125_000)
    assert sorted(held_together(5)) == [200, 200, 503, 503, 503]
    assert held_together(1) == [200]


def test_a_write_whose_answer_is_held_back_is_not_refused(seeded_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    arm(seeded_api, effect={"latency": "60ms"}, at="after_commit")
    monkeypatch.setattr(held_calls, "MOST_HELD", 1)
    seeded_api.ok("CreateFolder", projectName="project1", path="/made")


def test_a_rule_that_is_disarmed_while_a_call_is_held_back_strikes_no_more(
    seeded_api: Api, held_together: Held
) -> None:
    arm(seeded_api, effect={"latency": "60ms"})
    arm(seeded_api, effect=DENY)
    assert held_together(1, lambda: disarm_all(seeded_api.world)) == [200]


@pytest.mark.parametrize(
    "other", [{"match": CallPattern(operation="StartJob")}, {"at": "after_commit"}, {"times": 1}, {"skip": 1}]
)
def test_a_rule_that_is_replaced_while_a_call_is_held_back_is_another_one(
    seeded_api: Api, held_together: Held, other: dict[str, Any]
) -> None:
    arm(seeded_api, effect={"latency": "60ms"})
    rule_id = arm(seeded_api, effect=DENY)["id"]
    document = FaultDocument.model_validate({"effect": DENY, **other})
    assert held_together(1, lambda: arm_in(seeded_api.world, document, rule_id=rule_id)) == [200]
    assert counts(seeded_api) == [(1, 1), (0, 0)]


def test_a_world_has_a_limited_number_of_rules(seeded_api: Api) -> None:
    document = FaultDocument.model_validate({"effect": {"drop": True}, "match": {"operation": "DeleteJob"}})
    with seeded_api.world.transaction():
        for _ in range(MOST_RULES):
            arm_in(seeded_api.world, document)
    with pytest.raises(RuleLimitError, match="at most 1000 fault rules"):
        arm_in(seeded_api.world, document)
    arm_in(seeded_api.world, document, rule_id=1)
    answer = seeded_api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"drop": True}})
    assert answer.status_code == 400
    assert "at most 1000" in answer.json()["hint"]
    assert len(rules_of(seeded_api.world)) == MOST_RULES


def test_the_rules_of_a_world_have_a_limited_number_of_characters(seeded_api: Api) -> None:
    """All are read again when one has changed: eight of four megabytes made the next call take 0.4 seconds."""
    code = "x" * (MOST_TEXT // 2)
    match = {"operation": "CreateJob", "params": {"code": code}}
    first = arm(seeded_api, effect={"drop": True}, match=match)
    answer = seeded_api.request("POST", FAULTS, json={"effect": {"drop": True}, "match": match})
    assert answer.status_code == 400
    assert f"with {MOST_TEXT} characters in all" in answer.json()["hint"]
    assert seeded_api.request("GET", FAULTS).json() == {"faults": [first]}
    snapshot = seeded_api.request("GET", "/_emulator/worlds/default/snapshot").json()
    (row,) = snapshot["tables"]["fault_rules"]
    snapshot["tables"]["fault_rules"].append({**row, "id": 2})
    answer = seeded_api.request("PUT", "/_emulator/worlds/default/snapshot", json=snapshot)
    assert answer.status_code == 400
    assert f"with {MOST_TEXT} characters in all" in answer.json()["hint"]


def test_rules_that_were_armed_in_a_transaction_that_fails_are_not_active(seeded_api: Api) -> None:
    world = seeded_api.world

    def arm_and_fail() -> None:
        arm_in(world, FaultDocument.model_validate({"effect": {"drop": True}}))
        assert len(active_rules(world).rules) == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), world.transaction():
        arm_and_fail()
    assert active_rules(world).rules == []


def test_without_room_for_the_previous_image_a_stale_read_is_answered_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with open_api(image_bytes=10) as api:
        api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"stale": True}})
        api.ok("CreateFolder", projectName="demo", path="/new")
        assert api.call("GetFolder", projectName="demo", path="/new").status == 200
    assert "no previous image" in caplog.text
