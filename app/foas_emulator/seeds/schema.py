"""The JSON Schema of seed documents, for editors and for programs that write seeds.

It is made from the models, and as strict as they are as far as a schema can be; docs/seeds.md lists the exceptions.
"""

from typing import Any

from foas_emulator.faults.effects import EFFECTS, find_problem
from foas_emulator.gateway.errors import INVALID, MISSING, catalogue
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.world.clock import WRITTEN_DURATION
from foas_emulator.world.durations import RATE_PATTERN, SPAN_PATTERN
from foas_emulator.world.settings import CHOICES

SCHEMA_ID = "urn:foas-emulator:seed"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION_REF = {"$ref": "#/$defs/Duration"}
_NULL = {"type": "null"}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the JSON Schema of seed documents."""
    schema = SeedDocument.model_json_schema()
    parts: dict[str, Schema] = schema.pop("$defs")
    parts["Duration"] = {"title": "Duration", **WRITTEN_DURATION}
    _describe_fault(parts)
    schema["properties"]["settings"] = _settings()
    for part in (schema, *parts.values()):
        if "properties" in part:
            _finish(part, has_notes=part is schema or part.get("title", "").startswith("Seed"))
    schema["properties"]["$schema"] = {"description": "This schema, for editors.", "examples": ["./seed.schema.json"]}
    head = {"$schema": _DIALECT, "$id": SCHEMA_ID, **schema, "title": "foas-emulator seed"}
    return {**head, "$defs": dict(sorted(parts.items()))}


def _finish(part: Schema, *, has_notes: bool) -> None:
    """Allow null for optional members, allow `x-` members, and remove the titles of members, which say nothing."""
    required = part.get("required", ())
    for name, member in part["properties"].items():
        member.pop("title", None)
        part["properties"][name] = member if name in required else _or_null(member)
    if has_notes:
        part["patternProperties"] = {"^x-": {"description": "A note, or an anchor for aliases; it is ignored."}}


def _or_null(member: Schema) -> Schema:
    given = {name: value for name, value in member.items() if (name, value) != ("default", None)}
    alternatives = [each for each in given.get("anyOf", ()) if each != _NULL]
    if len(alternatives) == 1:
        del given["anyOf"]
        given = {**alternatives[0], **given}
    if {"$ref", "if", "anyOf"} & given.keys():
        kept: Schema = {name: given.pop(name) for name in ("description", "examples", "default") if name in given}
        return {**kept, "anyOf": [given, _NULL]}
    if "enum" in given:
        return {**given, "enum": [*given["enum"], None], "type": [*_types(given), "null"]}
    return {**given, "type": [*_types(given), "null"]}


def _types(member: Schema) -> list[str]:
    types = member.get("type", [])
    return [types] if isinstance(types, str) else list(types)


# -- settings


def _settings() -> Schema:
    delay = {
        "start_delay": "Time from StartJob until the instance is RUNNING.",
        "pause_delay": "Time from a pause until the instance is PAUSED.",
        "stop_delay": "Time from a stop until the instance is TERMINATED.",
        "plan_delay": "Time from GetRawPlanJson until the plan is ready.",
        "cluster_delay": "Time from a change of a cluster until it is RUNNING again.",
        "batch_duration": "Time from RUNNING until a batch instance is SUCCESS; null: until a call ends it.",
    }
    choice = {
        "default_format": "Format of the answer if the client requests none.",
        "not_running": "GetInstance for a job that is not running: as documented, or its state.",
        "sql_check": "What detects wrong SQL: only ValidateJob, or also StartJob.",
        "signature": "Signatures: not looked at, reported, or refused.",
    }
    properties: dict[str, Schema] = {
        name: {"enum": [*CHOICES[name]], "type": "string", "description": text, "examples": [CHOICES[name][-1]]}
        for name, text in choice.items()
    }
    properties |= {name: {**_DURATION_REF, "description": text, "examples": ["30s"]} for name, text in delay.items()}
    properties["latency"] = {
        **WRITTEN_DURATION,
        "pattern": f"^{SPAN_PATTERN}$",
        "description": "Time before every call takes effect: a duration, or the shortest and the longest.",
        "examples": ["200ms", "100ms-400ms"],
    }
    properties["error_rate"] = {
        "type": ["string", "number"],
        "pattern": f"^{RATE_PATTERN}$",
        "minimum": 0,
        "maximum": 1,
        "description": "Share of calls that fail, as a percentage or a number from 0 to 1.",
        "examples": ["5%"],
    }
    properties["error_overrides"] = {
        "type": "object",
        "description": "Errors of the catalogue that are answered with another code, status or message.",
        "examples": [{"InvalidInstance.NotRunning": {"status": 403}}],
        "propertyNames": {"enum": sorted(code for codes in _codes() for code in codes)},
        "additionalProperties": _override(),
    }
    return {
        "type": "object",
        "description": "Settings of the world; those that are left out follow the flags of the server.",
        "examples": [{"start_delay": "30s"}],
        "properties": {name: _or_null(each) for name, each in properties.items()},
        "patternProperties": {"^x-": {"description": "A note; it is ignored."}},
        "additionalProperties": False,
    }


def _override() -> Schema:
    properties: dict[str, Schema] = {
        "code": {"type": "string", "minLength": 1, "description": "Its code.", "examples": ["InstanceNotRunning"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "Its status.", "examples": [403]},
        "message": {"type": "string", "description": "Its text.", "examples": ["The instance is not running."]},
    }
    return {
        "type": "object",
        "description": "Code, status or message to answer with instead.",
        "properties": {name: _or_null(member) for name, member in properties.items()},
        "anyOf": [{"required": [name], "properties": {name: {"not": _NULL}}} for name in properties],
        "additionalProperties": False,
    }


# -- faults


def _describe_fault(parts: dict[str, Schema]) -> None:
    """Add the checks of a fault rule to its schema: names of operations and codes, and one error for a wrong effect."""
    fault = parts["SeedFault"]
    members = fault["properties"]
    none = "Left out: a rule of a seed is armed for as long as its world has it."
    members["ttl"] = {"type": [], "description": none, "examples": [None]}  # and null, which all may be
    members["effect"] = _effect()
    del members["match"]["default"]
    fault["if"] = {"properties": {"effect": {"required": ["stale"]}}, "required": ["effect"]}
    fault["then"] = {"properties": {"at": {"enum": ["before", None]}}}
    pattern = parts["CallPattern"]["properties"]
    pattern["operation"] |= _operations()
    pattern["params"]["propertyNames"] = {"enum": _parameter_names()}
    parts["CatalogueError"] |= _message_rule(parts["CatalogueError"])
    parts["Latency"]["properties"]["latency"] |= {
        "anyOf": [_DURATION_REF, {"type": "array", "items": _DURATION_REF, "minItems": 2, "maxItems": 2}]
    }
    parts["Rate"]["properties"]["per"] = {**_DURATION_REF, "description": "The period of time.", "examples": ["1s"]}


def _effect() -> Schema:
    """Return the schema of an effect, chosen by its distinctive member, so that an unknown effect gets one error."""
    chain: Schema = {"minProperties": 1, "propertyNames": {"enum": list(EFFECTS)}}
    for name, model in reversed(list(EFFECTS.items())):
        chain = {"if": {"required": [name]}, "then": {"$ref": f"#/$defs/{model.__name__}"}, "else": chain}
    text = f"Effect on the call: one of {', '.join(EFFECTS)}."
    return {"description": text, "examples": [{"error": "Throttling.User"}], **chain}


def _parameter_names() -> list[str]:
    return sorted({each.name for operation in OPERATIONS for each in declared_parameters(operation.endpoint)})


def _codes() -> tuple[list[str], list[str]]:
    """Return the codes whose messages are known, and those whose messages depend on the call."""
    made = [
        template.code.replace("{parameter}", parameter)
        for template in (MISSING, INVALID)
        for parameter in _parameter_names()
    ]
    codes = sorted({*catalogue(), *made})
    complete = [code for code in codes if _is_complete(code)]
    return complete, [code for code in codes if code not in set(complete)]


def _is_complete(code: str) -> bool:
    found = find_problem(code)
    assert found is not None
    problem, arguments = found
    text = problem.message
    for name in arguments:
        text = text.replace("{" + name + "}", "")
    return "{" not in text


def _message_rule(part: Schema) -> Schema:
    complete, open_ = _codes()
    part["properties"]["error"]["enum"] = [*complete, *open_]
    return {
        "if": {"properties": {"error": {"enum": open_}}, "required": ["error"]},
        "then": {"required": ["error", "message"], "properties": {"message": {"type": "string"}}},
    }


def _operations() -> Schema:
    names = sorted(operation.name for operation in OPERATIONS)
    return {"type": "string", "anyOf": [{"enum": names}, {"pattern": r"[*?\[]"}]}
