"""The answers of the control API, for its OpenAPI document: named structures with a description of every member.

The endpoints return plain values. FastAPI does not validate these against the models; the tests do.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
Status = Annotated[int, Field(json_schema_extra={"format": "int32"})]


class Answer(BaseModel):
    """Base of all answers; none has members that its model does not declare."""

    model_config = ConfigDict(extra="forbid")


class Health(Answer):
    """Whether the emulator serves requests."""

    status: Literal["ok"] = Field(description="Always ok: a server that is not well does not answer.")


class OperationCounts(Answer):
    """The number of operations of the service."""

    count: Count = Field(description="Number of operations.")
    evidence: dict[str, Count] = Field(description="Number of operations by the kind of their evidence.")


class Memory(Answer):
    """Use of memory that has a budget."""

    bytes: Count = Field(description="Bytes in use, estimated.")
    limit: Count = Field(description="The most bytes that may be in use.")


class Information(Answer):
    """Information about the running emulator."""

    version: str = Field(description="Version of the emulator.")
    listening: list[str] = Field(description="URLs at which it is served.")
    operations: OperationCounts = Field(description="The operations of the service.")
    settings: dict[str, Any] = Field(description="The settings in force; secrets are masked.")
    memory: dict[str, Memory] = Field(description="Use of memory, by the setting that limits it.")


class NodePorts(Answer):
    """Ports behind the proxy, for programs that bypass it."""

    plain: Count = Field(description="Port of http.")
    secure: Count = Field(description="Port of https.")


class InterceptionShown(Answer):
    """The proxy that redirects programs which name no endpoint to the emulator."""

    host: str = Field(description="Address at which it listens.")
    port: Count = Field(description="Its port.")
    allowed: list[str] = Field(description="Hosts that it lets through.")
    node: NodePorts = Field(description="Ports to which Node.js programs are redirected.")
    files: str = Field(description="Directory of the files that make programs trust it.")


class Credentials(Answer):
    """The access key of a world with its token, in the form that credential chains read."""

    code: Literal["Success"] = Field(alias="Code", description="Always Success: any failure is an error.")
    access_key_id: str = Field(alias="AccessKeyId", description="The access key.")
    access_key_secret: str = Field(alias="AccessKeySecret", description="Its secret.")
    security_token: str = Field(alias="SecurityToken", description="Its token.")
    expiration: str = Field(alias="Expiration", description="Time at which it expires, in ISO 8601.")


class WorldIdentity(Answer):
    """The name of a world, and its access key."""

    name: str = Field(description="Name of the world.")
    access_key_id: str = Field(description="The access key that selects it.")


class WorldShown(WorldIdentity):
    """A world, and the time since its last use."""

    open: bool = Field(description="Whether its database is open.")
    idle_ms: Count | None = Field(description="Milliseconds since its last use; null if it is not open.")


class Worlds(Answer):
    """All worlds."""

    worlds: list[WorldShown] = Field(description="The worlds, by name.")


class WorldNames(Answer):
    """The names of worlds."""

    worlds: list[str] = Field(description="The names.")


class RuleMatch(Answer):
    """The calls that a rule matches."""

    operation: str = Field(description="Name of the operation, or a glob.")
    params: dict[str, Any] = Field(description="Values of parameters, exact or as globs.")


class FaultRuleShown(Answer):
    """A fault rule, with the numbers of calls that it has seen and to which it applied."""

    id: Count = Field(description="Id of the rule.")
    match: RuleMatch = Field(description="The calls that it matches.")
    effect: dict[str, Any] = Field(description="Its effect on them, as it was written.")
    at: Literal["before", "after_commit"] = Field(description="Whether it applies before a call takes effect or after.")
    skip: Count = Field(description="Matching calls that it lets pass first.")
    times: Count | None = Field(description="The most calls to which it applies; null means any number.")
    probability: float = Field(description="The chance that it applies to a matching call.")
    expires_at: Count | None = Field(description="Its end, in milliseconds since the epoch; null is never.")
    armed: bool = Field(description="Whether it can still apply.")
    seen: Count = Field(description="Matching calls that it has seen.")
    hits: Count = Field(description="Calls to which it applied.")


class FaultRules(Answer):
    """The fault rules of a world."""

    faults: list[FaultRuleShown] = Field(description="The rules, in the order in which they were armed.")


class FaultShown(Answer):
    """A fault rule that applied to a call."""

    id: Count = Field(description="Id of the rule.")
    effect: dict[str, Any] = Field(description="Its effect.")
    at: str = Field(description="before or after_commit.")


class JournalEntry(Answer):
    """One request and its response."""

    number: Count = Field(description="Number of the entry in its world, from 1.")
    time: str = Field(description="Time at which the request arrived, by the machine's clock.")
    world_time: str = Field(description="The same time by the world's clock.")
    operation: str | None = Field(description="Name of the operation; null if none matched.")
    method: str = Field(description="Method of the request.")
    path: str = Field(description="Path of the operation, or of the request if none matched.")
    parameters: dict[str, Any] = Field(description="All parameters, of path, query and body.")
    unread: list[str] = Field(description="Names of parameters that nothing read.")
    access_key_id: str | None = Field(description="Access key of the signature.")
    signature: str | None = Field(description="Result of the signature check.")
    format: str | None = Field(description="Format of the response.")
    status: Status | None = Field(description="Status of the response; null if there was none.")
    code: str | None = Field(description="Error code; null on success.")
    request_id: str = Field(description="Id of the request.")
    milliseconds: float = Field(description="Time from the request to the end of the response.")
    faults: list[FaultShown] = Field(description="Fault rules that applied to it.")
    warning: str = Field(default="", description="The warning that the response carried, if any.")
    contradicting_action: str = Field(default="", description="Value of x-acs-action, if it contradicts the path.")
    hint: str | None = Field(default=None, description="The emulator's hint, if it gave one.")
    evidence: str | None = Field(
        default=None, description="Evidence of the error: documented, sample, sdk or inferred; only with a hint."
    )
    nearest: list[dict[str, Any]] = Field(default=[], description="The closest operations, if none matched.")


class SentRequest(Answer):
    """A request, as far as the journal keeps it; secrets and signatures are masked."""

    path: str = Field(description="Path as it was sent.")
    query: str = Field(description="Query string.")
    headers: dict[str, str] = Field(description="Headers by name.")
    body: str = Field(description="The part of the body that is kept.")
    size: Count = Field(description="Bytes of the whole body.")
    is_cut: bool = Field(description="Whether a part of the body is missing.")


class SentAnswer(Answer):
    """A response, as far as the journal keeps it."""

    headers: dict[str, str] = Field(description="Headers by name.")
    body: str = Field(description="The part of the body that is kept.")
    size: Count = Field(description="Bytes of the whole body.")
    is_cut: bool = Field(description="Whether a part of the body is missing.")


class DifferenceShown(Answer):
    """A difference between an expected and an actual value."""

    field: str = Field(description="Name of the value.")
    expected: str | None = Field(description="The expected value; null if none was expected.")
    actual: str | None = Field(description="The actual value; null if there was none.")


class SignatureCheck(Answer):
    """The reasons why a signature is wrong."""

    string_to_sign: str = Field(description="The text that the server signs.")
    differences: list[DifferenceShown] = Field(description="The parts in which the client signed something else.")


class JournalEntryWithContents(JournalEntry):
    """One request and its response, with their headers and bodies."""

    request: SentRequest = Field(description="The request.")
    answer: SentAnswer = Field(description="The response.")
    hint: str | None = Field(description="The emulator's hint, if it gave one.")
    evidence: str | None = Field(description="Evidence of the error, if there was one.")
    signature_check: SignatureCheck | None = Field(
        default=None, description="Reasons why the signature is wrong; only after an error or a warning."
    )


class JournalPage(Answer):
    """Entries that match, the oldest first."""

    entries: list[JournalEntry] = Field(description="The entries.")
    total: Count | None = Field(description="Number of all entries that match; null with `last`, which counts none.")
    after: Count | None = Field(description="Value of `after` for the next page; null on the last one.")
    lost: Count = Field(description="Number of entries that were dropped to keep within the budget.")


class Verified(Answer):
    """The expectation holds."""

    ok: Literal[True] = Field(description="Always true: otherwise the answer is an error.")


class CloseEntry(Answer):
    """A call that came close to an expectation."""

    entry: JournalEntry = Field(description="The call.")
    differences: list[DifferenceShown] = Field(description="Where it differs.")


class DocumentFault(Answer):
    """What is wrong at one place of a document."""

    line: Count | None = Field(description="Line of the document; null after the first million values.")
    path: str = Field(description="Path of the value.")
    message: str = Field(description="What is wrong there.")


class Refusal(Answer):
    """An error: what is wrong, and what to do about it; the other members are those of single errors."""

    error: str = Field(description="What is wrong.")
    hint: str = Field(description="What to do about it.")
    code: str = Field(default="", description="Code of the service's error, if it is one.")
    no_world: str = Field(default="", description="Name of the world, if it does not exist.")
    faults: list[DocumentFault] = Field(default=[], description="All that is wrong in a document.")
    ok: Literal[False] = Field(default=False, description="Always false, if an expectation does not hold.")
    differences: list[DifferenceShown] = Field(default=[], description="Why the expectation does not hold.")
    nearest: list[CloseEntry] = Field(default=[], description="The calls that came closest to the expectation.")
    request_id: str = Field(default="", description="Id under which the log has the reason, if the emulator failed.")


class OperationCoverage(Answer):
    """The coverage of one operation."""

    calls: Count = Field(description="Calls of it.")
    outcomes: dict[str, Count] = Field(description="Calls by error code, or by ok.")
    formats: dict[str, Count] = Field(description="Calls by the format of the response.")
    parameters: list[str] = Field(description="Parameters that were given.")
    parameters_missing: list[str] = Field(description="Parameters that were never given.")


class Exercised(Answer):
    """The parts of the service that were exercised, and those that were not."""

    operations: dict[str, OperationCoverage] = Field(description="The operations that were called.")
    operations_missing: list[str] = Field(description="The operations that were not called.")
    operations_percent: float = Field(description="Percentage of operations that were called.")
    states: dict[str, Count] = Field(description="States of instances that were seen.")
    states_missing: list[str] = Field(description="States that were not seen.")
    error_codes: dict[str, Count] = Field(description="Error codes that were answered.")


class Coverage(Answer):
    """Coverage of the service, in all worlds together and by world."""

    all: Exercised = Field(description="Coverage in all worlds, including those that were dropped.")
    worlds: dict[str, Exercised] = Field(description="Coverage in each world.")


class Snapshot(BaseModel):
    """A whole world as a document."""

    model_config = ConfigDict(extra="allow")


class WorldSettingsShown(BaseModel):
    """Every setting of a world by its name; delays are durations such as 30s."""

    model_config = ConfigDict(extra="allow")


def answers(model: type[BaseModel], *statuses: int, or_text: bool = False) -> dict[str, Any]:
    """Return the options of a route that answers with this model, with 200 or with these statuses; or with a text."""
    others = {"content": {"text/plain": {"schema": {"type": "string"}}}} if or_text else {}
    described = {status: {"model": model, "description": model.__doc__, **others} for status in statuses or (200,)}
    return {"response_model": None, "responses": described}
