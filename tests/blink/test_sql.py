import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from foas_emulator.blink import sql
from foas_emulator.blink.errors import SqlError, error_text
from foas_emulator.blink.sql import Script, read
from foas_emulator.blink.statements import Unknown
from foas_emulator.blink.tokens import _PATTERN, MOST_TOKENS, Positions, Token, tokens_of
from tests.blink.fragments import FRAGMENTS

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sql"), key=lambda path: path.stem)

# What ValidateJob's page shows: the three tables of the dimension join's page, and nothing but their types.
DOCUMENTED = """
CREATE TABLE datahub_input1 (
id            BIGINT,
name        VARCHAR,
age           BIGINT
) WITH (
type='datahub'
);

create table phoneNumber(
name VARCHAR,
phoneNumber bigint,
primary key(name),
PERIOD FOR SYSTEM_TIME
)with(
type='ots'
);

CREATE table result_infor(
id bigint,
phoneNumber bigint,
name VARCHAR
)with(
type='rds'
);

INSERT INTO result_infor
SELECT
t.id,
w.phoneNumber,
t.name
FROM datahub_input1 as t
JOIN phoneNumber FOR SYSTEM_TIME AS OF PROCTIME() as w
ON t.name = w.name;
"""


def error_of(code: str) -> SqlError:
    with pytest.raises(SqlError) as caught:
        read(code)
    return caught.value


def refusal(code: str) -> SqlError | None:
    try:
        read(code)
    except SqlError as error:
        return error
    return None


def parts_of(script: Script) -> list[list[str]]:
    return [[use.alias.casefold() for use in uses] for uses in (script.inputs, script.outputs, script.dims)]


def expected_parts(first_line: str) -> list[list[str]]:
    parts = [part.partition(":")[2] for part in first_line.removeprefix("--").split("/")]
    return [[name.strip().casefold() for name in part.split(",") if name.strip()] for part in parts]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_of_real_shape_is_accepted_and_its_tables_are_found(path: Path) -> None:
    code = path.read_text("utf-8")
    assert parts_of(read(code)) == expected_parts(code.partition("\n")[0])


def test_there_are_scripts_of_every_documented_shape() -> None:
    assert len(SCRIPTS) >= 30


def test_documented_validation_answer_is_produced() -> None:
    script = read(DOCUMENTED)
    (given_in,), (given_out,), (given_dim,) = script.inputs, script.outputs, script.dims
    assert (given_in.alias, given_in.type, given_in.properties) == ("datahub_input1", "datahub", {"type": "datahub"})
    assert (given_dim.alias, given_dim.type, given_dim.properties) == ("phoneNumber", "ots", {"type": "ots"})
    assert (given_out.alias, given_out.type, given_out.properties) == ("result_infor", "rds", {"type": "rds"})
    assert [given_in.name, given_dim.name, given_out.name] == [None, None, None]
    assert [given_in.workspace, given_dim.workspace, given_out.workspace] == [None, None, ""]


def test_name_and_workspace_come_from_the_properties_of_the_store() -> None:
    script = read((Path(__file__).parent / "scripts" / "many_sinks.sql").read_text("utf-8"))
    sink_c = script.outputs[-1]
    assert (sink_c.name, sink_c.alias, sink_c.type, sink_c.workspace) == ("c", "sink_c", "odps", "warehouse")


def test_property_names_do_not_mind_case_and_keep_their_spelling() -> None:
    script = read((Path(__file__).parent / "scripts" / "retraction_and_case.sql").read_text("utf-8"))
    assert script.inputs[0].type == "DATAHUB"
    assert script.inputs[0].name == "w"
    assert script.inputs[0].properties == {"TYPE": "DATAHUB", "Topic": "w"}


def test_with_clause_is_read_however_loosely_it_is_written() -> None:
    script = read((Path(__file__).parent / "scripts" / "loose_with_clause.sql").read_text("utf-8"))
    assert script.inputs[0].properties == {
        "type": "datahub",
        "accessId": "<yourAccessId>",
        "accessKey": "<yourAccessKey>",
        "a.b": "-1",
        "c.d.e": "${value}",
        "debug": "true",
    }


def test_kafka_properties_keep_dots_colons_and_quotes() -> None:
    script = read((Path(__file__).parent / "scripts" / "table_function_left_join.sql").read_text("utf-8"))
    assert script.inputs[0].properties == {
        "type": "kafka010",
        "topic": "test",
        "group.id": "group",
        "bootstrap.servers": "ip1:port1,ip2:port2",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.jaas.config": 'PlainLoginModule required username="a" password="b";',
    }
    assert script.inputs[0].name == "test"


def test_table_that_is_both_read_and_joined_in_time_is_input_and_dimension() -> None:
    script = read(
        "create table a (x int) with (type='rds'); create table o (x int) with (type='rds');"
        "insert into o select * from a join a for system_time as of proctime() as b on a.x = b.x"
    )
    assert parts_of(script) == [["a"], ["o"], ["a"]]


def test_table_declared_with_a_period_is_a_dimension_even_when_read_plainly() -> None:
    script = read("create table d (x int, period for system_time) with (type='rds'); select * from d")
    assert parts_of(script) == [[], [], ["d"]]


def test_common_table_hides_a_declared_one() -> None:
    script = read(
        "create table a (x int) with (type='rds'); create table o (x int) with (type='rds');"
        "insert into o with a as (select 1) select * from a"
    )
    assert parts_of(script) == [[], ["o"], []]


def test_tables_in_one_script_are_told_apart_from_columns_of_their_name() -> None:
    script = read(
        "create table a (a int, period int, watermark int) with (type='x'); create table b (a int) with (type='x');"
        "insert into b select a.a, period, watermark from a"
    )
    assert [(table.watermark, table.dimension) for table in script.tables] == [(False, False), (False, False)]


def test_declarations_know_watermarks_periods_and_computed_columns() -> None:
    script = read(
        "create table a (x varchar, `ts` as to_timestamp(x, 'a,b'), p AS PROCTIME(), "
        "WATERMARK FOR ts AS withOffset(ts, 1), PERIOD FOR SYSTEM_TIME) with (type='rds');"
    )
    (table,) = script.tables
    assert (table.computed, table.watermark, table.dimension) == (("ts", "p"), True, True)


def test_functions_are_known_by_class() -> None:
    script = read((Path(__file__).parent / "scripts" / "functions_of_all_kinds.sql").read_text("utf-8"))
    assert [(item.name, item.class_name) for item in script.functions] == [
        ("f", "com.example.F"),
        ("g", "com.example.G"),
    ]


@pytest.mark.parametrize(
    ("code", "line", "column", "words"),
    [
        ("select 'abc", 1, 8, "Unterminated string"),
        ("select 1;\n  select 'a''", 2, 10, "Unterminated string"),
        ("select `a from b", 1, 8, "Unterminated identifier"),
        ('select "a from b', 1, 8, "Unterminated quotation"),
        ("select 1 /* never closed", 1, 10, "Unterminated comment"),
        ("select count(1", 1, 13, "( without"),
        ("select (count(1)", 1, 8, "( without"),
        ("select count(1;\nselect 1);", 1, 13, "( without"),
        ("select 1\n  )", 2, 3, ") without"),
        ("create table t (x int;\n) with (type='a')", 1, 16, "( without"),
        ("insert into\n  nowhere select 1", 2, 3, "Table 'nowhere' not found"),
        ("create table t (x int) with (type='a');\ninsert into t select x from t1", 2, 29, "Table 't1' not found"),
        ("create table t (x int) with (type='a'); select * from t join\tu on 1=1", 1, 62, "Table 'u' not found"),
        ("create table t (x int) with (type='a'); select * from t, `u v`", 1, 58, "Table 'u v' not found"),
        ("create table t (x int) with (type='a'); select (select max(x) from u) from t", 1, 68, "Table 'u' not found"),
        ("create view v as select 1 from\r\n\r\n  gone", 3, 3, "Table 'gone' not found"),
        ("with q as (select 1) select * from q, r", 1, 39, "Table 'r' not found"),
        ("create table t (x int)", 1, 14, "Table 't' has no type"),
        ("create table t (x int) with ()", 1, 14, "Table 't' has no type"),
        ("-- 注释\ncreate table\n  表 (x int) with (topic='a', type='')", 3, 3, "Table '表' has no type"),
        ("create table a (x int) with (typ='a');\ninsert into b select 1", 1, 14, "Table 'a' has no type"),
        ("create function f as 'F'; select * from f", 1, 41, "Table 'f' not found"),
    ],
)
def test_what_is_surely_wrong_is_reported_where_it_is(code: str, line: int, column: int, words: str) -> None:
    error = error_of(code)
    assert (error.line, error.column) == (line, column)
    assert words in error.message


def test_error_text_is_of_the_documented_kind() -> None:
    text = error_text(error_of("\n insert into nowhere select 1"))
    assert text.startswith(
        "code:[30017], brief info:[get app plan failed], context info:[detail:\n"
        ">>>>>\n"
        "org.apache.flink.table.api.ValidationException: \n"
        "************\n"
        "ERR_ID:\n"
    )
    assert "At line 2, column 14: Table 'nowhere' not found" in text
    assert text.endswith("************\n<<<<<]")


@pytest.mark.parametrize(
    "code",
    [
        "",
        ";;;",
        "hello",
        "create",
        "create table",
        "create view",
        "create function f",
        "create index i",
        "create or replace",
        "insert into",
        "insert into (",
        "insert (a b) c",
        "insert overwrite table",
        "select",
        "use",
        "with",
        "select * from",
        "select * from a.",
        "select * from a.(b)",
        "select * from (a.) b",
        "select * from lateral",
        "select * from table(",
        "select * from lateral table()",
        "with as (select 1) select 2",
        "as (select 1)",
        "(a) as (select 1)",
        "() as (select 1)",
        "create table t with (=, ==, a=, .b=c) ",
    ],
)
def test_fragments_are_passed_over_or_refused_but_never_crash(code: str) -> None:
    error = refusal(code)
    assert error is None or error.line == 1


@given(FRAGMENTS)
@example("create table a.b. (x) with (type='x'); select x from (a.b.c as d) e, lateral table(f(y))")
def test_arbitrary_words_are_read_or_refused_at_a_place_in_the_code(code: str) -> None:
    error = refusal(code)
    lines = code.split("\n")
    assert error is None or 1 <= error.line <= len(lines)
    assert error is None or 1 <= error.column <= len(lines[error.line - 1]) + 1


@given(st.text())
def test_arbitrary_text_is_read_or_refused(code: str) -> None:
    error = refusal(code)
    assert error is None or error.message in error_text(error)


@given(st.text(string.printable, max_size=300))
@settings(max_examples=300)
def test_what_is_accepted_stays_accepted_between_comments(code: str) -> None:
    assume(refusal(code) is None)
    read(f"-- it's\n{code}\n/* ( */")


@pytest.mark.parametrize(
    "piece",
    ["'", "''", "(", ")", "()", "((", "/*", "/* */", "--", "`", "a.", ", ", "a as (", "from a, ", "with ", "'a''", "_"],
)
def test_long_scripts_of_any_pattern_are_read_in_one_go(piece: str) -> None:
    error = refusal("select * from " + piece * 50_000)
    assert error is None or error.line == 1


def passed_over(code: str) -> list[str]:
    """The words that begin no statement."""
    unknown: list[Unknown] = []
    read(code, passed_over=unknown)
    return [each.word for each in unknown]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_of_real_shape_has_no_unknown_statement(path: Path) -> None:
    assert passed_over(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("selct a from b", ["selct"]),
        ("create table t (a int) with (type='print'); inset into t select 1; 'x' y; frob", ["inset", "x", "frob"]),
        ("blink.job.timeZone=Asia/Shanghai", []),
        ("blink.job.timeZone", ["blink"]),
        ("(select 1)", []),
        ("; ;", []),
        ("", []),
    ],
)
def test_what_begins_with_no_known_word_is_reported(code: str, words: list[str]) -> None:
    assert passed_over(code) == words


def test_a_script_has_a_limit_and_its_error_says_where_it_is() -> None:
    line = "SELECT 1, 2;\n"
    most = MOST_TOKENS // 5
    assert read(line * most)
    with pytest.raises(SqlError, match="reads at most 10000 words and signs") as refused:
        read(line * most + line)
    assert (refused.value.line, refused.value.column) == (most + 1, 1)


@pytest.mark.parametrize("gap", ["--\n", "# x\n", "/**/", " \n"])
def test_comments_and_space_are_passed_over_at_once_however_many_there_are(gap: str) -> None:
    gaps = [match for match in re.finditer(_PATTERN, gap * 1000 + "x", re.VERBOSE | re.DOTALL) if match["skip"]]
    assert len(gaps) == 1
    assert not read(gap * 1000).statements


def test_a_script_that_is_read_again_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    split: list[str] = []

    def counted(code: str, positions: Positions) -> Iterator[Token]:
        split.append(code)
        return tokens_of(code, positions)

    monkeypatch.setattr(sql, "tokens_of", counted)
    code = "frob; SELECT 'once'"
    assert read(code) == read(code)
    assert passed_over(code) == passed_over(code) == ["frob"]
    assert split == [code]


def test_a_wrong_script_that_is_read_again_is_refused_alike() -> None:
    refusals = []
    for _ in range(3):
        with pytest.raises(SqlError) as refused:
            read("\nSELECT (1")
        refusals.append((str(refused.value), refused.value.line, refused.value.column, len(refused.traceback)))
    assert len(set(refusals)) == 1
