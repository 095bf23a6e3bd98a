"""How Blink sees an instance: its run, its plan, and the resources that it demands."""

from collections.abc import Mapping

from foas_emulator.blink import properties
from foas_emulator.blink.kinds import SQL
from foas_emulator.blink.plan import Plan, resources
from foas_emulator.blink.planner import Note, running_plan
from foas_emulator.blink.resource import Resource, amount
from foas_emulator.blink.running import Run
from foas_emulator.operations.hooks import Hook
from foas_emulator.operations.instances import rows
from foas_emulator.operations.instances.lifecycle import RUNNING
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.slices import read_in_slices
from foas_emulator.world.world import World
from foas_emulator.world.world_cache import Slot

auto_scale_plan: Hook[[World, Instance], str | None] = Hook()
"""The plan that AutoScale applied to an instance."""

_DEMANDS: Slot[dict[int, tuple[Resource, list[str]]]] = Slot(from_rows=False)
"""The demands of plans, each of which may take milliseconds, with the notes about it, by the hash of its texts."""
_HASHES: Slot[dict[tuple[int, int], int]] = Slot(from_rows=True)
"""That hash by the id of an instance and the hash of the plan that AutoScale applied: other texts are read once."""
_MOST_KEPT = 10_000


def run_of(world: World, instance: Instance) -> Run:
    """Return the engine's view of an instance now, or at its end if it has ended.

    The parameters of its start override its properties, and these the lines in the code of a DATASTREAM job.
    """
    code = "" if instance.api_type == SQL else instance.code or ""
    settings = properties.read(code, instance.properties or "", instance.parameter_json or "")
    now = world.now() if instance.end_time is None else instance.end_time
    begun = (time for time in (instance.start_time, instance.last_operate_time) if time is not None)
    failed_at = instance.last_error_time
    return Run(
        seed=world.seed,
        instance_id=instance.id,
        job_name=instance.job_name,
        start_time=next(begun, now),
        now=now,
        plan=_plan_of(instance, auto_scale_plan(world, instance), world.note),
        properties=settings,
        failures=() if failed_at is None else ((failed_at, instance.last_error_message or ""),),
    )


async def demand_by_queue(world: World, cluster_id: str) -> Mapping[str, Resource]:
    """Return the resources that the running instances of a cluster use, by the names of their queues.

    Other calls are served between two plans. Raise `StoreClosedError` if one of them replaces the world.
    """
    demands: dict[str, Resource] = {}
    notes: list[str] = []
    async for instance in read_in_slices(world, rows.instances_on_cluster(world, cluster_id, RUNNING)):
        queue_name = instance.queue_name or ""
        demands[queue_name] = demands.get(queue_name, Resource()) + demand(world, instance, notes.append)
    for sentence in notes:  # only now: calls that are served meanwhile take all notes
        world.note(sentence)
    return demands


def demand(world: World, instance: Instance, note: Note) -> Resource:
    """Return the resources that an instance requested from its queue: the sum of its plan, none if it was deleted."""
    demands, hashes = world.cache.get(_DEMANDS) or {}, world.cache.get(_HASHES) or {}
    applied = auto_scale_plan(world, instance)
    key = hashes.get((instance.id, hash(applied)))
    if key is None or key not in demands:
        whole = rows.find_instance(world, instance.project_name, instance.job_name, instance.id)
        if whole is None:
            return Resource()
        key = hash((applied, whole.plan_json, whole.code, whole.api_type, whole.job_type))
        hashes = world.cache.put(_HASHES, hashes if len(hashes) < _MOST_KEPT else {})
        hashes[instance.id, hash(applied)] = key
        if key not in demands:
            texts: list[str] = []
            demands = world.cache.put(_DEMANDS, demands if len(demands) < _MOST_KEPT else {})
            demands[key] = amount(*resources(_plan_of(whole, applied, texts.append))), texts
    of_plan, notes = demands[key]
    for sentence in notes:
        note(sentence)
    return of_plan


def _plan_of(instance: Instance, applied: str | None, note: Note) -> Plan:
    """Return the plan that AutoScale applied, else the instance's own, else one made from its code."""
    return running_plan(
        applied or instance.plan_json or "",
        instance.code or "",
        api_type=instance.api_type,
        job_type=instance.job_type,
        note=note,
    )
