"""What the control API answers, for its OpenAPI document: named structures with a meaning for every member.

The endpoints answer plain values. FastAPI is not asked to check them a second time; the tests are.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
Status = Annotated[int, Field(json_schema_extra={"format": "int32"})]


class Answer(BaseModel):
    """Base of all answers; no answer has other members than these."""

    model_config = ConfigDict(extra="forbid")


class Health(Answer):
    """Whether the emulator serves requests."""

    status: Literal["ok"] = Field(description="Always ok: a server that is not well does not answer.")


class OperationCounts(Answer):
    """The operations of the service, counted."""

    count: Count = Field(description="How many there are.")
    evidence: dict[str, Count] = Field(description="How many there are by the kind of their evidence.")


class Memory(Answer):
    """What is kept in memory within a budget."""

    bytes: Count = Field(description="What it takes, estimated.")
    limit: Count = Field(description="The most it may take.")


class Information(Answer):
    """What runs here."""

    version: str = Field(description="Version of the emulator.")
    listening: list[str] = Field(description="URLs that it is served at.")
    operations: OperationCounts = Field(description="The operations of the service.")
    settings: dict[str, Any] = Field(description="The settings in force; secrets are masked.")
    memory: dict[str, Memory] = Field(description="What is taken of each setting that limits bytes.")


class NodePorts(Answer):
    """Ports behind the proxy, for programs that come past it."""

    plain: Count = Field(description="Port of http.")
    secure: Count = Field(description="Port of https.")


class InterceptionShown(Answer):
    """Where the proxy is that brings programs here which name no endpoint."""

    host: str = Field(description="Address that it listens at.")
    port: Count = Field(description="Its port.")
    allowed: list[str] = Field(description="Hosts that it lets through.")
    node: NodePorts = Field(description="Ports that Node.js programs are sent to.")
    files: str = Field(description="Directory of the files that make programs trust it.")


class Credentials(Answer):
    """The access key of a world with its token, in the words of the credential chains."""

    code: Literal["Success"] = Field(alias="Code", description="Always Success: whatever else is refused.")
    access_key_id: str = Field(alias="AccessKeyId", description="The access key.")
    access_key_secret: str = Field(alias="AccessKeySecret", description="Its secret.")
    security_token: str = Field(alias="SecurityToken", description="Its token.")
    expiration: str = Field(alias="Expiration", description="When it expires, as an ISO 8601 time.")


class WorldIdentity(Answer):
    """How a world is named."""

    name: str = Field(description="Name of the world.")
    access_key_id: str = Field(description="The access key that asks for it.")


class WorldShown(WorldIdentity):
    """A world, and for how long nobody asked for it."""

    open: bool = Field(description="Whether its database is open.")
    idle_ms: Count | None = Field(description="Milliseconds since it was used last; null if it is not open.")


class Worlds(Answer):
    """Every world."""

    worlds: list[WorldShown] = Field(description="The worlds, by name.")


class WorldNames(Answer):
    """The names of worlds."""

    worlds: list[str] = Field(description="The names.")


class RuleMatch(Answer):
    """The calls that a rule matches."""

    operation: str = Field(description="Name of the operation, or a glob.")
    params: dict[str, Any] = Field(description="Values of parameters, exact or as globs.")


class FaultRuleShown(Answer):
    """A fault rule, with how many calls it has seen and to how many of them it applied."""

    id: Count = Field(description="Id of the rule.")
    match: RuleMatch = Field(description="The calls that it matches.")
    effect: dict[str, Any] = Field(description="What it does to them, as it was written.")
    at: Literal["before", "after_commit"] = Field(description="Whether before a call takes effect or after it.")
    skip: Count = Field(description="Matching calls that it lets pass first.")
    times: Count | None = Field(description="To how many calls it applies at most; null is any number.")
    probability: float = Field(description="The chance that it applies to a call that matches.")
    expires_at: Count | None = Field(description="When it ends, in milliseconds since the epoch; null is never.")
    armed: bool = Field(description="Whether it can still apply.")
    seen: Count = Field(description="Matching calls that it has seen.")
    hits: Count = Field(description="Calls that it applied to.")


class FaultRules(Answer):
    """The fault rules of a world."""

    faults: list[FaultRuleShown] = Field(description="The rules, in the order in which they were armed.")


class FaultShown(Answer):
    """A fault rule that applied to a call."""

    id: Count = Field(description="Id of the rule.")
    effect: str = Field(description="Name of its effect.")
    at: str = Field(description="before or after_commit.")


class JournalEntry(Answer):
    """One request and its response."""

    number: Count = Field(description="Number of the entry in its world, from 1.")
    time: str = Field(description="When the request came, by the machine's clock.")
    world_time: str = Field(description="The same by the world's clock.")
    operation: str | None = Field(description="Name of the operation; null if none matched.")
    method: str = Field(description="Method of the request.")
    path: str = Field(description="Path of the operation, or of the request if none matched.")
    parameters: dict[str, Any] = Field(description="All parameters, wherever they came.")
    unread: list[str] = Field(description="Names of parameters that nothing read.")
    access_key_id: str | None = Field(description="Access key of the signature.")
    signature: str | None = Field(description="What became of the signature.")
    format: str | None = Field(description="Format of the response.")
    status: Status | None = Field(description="Status of the response; null if there was none.")
    code: str | None = Field(description="Error code; null on success.")
    request_id: str = Field(description="Id of the request.")
    milliseconds: float = Field(description="How long it took.")
    faults: list[FaultShown] = Field(description="Fault rules that applied to it.")
    warning: str = Field(default="", description="What the authentication warned of, where it did.")
    contradicting_action: str = Field(default="", description="Value of x-acs-action, where it contradicts the path.")
    hint: str | None = Field(default=None, description="The emulator's hint, where it gave one.")
    evidence: str | None = Field(
        default=None, description="How that is known: documented, sample, sdk or inferred; only with a hint."
    )
    nearest: list[dict[str, Any]] = Field(default=[], description="The closest operations, where none matched.")


class SentRequest(Answer):
    """What was sent, as far as the journal keeps it; secrets and signatures are masked."""

    path: str = Field(description="Path as it was sent.")
    query: str = Field(description="Query string.")
    headers: dict[str, str] = Field(description="Headers by name.")
    body: str = Field(description="The part of the body that is kept.")
    size: Count = Field(description="Bytes of the whole body.")
    is_cut: bool = Field(description="Whether a part of the body is missing.")


class SentAnswer(Answer):
    """What was answered, as far as the journal keeps it."""

    headers: dict[str, str] = Field(description="Headers by name.")
    body: str = Field(description="The part of the body that is kept.")
    size: Count = Field(description="Bytes of the whole body.")
    is_cut: bool = Field(description="Whether a part of the body is missing.")


class DifferenceShown(Answer):
    """Where what came differs from what was expected."""

    field: str = Field(description="What differs.")
    expected: str | None = Field(description="What was expected; null if nothing was.")
    actual: str | None = Field(description="What came; null if nothing did.")


class SignatureCheck(Answer):
    """Why a signature does not fit."""

    string_to_sign: str = Field(description="What the server signs.")
    differences: list[DifferenceShown] = Field(description="Where the client signed something else.")


class JournalEntryWithContents(JournalEntry):
    """One request and its response, with what was sent and what was answered."""

    request: SentRequest = Field(description="What was sent.")
    answer: SentAnswer = Field(description="What was answered.")
    hint: str | None = Field(description="The emulator's hint, where it gave one.")
    evidence: str | None = Field(description="How the behaviour of the operation is known.")
    signature_check: SignatureCheck | None = Field(
        default=None, description="Why the signature does not fit; only where one was refused or warned of."
    )


class JournalPage(Answer):
    """Entries that fit, the oldest first."""

    entries: list[JournalEntry] = Field(description="The entries.")
    total: Count = Field(description="How many fit in all.")
    after: Count | None = Field(description="What the next page goes on after; null on the last.")
    lost: Count = Field(description="How many entries have gone over the budget.")


class Verified(Answer):
    """What was expected happened."""

    ok: Literal[True] = Field(description="Always true: whatever else is refused.")


class OperationCoverage(Answer):
    """How one operation was exercised."""

    calls: Count = Field(description="Calls of it.")
    outcomes: dict[str, Count] = Field(description="Calls by error code, or by ok.")
    formats: dict[str, Count] = Field(description="Calls by the format of the response.")
    parameters: list[str] = Field(description="Parameters that were given.")
    parameters_missing: list[str] = Field(description="Parameters that never were.")


class Exercised(Answer):
    """What of the service was exercised."""

    operations: dict[str, OperationCoverage] = Field(description="The operations that were called.")
    operations_missing: list[str] = Field(description="Those that were not.")
    operations_percent: float = Field(description="The share that was.")
    states: dict[str, Count] = Field(description="States of instances that were seen.")
    states_missing: list[str] = Field(description="Those that were not.")
    error_codes: dict[str, Count] = Field(description="Error codes that were answered.")


class Coverage(Answer):
    """What of the service was exercised, in all and by world."""

    all: Exercised = Field(description="In all worlds, those that ended included.")
    worlds: dict[str, Exercised] = Field(description="In each world.")


class Snapshot(BaseModel):
    """A whole world as a document."""

    model_config = ConfigDict(extra="allow")


class WorldSettingsShown(BaseModel):
    """Every setting of a world by its name; delays are durations such as 30s."""

    model_config = ConfigDict(extra="allow")


def answers(model: type[BaseModel], *statuses: int) -> dict[str, Any]:
    """Return the options of a route that answers values of this form, with 200 or with these statuses."""
    described = {status: {"model": model, "description": model.__doc__} for status in statuses or (200,)}
    return {"response_model": None, "responses": described}
