import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from foas_emulator.blink.errors import SqlError
from foas_emulator.blink.plan import MOST_EDGES, MOST_NODES, Edge, Plan, plan_from_json, resources
from foas_emulator.blink.planner import raw_plan, running_plan
from tests.blink.fragments import FRAGMENTS

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sql"))


def script(name: str) -> str:
    return (Path(__file__).parent / "scripts" / f"{name}.sql").read_text("utf-8")


def sql_plan(name: str, **options: float) -> Plan:
    return raw_plan(script(name), api_type="SQL", job_type="FLINK_STREAM", **options)


def types(plan: Plan) -> list[str]:
    return [node.type for node in plan.nodes]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_plan_of_any_script_is_a_graph_from_sources_to_sinks_that_survives_its_own_text(path: Path) -> None:
    plan = sql_plan(path.stem)
    seen: set[int] = set()
    for node in plan.nodes:
        assert {edge.id for edge in node.predecessors} <= seen
        assert (node.pact == "Data Source") == (not node.predecessors)
        seen.add(node.id)
    read = {edge.id for node in plan.nodes for edge in node.predecessors}
    assert {node.id for node in plan.nodes} - read == {node.id for node in plan.nodes if node.pact == "Data Sink"}
    assert (plan_from_json(plan.to_json()) or Plan(())) == plan


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("passthrough", ["Source: datahub_stream", "Calc", "Sink: rds_output"]),
        ("dimension_join", ["Source: orders", "Calc(proc)", "JoinTable(customers)", "Calc", "Sink: enriched"]),
        (
            "session_window",
            [
                "Source: user_clicks",
                "Calc(ts)",
                "Timestamps/Watermarks",
                "GroupWindowAggregate",
                "Calc",
                "Sink: session_output",
            ],
        ),
        ("top_n", ["Source: source_table", "GroupAggregate", "Rank", "Calc", "Sink: result_table"]),
        ("over_window", ["Source: item_visits", "Timestamps/Watermarks", "OverAggregate", "Calc", "Sink: sums"]),
        (
            "complex_event_processing",
            ["Source: datahub_stream", "Timestamps/Watermarks", "Match", "Calc", "Sink: rds_out"],
        ),
        (
            "table_function",
            ["Source: sls_stream", "Correlate(com.example.SplitUdtf)", "Calc", "Calc", "Sink: rds_output"],
        ),
        (
            "stream_join",
            [
                *("Source: orders", "Timestamps/Watermarks", "Source: payments", "Timestamps/Watermarks"),
                *("Join", "Calc", "Sink: paid"),
            ],
        ),
        ("union_all", ["Source: a", "Source: b", "Union", "Calc", "Sink: out_t"]),
        ("used_catalog", ["Source: Values", "Calc", "Sink: out_t"]),
        (
            "many_sinks",
            ["Source: src", "Calc", "Sink: sink_c", "Calc", "Sink: sink_b", "Calc", "Sink: sink_a"],
        ),
    ],
)
def test_operators_follow_from_the_query(name: str, operators: list[str]) -> None:
    assert types(sql_plan(name)) == operators


def test_tables_of_a_catalog_are_sources_and_its_dimensions_are_joined() -> None:
    assert types(sql_plan("catalog_names")) == [
        *("Source: my_catalog.db1.a", "JoinTable(db1.b)", "Calc", "Sink: out_t"),
        *("Calc", "Sink: my_catalog.db1.target"),
    ]


def test_self_join_is_a_join_of_one_source() -> None:
    plan = raw_plan(
        "create table a (x int) with (type='a'); insert into a select * from a join a b on 1=1",
        api_type="sql",
        job_type="FLINK_STREAM",
    )
    assert types(plan) == ["Source: a", "Join", "Calc", "Sink: a"]


def test_operators_with_state_ask_for_it_and_receive_by_key() -> None:
    aggregate = next(node for node in sql_plan("tumbling_window").nodes if node.type == "GroupWindowAggregate")
    assert aggregate.resources is not None
    assert (aggregate.resources.state_size, aggregate.resources.chaining_strategy) == (1, "HEAD")
    assert aggregate.predecessors == (Edge(2, "KEY-GROUP"),)


def test_batch_plans_keep_no_state() -> None:
    plan = raw_plan(script("tumbling_window"), api_type="SQL", job_type="flink_batch")
    assert {node.resources.state_size for node in plan.nodes if node.resources} == {0}


def test_new_nodes_have_the_documented_defaults() -> None:
    (source, *_) = json.loads(sql_plan("passthrough").to_json())["nodes"]
    assert (source["parallelism"], source["core"], source["heap_memory"], source["state_size"]) == (1, 0.1, 256, 0)


@pytest.mark.parametrize(
    ("core", "gigabytes", "parallelism"),
    [(0.3, 0.75, 1), (3, 75, 10), (30, 7.5, 10), (2.99, 75, 9), (0.1, 0.1, 1), (float("inf"), 1e9, 32_768)],
)
def test_expected_resources_set_the_parallelism_and_are_not_exceeded(
    core: float, gigabytes: float, parallelism: int
) -> None:
    plan = sql_plan("passthrough", expected_core=core, expected_gb=gigabytes)
    assert {node.parallelism for node in plan.nodes} == {parallelism}
    if parallelism > 1:
        assert resources(plan) <= (core, gigabytes)


def test_one_expectation_alone_changes_nothing() -> None:
    assert sql_plan("passthrough", expected_core=50) == sql_plan("passthrough")


def test_expectations_below_zero_which_a_snapshot_may_hold_give_the_smallest_plan() -> None:
    assert sql_plan("passthrough", expected_core=-1e308, expected_gb=1) == sql_plan("passthrough")


def test_datastream_plan_has_the_documented_form_around_the_main_class() -> None:
    plan = raw_plan(
        "blink.main.class=com.example.TopSpeedWindowing\r\nblink.job.name=test", api_type="Datastream", job_type=""
    )
    assert types(plan) == ["Source: Custom Source", "Timestamps/Watermarks", "TopSpeedWindowing", "Sink: Unnamed"]
    assert [edge for node in plan.nodes for edge in node.predecessors] == [Edge(1), Edge(2, "KEY-GROUP"), Edge(3)]
    assert "core" not in plan.to_json()


def test_datastream_plan_needs_no_main_class() -> None:
    assert types(raw_plan("", api_type="DATASTREAM", job_type="FLINK_STREAM"))[2] == "Process"


def test_script_without_insert_has_an_empty_plan() -> None:
    assert raw_plan("", api_type="SQL", job_type="FLINK_STREAM", expected_core=1, expected_gb=4) == Plan(())


def test_broken_sql_has_no_plan() -> None:
    with pytest.raises(SqlError):
        raw_plan("select (", api_type="SQL", job_type="FLINK_STREAM")


@given(FRAGMENTS)
def test_running_job_has_a_plan_whatever_its_code(code: str) -> None:
    plan = running_plan("", code, api_type="SQL", job_type="FLINK_STREAM", note=print)
    assert [node.id for node in plan.nodes] == list(range(1, len(plan.nodes) + 1))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", []),
        ("{a:b}", ["planJson has no nodes; a plan made by the emulator is used instead."]),
        (
            "{nodes: 1}",
            ["planJson cannot be read, its nodes are not a list; a plan made by the emulator is used instead."],
        ),
    ],
)
def test_plan_that_cannot_be_used_is_replaced_and_told(given: str, told: list[str]) -> None:
    notes: list[str] = []
    plan = running_plan(given, script("passthrough"), api_type="SQL", job_type="FLINK_STREAM", note=notes.append)
    assert plan == sql_plan("passthrough")
    assert notes == told


def test_running_job_has_its_own_plan_or_none() -> None:
    notes: list[str] = []
    options: dict[str, Any] = {"api_type": "SQL", "job_type": "FLINK_STREAM", "note": notes.append}
    assert types(running_plan("{nodes: [{id: 1, type: Mine}]}", script("passthrough"), **options)) == ["Mine"]
    assert running_plan("", "select (", **options) == Plan(())
    assert notes == []


def test_a_long_name_of_a_function_stands_cut_in_each_operator_that_calls_it() -> None:
    code = f"""CREATE FUNCTION f AS '{"x" * 50_000}';
        CREATE TABLE a (i INT) WITH (type='x'); CREATE TABLE `{"b" * 50_000}` (i INT) WITH (type='x');
        INSERT INTO `{"b" * 50_000}` SELECT * FROM a {", LATERAL TABLE(f(i))" * 500}"""
    plan = raw_plan(code, api_type="SQL", job_type="FLINK_STREAM")
    assert sum(name.startswith("Correlate(xxx") for name in types(plan)) == 500
    assert len(plan.to_json()) < 10 * len(code)
    main = raw_plan(f"blink.main.class={'x' * 50_000}", api_type="DATASTREAM", job_type="FLINK_STREAM")
    assert max(map(len, types(main))) < 300
    with pytest.raises(SqlError) as told:
        raw_plan(f"INSERT INTO `{'b' * 50_000}` SELECT 1", api_type="SQL", job_type="FLINK_STREAM")
    assert len(str(told.value)) < 1100


def test_a_plan_that_is_made_has_as_many_operators_as_one_that_can_be_given() -> None:
    def planned(inserts: int) -> Plan:
        code = "CREATE TABLE a (i INT) WITH (type='x'); " + "INSERT INTO a " * inserts
        return raw_plan(code, api_type="SQL", job_type="FLINK_STREAM")

    of_one = len(planned(1).nodes)
    most = planned(MOST_NODES // of_one)
    assert MOST_NODES - of_one < len(most.nodes) <= MOST_NODES
    assert plan_from_json(most.to_json()) == most
    with pytest.raises(SqlError, match=f"over {MOST_NODES} operators"):
        planned(MOST_NODES // of_one + 1)


def test_a_plan_that_is_made_has_as_many_links_as_one_that_can_be_given() -> None:
    tables = "".join(f"CREATE TABLE t{number} (i INT) WITH (type='x'); " for number in range(50))
    read = ", ".join(f"t{number}" for number in range(50))

    def planned(views: int) -> Plan:
        code = tables + "".join(f"CREATE VIEW v{number} AS SELECT 1 FROM {read}; " for number in range(views))
        return raw_plan(code, api_type="SQL", job_type="FLINK_STREAM")

    of_one = sum(len(node.predecessors) for node in planned(1).nodes)
    most = planned(MOST_EDGES // of_one)
    assert plan_from_json(most.to_json()) == most
    with pytest.raises(SqlError, match=f"over {MOST_EDGES} links"):
        planned(MOST_EDGES // of_one + 1)
