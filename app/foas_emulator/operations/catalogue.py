"""Every operation of the service, and what becomes of changes that come due."""

from collections.abc import Mapping

from foas_emulator.gateway.operation import Operation
from foas_emulator.operations.instances.routes import group as instances
from foas_emulator.world.world import Handler

GROUPS = (instances,)

OPERATIONS: tuple[Operation, ...] = tuple(operation for group in GROUPS for operation in group.operations)

HANDLERS: Mapping[str, Handler] = {}
"""Who brings about the changes of each kind of subject."""
