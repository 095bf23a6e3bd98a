"""Write the pages and documents that are made from the code. `make docs` runs it; a test refuses drift."""

import json
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from inspect import getdoc
from pathlib import Path
from typing import Any

import click
from scripts.examples import recorded_examples

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

Every setting of `foas-emulator serve` is a flag and an environment variable; the flag wins. A wrong value, or a
variable that begins with `FOASEMU_` and is no setting, refuses to start, naming it and what is allowed. Durations take
a unit (`500ms`, `30s`, `4m59s`, `1h`, `3d`); a bare number is seconds. In a variable the values of a repeatable setting
are separated by blanks.

"""
CONFIGURATION_TAIL = """
The delays, `latency`, `error_rate`, `not_running`, `sql_check`, `default_format`, `signature` and the error overrides
are defaults: every world can have its own, by `settings` in its seed or over the control API. The world's seed and the
number of a call determine whether an `error_rate` applies to it, and its `latency` within a range.
With `--intercept` the server has a [proxy](interception.md) that redirects programs which name no endpoint to it.

## Connections

An idle connection is kept for `keep_alive`, which its client gets in a `Keep-Alive` header, and a few seconds longer. A
request line and its headers may have 64 KiB (the path and query 32 KiB of them) and 256 headers, a query or a body 4096
parameters, a JSON body 20,000 values, 100 lists and objects inside one another. If a client sends or reads nothing for
30 seconds in the middle of a request or an answer, its connection is closed. A request that cannot be parsed is refused
in the gateway's envelope.

One process serves everybody, so no request may block it for long. Of a job's code, 10,000 tokens are read as SQL, and
5000 lines or members as settings; of JSON in a parameter, such as a planJson, one mebibyte, 50,000 values and 100
levels; any plan has at most 1000 nodes and 2500 links, and one that the emulator makes shows 256 characters of a name.
ValidateJob and GetRawPlanJson report longer ones. A parameter that lists jobs, packages, machines or tags may have 1000
of them (and the packages of a job 65,536 characters), a metricJson 50 queries, 15,000 points and 512 characters in a
name, and the items of one page 6 MiB of texts. What a call stores is bounded, too: the texts of a job, project, package
or cluster have 6 MiB together, in which characters that answers escape count four times; a world has 20,000 projects
and as many clusters, a project 20,000 instances, archived ones among them; a cluster has 500 queues, 100 vSwitches and
200 tags, and gives up 10,000 slaves in all; one call puts 500 tags, or takes all off 200 clusters. What is more is
refused. A job keeps its newest 100 sessions of GetRawPlanJson, an instance its newest 100 plans of AutoScale. A world
in memory holds one gibibyte, calls that latencies hold back take 256 MiB, and large answers that clients are still
reading, such as snapshots, 512 MiB. Seeds and snapshots are held to the limits of texts and counts, too, but a project
may have 1000 folders, 500 queues, 20,000 jobs and as many packages in them, and a row of a snapshot twice the texts.

Large seeds and snapshots are read and written in threads; only copying them takes the server's own time, about one
millisecond for each mebibyte. While a world in a file is written to disk, other requests wait.

## The log

Every refused call leaves one line on standard error: its request id, operation, world, method and path, status, code,
and the hint, which says why and what to do about it. The hint is also in `x-emulator-hint` of the answer and in the
journal entry; the SDK for Go prints it, those for Python, Java and Node do not. A line is a WARNING, or an ERROR from
status 500 on; `--no-log-refused` omits the warnings. In `--log-format json` each of these is a member of its own.

```text
WARNING foas_emulator.access: 9B1F... GetInstance world=w GET /api/v2/... 400 0.4 ms InvalidInstance.NotRunning: ...
```

A log line that standard error does not accept at once is dropped, and the next line reports the number of dropped ones.

## Error overrides

If you have seen the real service answer with another code, configure it here. The file is a mapping from a code of the
[catalogue](fidelity.md#errors) to its new `code`, `status` or `message`. `MissingjobType` goes before
`Missing{parameter}`, which is for all parameters, and whose own code and message may have `{parameter}`, too:

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
    return "".join(parts)


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

The evidence for the emulator's behaviour. *documented*: stated in the service's documents or metadata. *sample*: seen
in a published or captured answer. *sdk*: read in, or observed of, official client code. *inferred*: no public source
says it, so it is the best interpretation; the source column gives the reason. The paths and answers of all operations
are documented; the kind below is that of the operation's behaviour. An error answer has its kind in
`x-emulator-evidence`.

The behaviour of HTTP itself is inferred too: HEAD is answered as GET without a body, and refused where GET writes
(GetRawPlanJson); raw UTF-8 in a path or a query is read as if it were percent-encoded, and a request that cannot be
parsed is refused in the gateway's envelope.

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


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": configuration,
    "docs/operations.md": operations,
    "docs/fidelity.md": fidelity,
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
