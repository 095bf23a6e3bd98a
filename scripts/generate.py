"""Write the pages and documents that are made from the code. `make docs` runs it; a test refuses drift."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from inspect import getdoc
from pathlib import Path
from typing import Any

import click
from scripts.examples import recorded_examples
from scripts.figures import with_figures

from foas_emulator.blink.metric_names import CLUSTER_METRICS, JOB_METRICS
from foas_emulator.gateway.errors import catalogue
from foas_emulator.gateway.evidence import Evidence
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.main import describe_api, describe_control_api
from foas_emulator.openapi.document import as_yaml
from foas_emulator.operations.catalogue import GROUPS, OPERATIONS
from foas_emulator.seeds.schema import json_schema
from foas_emulator.settings import Settings, options, shown_default

ROOT = Path(__file__).parent.parent
NOTICE = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"
KINDS = ("documented", "sample", "sdk", "inferred")


def configuration() -> str:
    """Every setting with its flag, variable, default and meaning."""
    rows = ["| flag | variable | default | meaning |", "|---|---|---|---|"]
    for option, declared in zip(options(), fields(Settings), strict=True):
        flag = f"{option.opts[0]} {_values(option)}".strip()
        rows.append(f"| `{flag}` | `{option.envvar}` | {_default(declared)} | {_cell(option.help or '')} |")
    return NOTICE + CONFIGURATION_HEAD + "\n".join(rows) + "\n" + CONFIGURATION_TAIL


CONFIGURATION_HEAD = """# Configuration

Every setting of `foas-emulator serve` is a flag and an environment variable; if both are given, the flag counts:

```sh
foas-emulator serve --port 9000 --start-delay 30s
FOASEMU_PORT=9000 FOASEMU_START_DELAY=30s foas-emulator serve
```

With a wrong value, or an unknown variable whose name begins with `FOASEMU_`, the server does not start, and the error
names the setting and what is allowed. Durations have a unit (`500ms`, `30s`, `4m59s`, `1h`, `3d`); a number alone is in
seconds. In a variable, the values of a repeatable setting are separated by spaces.

"""
CONFIGURATION_TAIL = """
The delays, `latency`, `error_rate`, `not_running`, `sql_check`, `default_format`, `signature` and the error overrides
are defaults: every world can have its own, by `settings` in its seed or over the control API. The world's seed and the
number of a call determine whether an `error_rate` applies to it, and its `latency` within a range, so every run is the
same. With `--intercept` the server has a [proxy](interception.md) for programs that name no endpoint.

## Connections

An idle connection is kept open for `keep_alive`, which its client gets in a `Keep-Alive` header, and a few seconds
longer. If a client sends or reads nothing for 30 seconds in the middle of a request or an answer, its connection is
closed. A request that cannot be parsed is refused in the gateway's envelope.

Of more than 10,000 connections that wait for their clients, which are to send a request or the rest of one, or to read
an answer, the one that has waited the longest is closed; if fewer than 32 descriptors are left, the 32 that have waited
the longest are, or a sixteenth of all. If heads of incomplete requests, and requests that were sent before an earlier
one was answered, take over 64 MiB, the connection with the oldest of them is closed. The log says so.

## Limits

One process serves everybody, so no request may block it for long. What exceeds these limits is refused, except that
ValidateJob and GetRawPlanJson report code and plans that are too long:

| what | at most |
|---|---|
| a request line with its headers | 64 KiB, 32 KiB of them path and query; 256 headers |
| a query, a body | 4096 parameters; a JSON body 20,000 values in 100 levels |
| JSON in a parameter, such as a planJson | 1 MiB, 50,000 values, 100 levels |
| a job's code | 10,000 tokens of SQL, 5000 lines or members of settings |
| a plan | 1000 nodes, 2500 links; one that the emulator makes shows 256 characters of a name |
| a parameter that lists jobs, packages, machines or tags | 1000 of them; the packages of a job 65,536 characters |
| a cluster's engine versions, in seeds and snapshots | 64 KiB |
| a metricJson | 50 queries, 15,000 points, 512 characters in a name |
| the items of one page, and those of BatchGetInstanceRunSummary | 6 MiB of texts |
| the texts of a job, project, package or cluster | 6 MiB together; characters that answers escape count four times |
| a world | 20,000 projects, 20,000 clusters, 100,000 tags; 1 GiB if it is in memory, and all of them `world_bytes` |
| a project | 20,000 instances, archived ones included |
| a world's error overrides | 10,000 characters each, 1,000,000 together |
| a cluster | 500 queues, 100 vSwitches, 200 tags; 10,000 slaves removed over time |
| one call for tags | 500 tags added, or all removed from 200 clusters |
| bodies of calls that are arriving, all together | 256 MiB; the stalest make room; none of 64 KiB is refused |
| calls delayed by latencies, all together | 256 MiB |
| verifications that wait, all together | 256 MiB: some 10,000 |
| large answers that clients are still reading, such as snapshots | 512 MiB; slow ones make room |

A job keeps its latest 100 sessions of GetRawPlanJson, all jobs of a project 10,000; an instance keeps its latest 100
plans of AutoScale, all of a project 30,000. The limits of texts and counts also apply to seeds and snapshots, in which
a project may have 1000 folders, 500 queues, 20,000 jobs and 20,000 packages, a timeline 10,000 states and all of them
20,000, a name 256 characters, and in a snapshot a row twice the texts, an instance four times.

Large seeds and snapshots are read and written in threads; only copying them takes the server's own time, about one
millisecond per mebibyte. While a world in a file is written to disk, other requests wait.

## The log

For every refused call the server writes one line to standard error: request id, operation, world, method and path,
status, code, and the hint, which says why the call was refused and what to do about it. The hint is also in the header
`x-emulator-hint` of the answer and in the journal; the Go SDK prints it, those for Python, Java and Node do not. A line
is a WARNING, or an ERROR from status 500 on, except 503, with which calls are refused for lack of room;
`--no-log-refused` omits the warnings. With `--log-format json` each of these parts is a member of its own.

```text
WARNING foas_emulator.access: 9B1F... GetInstance world=w GET /api/v2/... 400 0.4 ms InvalidInstance.NotRunning: ...
```

A log line that standard error does not accept at once is dropped, and the next line reports how many were dropped.

## Error overrides

If you have seen the real service answer with another code, configure it in a file: `--error-overrides FILE`. It maps a
code of the [catalogue](fidelity.md#errors) to its new `code`, `status` or `message`. `Missing{parameter}` is for all
parameters, and its new code and message may contain `{parameter}`; `MissingjobType` is for one parameter, and has
precedence:

```yaml
InvalidInstance.NotRunning:
  code: InstanceNotRunning
  status: 403
  message: The instance is not running.
```
"""


def _values(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if option.metavar:
        return option.metavar.replace("|", "\\|")
    if isinstance(option.type, click.Choice):
        return "\\|".join(option.type.choices)
    return option.type.name.upper().split(" ")[0]


def _default(declared: Field[Any]) -> str:
    text = shown_default(declared)
    return f"`{text}`" if text else ""


def operations() -> str:
    """The table of operations, by group."""
    parts = [NOTICE, "# Operations\n\n"]
    parts.append(
        f"{len(OPERATIONS)} operations of foas 2018-11-11. Parameters in *italics* and those of the path are required. "
        "All operations also have the errors of the gateway (`Missing…`, `Invalid…`, signatures).\n"
    )
    for group in GROUPS:
        parts.append(
            f"\n## {group.name}\n\n| operation | method and path | parameters | evidence |\n|---|---|---|---|\n"
        )
        parts += [_operation_row(operation) for operation in group.declared]
        parts.append("\n")
        parts += [f"- **{each.name}**: {_cell(getdoc(each.endpoint) or '')}\n" for each in group.declared]
        if group.name == "metrics":
            parts.append(_metrics())
    return "".join(parts)


def _metrics() -> str:
    """The names of metrics."""
    cluster = [*CLUSTER_METRICS.curves, *(f"{family}*" for family in CLUSTER_METRICS.families)]
    return (
        f"\nMetrics of a job, each after `blink.{{projectName}}.{{jobName}}.`: {_words(JOB_METRICS.curves)}.\n"
        f"\nMetrics of a cluster, each after `{{clusterId}}.`: {_words(cluster)}.\n"
    )


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _operation_row(operation: Operation) -> str:
    given = [each for each in declared_parameters(operation.endpoint) if each.place != "path"]
    names = ", ".join(f"*{each.name}*" if each.refused_without else each.name for each in given)
    path = operation.path.removeprefix("/api/v2")
    return f"| {operation.name} | `{operation.method} {path}` | {names} | {_evidence(operation.evidence)} |\n"


def fidelity() -> str:
    """What is documented, sampled, taken from SDKs and inferred."""
    counts = {kind: sum(each.evidence.kind == kind for each in OPERATIONS) for kind in KINDS}
    parts = [NOTICE, FIDELITY_HEAD]
    parts += [f"| {kind} | {counts[kind]} |\n" for kind in KINDS]
    parts.append("\n| operation | evidence | source |\n|---|---|---|\n")
    parts += [f"| {each.name} | {each.evidence.kind} | {_cell(each.evidence.source)} |\n" for each in OPERATIONS]
    disagreements = Path(__file__).with_name("disagreements.md").read_text("utf-8")
    parts += ["\n", disagreements, ERRORS_HEAD]
    for code, problem in sorted(catalogue().items()):
        source = _cell(problem.evidence.source)
        parts.append(
            f"| `{code}` | {problem.status} | {_cell(problem.message)} | {problem.evidence.kind} | {source} |\n"
        )
    return "".join(parts)


FIDELITY_HEAD = """# Fidelity

How close the emulator is to the real service, and how we know. Each behaviour has one kind of evidence:

- *documented*: stated in the service's documents or metadata
- *sample*: seen in a published or captured answer
- *sdk*: read in, or observed from, official client code
- *inferred*: no public source says it, so it is the best interpretation; the source column gives the reason

The paths and answers of all operations are documented; the table shows the evidence for their behaviour. Every error
has its evidence in the header `x-emulator-evidence`:

```console
$ curl -s -D - -o /dev/null http://127.0.0.1:8018/api/v2/projects/none | grep -i evidence
```

The behaviour of HTTP itself is inferred too: HEAD is answered like GET, without a body, and refused if GET writes
(GetRawPlanJson); raw UTF-8 in a path or a query is read as if it were percent-encoded; a request that cannot be parsed
is refused in the gateway's envelope.

| kind | operations |
|---|---|
"""
ERRORS_HEAD = """
## Errors

No error code of the service itself is documented; those here follow `Invalid{Resource}.{Reason}` and are inferred.
If you know better, override them: see [configuration](configuration.md#error-overrides).

| code | status | message | evidence | source |
|---|---|---|---|---|
"""


def _evidence(evidence: Evidence) -> str:
    return f"{evidence.kind}: {_cell(evidence.source)}" if evidence.source else evidence.kind


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def seed_schema() -> str:
    """The JSON Schema of seed documents."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _quoting(name: str) -> Callable[[], str]:
    """What makes a page that is written by hand, except for its figures."""
    return lambda: with_figures((ROOT / name).read_text("utf-8"))


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": configuration,
    "docs/operations.md": operations,
    "docs/fidelity.md": fidelity,
    "docs/shared-instance.md": _quoting("docs/shared-instance.md"),
    "docs/shared-instance.zh-CN.md": _quoting("docs/shared-instance.zh-CN.md"),
    "fixtures/seed.schema.json": seed_schema,
    "fixtures/examples.json": recorded_examples,
    "openapi/foas-2018-11-11.yaml": lambda: as_yaml(describe_api()),
    "openapi/control.yaml": lambda: as_yaml(describe_control_api()),
}
"""Every generated file, and what makes it. The documents show the examples, so those come first."""


def main() -> None:
    for name, make in PAGES.items():
        (ROOT / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main()
