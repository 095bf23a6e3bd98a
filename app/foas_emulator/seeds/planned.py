"""Check the pending changes of a snapshot: each is of something that there is, and brings what a call could bring."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import bindparam, select, text

from foas_emulator.json_bounds import is_whole
from foas_emulator.operations.catalogue import HANDLERS
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.clusters.service import FEWEST_SLAVES, MOST_REMOVED, MOST_SLAVES
from foas_emulator.operations.instances.lifecycle import MOST_INSTANCES, OUTCOMES, STATES
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import PlanSession
from foas_emulator.seeds.document import MOST_PLANNED
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row
from foas_emulator.world.world import World

REMOVED = re.compile(rf"(?:[1-9][0-9]{{0,4}}(?:,[1-9][0-9]{{0,4}}){{0,{MOST_REMOVED - 1}}})?")
"""The numbers of the slaves that a cluster has given up."""

_SUBJECTS: tuple[tuple[str, type[Row], str], ...] = (
    ("cluster", Cluster, "cluster_id"),
    ("plan_session", PlanSession, "session_id"),
    ("instance", Instance, "id"),
)
"""The kinds of subjects, with the table and the column of what they refer to."""
_MOST_OF_PROJECT = MOST_PLANNED + 2 * MOST_INSTANCES
"""The states of timelines, and for each instance the outcome of a call and its archiving."""
_CROWDED = text(
    "SELECT instances.project_name FROM pending_changes AS change JOIN instances"
    " ON instances.id = CAST(substr(change.subject, 10) AS INTEGER) WHERE change.subject LIKE 'instance:%'"
    " GROUP BY instances.project_name HAVING count(*) > :most LIMIT 1"
)
_OVERTAKEN = text(
    "SELECT change.subject || ' ' || change.event FROM pending_changes AS change"
    " WHERE (change.subject NOT LIKE 'instance:%' OR change.event IN :outcomes) AND EXISTS (SELECT 1 FROM"
    " pending_changes AS other WHERE other.subject = change.subject AND other.sequence <> change.sequence) LIMIT 1"
).bindparams(bindparam("outcomes", sorted(OUTCOMES.values()), expanding=True))
"""A call drops all that was planned for its instance, so the outcome of one is all that an instance has ahead. What is
planned for a cluster or a session is the outcome of a call."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_whole(value)  # in JSON, it may have half of a surrogate pair


def _is_text_or_none(value: Any) -> bool:
    return value is None or _is_text(value)


_DETAILS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "cluster": {
        "slave_num": lambda value: type(value) is int and FEWEST_SLAVES <= value <= MOST_SLAVES,
        "removed_slaves": lambda value: isinstance(value, str) and REMOVED.fullmatch(value) is not None,
        "master_spec": _is_text,
        "user_sg_id": _is_text,
        "user_v_switch_list": _is_text_or_none,
        "instance_infos": _is_text_or_none,
    },
    "instance": {
        "ActualState": lambda value: value in STATES,
        "LastErrorMessage": _is_text_or_none,
    },
}
"""What the details of a change may give by the kind of its subject, and whether they may give that."""


def wrong_changes(store: Store) -> Iterator[str]:
    """Yield what is wrong with pending changes."""
    # Rows by the hundred thousand would be freed in one piece, in which no other thread runs.
    there = {
        kind: {str(key) for key in store.execute(select(model.table().c[column])).scalars()}
        for kind, model, column in _SUBJECTS
    }
    for change in store.find(PendingChange):
        if change.key not in there.get(change.kind, ()):
            yield f"the pending change {change.what!r} refers to something that does not exist"
        for name, value in change.read_details().items() if change.kind in _DETAILS else ():
            if name not in _DETAILS[change.kind] or not _DETAILS[change.kind][name](value):
                yield f"the pending change {change.what!r} would bring a wrong {name}"
    for what in store.execute(_OVERTAKEN.columns()).scalars():
        yield f"the pending change {what!r} is not the only one of its subject, as the outcome of a call is"


def crowded_projects(store: Store) -> Iterator[str]:
    """Yield a project whose instances have more pending changes than timelines and calls give them."""
    for name in store.execute(_CROWDED.columns(), {"most": _MOST_OF_PROJECT}).scalars():
        yield f"the instances of project {name!r} have over {_MOST_OF_PROJECT} pending changes"


def apply_all(store: Store) -> bool:
    """Apply all pending changes, since one that fails would break every call after its instant. Raise ValueError.

    Return whether there were any.
    """
    world = World("", store, defaults=WorldSettings(), handlers=HANDLERS)
    try:
        return bool(world.settle(until=LAST_INSTANT))
    except Exception as error:  # noqa: BLE001 - any error would otherwise be raised in the middle of a call
        what = str(error) or type(error).__name__
        raise ValueError(f"a pending change cannot be applied: {what}") from None
