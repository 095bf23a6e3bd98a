"""Merge seeds into worlds while requests use them."""

from contextlib import closing, nullcontext
from functools import partial

from foas_emulator.control.images import one_large_at_a_time
from foas_emulator.control.off_loop import LARGE, SMALL, off_loop
from foas_emulator.control.staging import created_or_opened, staged_image
from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.clusters.rows import cluster_ids
from foas_emulator.operations.columns import of_jobs
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import Job, PlanSession
from foas_emulator.operations.packages.rows import Package
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.world import pending
from foas_emulator.world.advance import held, settle
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store
from foas_emulator.world.world import World

_ATTEMPTS = (False, False, True, True)
"""Attempts to merge a large seed outside the event loop, and whether other changes of the world wait meanwhile."""
_REPLACED = (Job, Instance, Package, PlanSession, AutoScalePlan)
_OF_A_ROW = 2
"""The bytes of a seed that take as long as a row that is removed, some four microseconds."""


async def clusters_there(registry: Registry, name: str) -> set[str]:
    """Return the ids of the clusters of a world; if it does not exist, of a world as calls create it."""
    world = registry.open_existing(name)
    if world is not None:
        await settle(world)
        return _clusters(world.store)
    with closing(Store(registry.connections, image=registry.image)) as store:
        return _clusters(store)


def _clusters(store: Store) -> set[str]:
    return set(cluster_ids(store))


async def merge(registry: Registry, name: str, seed: SeedDocument, *, size: int) -> None:
    """Apply a seed to a world; a large seed to a copy, which replaces the world if that has not changed since.

    A world that does not exist is created, unless the seed does not fit it.
    """
    if not registry.exists(name):
        if size <= SMALL and len(registry.image) <= LARGE:  # else it may replace projects of thousands of jobs
            with created_or_opened(registry, name) as world:
                apply(world, seed)
            return
        if await _merge_into_new(registry, name, seed, size=size):
            return
    if size <= SMALL:  # to count for each project of a large seed would hold up the loop itself
        size = max(size, _OF_A_ROW * _replaced(registry.open_or_create(name), seed))
    for others_wait in _ATTEMPTS if size > SMALL else ():
        world = registry.open_or_create(name)
        async with one_large_at_a_time(max(size, world.store.size), world):
            await settle(world)
            async with held(world) if others_wait else nullcontext():
                if await _merge_beside(registry, world, seed, size=size):
                    return
    world = registry.open_or_create(name)
    await settle(world)
    apply(world, seed)


def _replaced(world: World, seed: SeedDocument) -> int:
    """Return how many rows a seed may replace: a short one can name projects of thousands of jobs."""
    found = pending.count(world.store) if seed.projects else 0
    of_projects = [of_jobs(project.name, None) for project in seed.projects]
    return found + sum(world.store.count(model, *where) for where in of_projects for model in _REPLACED)


async def _merge_into_new(registry: Registry, name: str, seed: SeedDocument, *, size: int) -> bool:
    """Create a world with a seed applied; return False if it exists by then, or the default image has changed."""
    image = registry.image
    size = max(size, len(image))
    async with one_large_at_a_time(size):
        merged = await off_loop(size, partial(_merged, image, seed, name=name, registry=registry))
        async with staged_image(merged, registry, name=name) as staged:
            if registry.exists(name) or registry.image is not image:
                return False
            with created_or_opened(registry, name) as world:
                registry.exchange(world, world.move_on, merged, staged)
            return True


async def _merge_beside(registry: Registry, world: World, seed: SeedDocument, *, size: int) -> bool:
    """Apply a seed to a copy of a world, and replace the world by it; return False if the world changed meanwhile."""
    before, image = world.contents, await image_of_world(world)
    copy = partial(_merged, image, seed, name=world.name, registry=registry)
    merged = await off_loop(size, copy)
    async with staged_image(merged, registry, name=world.name) as staged:
        if not registry.holds(world) or world.contents != before:
            return False
        registry.exchange(world, world.move_on, merged, staged)
        return True


def _merged(image: bytes, seed: SeedDocument, *, name: str, registry: Registry) -> bytes:
    with closing(Store(registry.connections, image=image)) as store:
        apply(registry.detached(name, store), seed)
        return store.own_image()
