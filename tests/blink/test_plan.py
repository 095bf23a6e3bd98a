import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.blink.errors import UnreadablePlanError
from foas_emulator.blink.plan import (
    MAX_PARALLELISM,
    MOST_EDGES,
    MOST_NODES,
    OPERATOR,
    SINK,
    SOURCE,
    Edge,
    Node,
    Plan,
    Resources,
    plan_from_json,
    resources,
)
from tests.blink.plan_files import PLAN_FILES, PlanFile

# GetRefPackageJob's answer, its plan as the page prints it.
DOCUMENTED = """{
  "nodes": [
    {
      "id": 1,
      "type": "Source: Custom Source",
      "pact": "Data Source",
      "contents": "Source: Custom Source",
      "parallelism": 1
    },
    {
      "id": 2,
      "type": "Timestamps/Watermarks",
      "pact": "Operator",
      "contents": "Timestamps/Watermarks",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 1,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    },
    {
      "id": 4,
      "type": "TriggerWindow(GlobalWindows(), TimeEvictor(10000), WindowedStream.reduce(WindowedStream.java:258))",
      "pact": "Operator",
      "contents": "TriggerWindow(GlobalWindows(), TimeEvictor(10000), WindowedStream.reduce(WindowedStream.java:258))",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 2,
          "ship_strategy": "KEY-GROUP",
          "side": "second"
        }
      ]
    },
    {
      "id": 5,
      "type": "Sink: Unnamed",
      "pact": "Data Sink",
      "contents": "Sink: Unnamed",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 4,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    }
  ]
}"""


def subtasks(count: int) -> Plan:
    return Plan((Node(1, "Source: a", SOURCE, parallelism=count - 2), Node(2, "Sink: b", SINK, parallelism=2)))


def test_documented_plan_is_read_and_written_byte_for_byte() -> None:
    plan = plan_from_json(DOCUMENTED)
    assert plan is not None
    assert plan.to_json() == DOCUMENTED
    assert plan.nodes[2].predecessors == (Edge(2, "KEY-GROUP"),)


@pytest.mark.parametrize(
    "text", ["", " ", "{}", "{a:b}", "{nodes: []}", '{"nodes": null, "links": []}', "// nothing yet\n{}"]
)
def test_text_without_nodes_holds_no_plan(text: str) -> None:
    assert plan_from_json(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON: unexpected end"),
        ("[]", "it is not a JSON object"),
        ("no", "it is not a JSON object"),
        ("{nodes: 1}", "its nodes are not a list"),
        ("{nodes: {a: b}}", "its nodes are not a list"),
        ("{nodes: [1]}", "its node 1 is not an object"),
        ("{nodes: [{id: 1}, {name: Calc}]}", "its node 2 has neither id nor uid"),
        ('{"nodes": [{"uid": ""}]}', "its node 1 has neither id nor uid"),
        ('{"nodes": [{"uid": []}]}', "its node 1 has neither id nor uid"),
    ],
)
def test_text_that_is_no_plan_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnreadablePlanError) as caught:
        plan_from_json(text)
    assert str(caught.value) == why


@pytest.mark.parametrize("file", PLAN_FILES, ids=lambda file: file.name)
def test_file_of_the_engine_is_read_with_its_edges_cores_and_memory(file: PlanFile) -> None:
    plan = plan_from_json(file.text)
    assert plan is not None
    names = {node.id: node.type for node in plan.nodes}
    edges = {(names[edge.id], node.type, edge.ship_strategy) for node in plan.nodes for edge in node.predecessors}
    assert edges == file.edges
    assert resources(plan) == (file.cores, round((file.heap + file.other) / 1024, 4))
    seen: set[int] = set()
    for node in plan.nodes:
        assert {edge.id for edge in node.predecessors} <= seen
        seen.add(node.id)


def test_nodes_known_by_uid_get_ids_that_are_free() -> None:
    plan = plan_from_json('{"nodes": [{"uid": "x"}, {"uid": 2}, {"id": 2, "uid": "a"}, {"uid": "x"}, {"uid": "7"}]}')
    assert plan is not None
    assert [node.id for node in plan.nodes] == [2, 3, 4, 7]


def test_pacts_of_the_engine_are_those_of_the_documentation() -> None:
    plan = plan_from_json('{"nodes": [{"id": 1, "pact": "Source"}, {"id": 2, "pact": "Sink"}]}')
    assert plan is not None
    assert [node.pact for node in plan.nodes] == [SOURCE, SINK]


def test_nodes_that_read_in_a_circle_stay_in_their_order() -> None:
    size = MOST_NODES
    nodes = [{"uid": f"n{number}"} for number in range(size)]
    links = [{"source": f"n{number}", "target": f"n{(number + 1) % size}"} for number in range(size)]
    plan = plan_from_json(json.dumps({"nodes": nodes, "links": links}))
    assert plan is not None
    assert [node.id for node in plan.nodes] == list(range(1, size + 1))
    assert plan.nodes[0].predecessors == (Edge(size),)


def test_resources_of_sql_plans_stand_behind_the_parallelism() -> None:
    given = Resources(core=0.25, heap_memory=512, state_size=1, chaining_strategy="HEAD")
    (members,) = json.loads(Plan((Node(1, "Calc", OPERATOR, 2, (), given),)).to_json())["nodes"]
    assert list(members) == [
        *("id", "type", "pact", "contents", "parallelism"),
        *("core", "heap_memory", "state_size", "chainingStrategy"),
    ]
    assert members["core"] == 0.25
    assert members["chainingStrategy"] == "HEAD"


@pytest.mark.parametrize(("count", "answer"), [(12, (1.2, 3.0)), (50, (5.0, 12.5))])
def test_documented_resource_answers_are_subtasks_of_the_documented_defaults(
    count: int, answer: tuple[float, float]
) -> None:
    assert resources(subtasks(count)) == answer


def test_resources_are_what_each_subtask_is_given_times_the_parallelism() -> None:
    given = Resources(core=0.25, heap_memory=1024)
    assert resources(Plan((Node(1, "a", OPERATOR, 4, (), given), Node(2, "b", OPERATOR)))) == (1.1, 4.25)


def test_numbers_that_make_no_sense_become_defaults() -> None:
    plan = plan_from_json(
        '{"nodes": [{"id": "7", "parallelism": 1e99, "core": "x", "heap_memory": -1, "predecessors": [1, {"id": []}]},'
        ' {"id": 8, "parallelism": 0, "predecessors": {}, "core": NaN, "state_size": "1"}, {"id": 7},'
        ' {"id": 9, "parallelism": 999999}, {"id": 10, "core": 1e400, "heap_memory": 64, "chainingStrategy": "NEVER"}]}'
    )
    assert plan == Plan(
        (
            Node(7, OPERATOR, OPERATOR, resources=Resources()),
            Node(8, OPERATOR, OPERATOR, resources=Resources(state_size=1)),
            Node(9, OPERATOR, OPERATOR, MAX_PARALLELISM),
            Node(10, OPERATOR, OPERATOR, resources=Resources(heap_memory=64, chaining_strategy="NEVER")),
        )
    )


@pytest.mark.parametrize("numeral", ["1_0", "\u0661", "0x1", "1 ", "inf", ""])
def test_a_text_that_only_python_takes_for_a_number_is_none(numeral: str) -> None:
    text = json.dumps({"nodes": [{"id": 1, "core": numeral, "heap_memory": numeral, "parallelism": numeral}]})
    assert plan_from_json(text) == Plan((Node(1, OPERATOR, OPERATOR, resources=Resources()),))


def test_plan_with_bare_keys_is_read() -> None:
    plan = plan_from_json("{nodes: [{id: 1, name: Source, pact: 'Data Source', parallelism: '3'}]}")
    assert plan == Plan((Node(1, "Source", SOURCE, 3),))


@given(
    st.text()
    | st.recursive(
        st.none() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["nodes", "id", "uid", "parallelism", "core", "predecessors", "links", "source", "native"]
                ),
                x,
            )
        ),
    ).map(json.dumps)
)
def test_any_text_is_a_plan_or_none_or_unreadable(text: str) -> None:
    with suppress(UnreadablePlanError):
        plan = plan_from_json(text)
        assert plan is None or resources(plan) >= (0, 0)


def test_a_plan_has_limits() -> None:
    with pytest.raises(UnreadablePlanError, match=f"over {MOST_NODES} nodes"):
        plan_from_json(json.dumps({"nodes": [{"id": 1}] * (MOST_NODES + 1)}))
    links = [{"source": 1, "target": 2}] * MOST_EDGES
    assert plan_from_json(json.dumps({"nodes": [{"id": 1}, {"id": 2}], "links": links}))
    with pytest.raises(UnreadablePlanError, match=f"over {MOST_EDGES} links"):
        plan_from_json(json.dumps({"nodes": [{"id": 1, "predecessors": [{"id": 1}]}, {"id": 2}], "links": links}))
