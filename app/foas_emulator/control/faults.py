"""Faults on demand: arm and disarm the rules of a world."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Response
from pydantic import BeforeValidator

from foas_emulator.control.answers import FaultRules, FaultRuleShown, answers
from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError, require_world
from foas_emulator.control.paths import WorldName
from foas_emulator.faults.document import FaultDocument, check_scope
from foas_emulator.faults.rules import FaultRule, arm, disarm, disarm_all, rules_of
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.world.advance import settle
from foas_emulator.world.durations import whole_number
from foas_emulator.world.ids import LAST_COUNT
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.tables import equal
from foas_emulator.world.world import World

RuleId = Annotated[int, Path(ge=1, le=LAST_COUNT), BeforeValidator(whole_number)]


def fault_router(registry: Registry) -> APIRouter:
    """Return the routes of each world's fault rules under `/worlds/{world}/faults`."""
    router = APIRouter(prefix="/worlds/{world}/faults", route_class=DocumentRoute, tags=["faults"])

    @router.post("", status_code=201, **answers(FaultRuleShown, 201))
    async def arm_fault(
        name: WorldName, fault: Annotated[FaultDocument, Body(openapi_examples=_EXAMPLES)]
    ) -> dict[str, Any]:
        """Arm a rule. It applies to calls from now on; of several that match, the one armed first is the outermost."""
        _require_scope(fault)
        world = registry.open_or_create(name)
        await settle(world)
        return arm(world, fault).document()

    @router.get("", **answers(FaultRules))
    async def list_faults(name: WorldName) -> Response:
        """Return all rules, with the numbers of calls that each has seen and to which it applied."""
        rules = rules_of(require_world(registry, name))
        shown = [json.dumps(rule.document(), ensure_ascii=False) async for rule in in_slices(rules)]
        return Response(f'{{"faults":[{",".join(shown)}]}}'.encode(), media_type="application/json")

    @router.get("/{rule_id}", **answers(FaultRuleShown))
    async def get_fault(name: WorldName, rule_id: RuleId) -> dict[str, Any]:
        """Return one rule, with the numbers of calls that it has seen and to which it applied."""
        return _require_rule(require_world(registry, name), rule_id).document()

    @router.delete("", status_code=204)
    async def disarm_faults(name: WorldName) -> Response:
        """Disarm all rules."""
        world = require_world(registry, name)
        await settle(world)
        disarm_all(world)
        return Response(status_code=204)

    @router.delete("/{rule_id}", status_code=204)
    async def disarm_fault(name: WorldName, rule_id: RuleId) -> Response:
        """Disarm one rule."""
        world = require_world(registry, name)
        await settle(world)
        disarm(world, _require_rule(world, rule_id))
        return Response(status_code=204)

    return router


def _require_scope(fault: FaultDocument) -> None:
    try:
        check_scope(fault, OPERATIONS)
    except ValueError as error:
        raise ControlError(400, "The rule could never apply.", f"{error}.") from None


def _require_rule(world: World, rule_id: int) -> FaultRule:
    rule = world.store.get(FaultRule, equal(FaultRule.id, rule_id))
    if rule is None:
        raise ControlError(
            404, f"World {world.name} has no fault rule {rule_id}.", "GET the faults lists those it has."
        )
    return rule


_EXAMPLES: Any = {
    "throttle twice": {
        "value": {"match": {"operation": "StartJob"}, "effect": {"error": "Throttling.User"}, "times": 2}
    },
    "start the job, lose the answer": {
        "value": {"match": {"operation": "StartJob"}, "effect": {"drop": True}, "at": "after_commit"}
    },
    "a slow network": {"value": {"effect": {"latency": ["100ms", "2s"]}, "ttl": "60s"}},
}
