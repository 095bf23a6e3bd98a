"""The checkpoints of a running job, as Flink's `/jobs/:jobid/checkpoints` reports them.

That GetInstanceCheckpoint returns Flink's own payload is inferred: its documentation says only that the payload
contains the checkpoints, and the console shows Flink's overview, history and summary.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from foas_emulator.blink import chance
from foas_emulator.blink.running import Run

_KEPT = 10  # Flink's web.checkpoints.history
_BYTES_PER_SECOND = 4096


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """One checkpoint; `end` is the time of its completion or of a failure during it, 0 while it is in progress."""

    number: int
    status: str
    trigger: int
    end: int
    state_size: int

    @property
    def duration(self) -> int:
        return max(self.end - self.trigger, 0)


class _Schedule:
    """The checkpoints of a run: one per interval from its start, each computed independently of the others."""

    def __init__(self, run: Run, interval: int) -> None:
        self._run = run
        self._interval = interval
        self._failure_times = [time for time, _ in run.past_failures]
        self.total = (run.now - run.start_time) // interval

    def checkpoint(self, number: int) -> _Checkpoint:
        trigger = self._run.start_time + number * self._interval
        parts = (self._run.seed, self._run.instance_id, "checkpoint", number)
        end = trigger + chance.between(1, max(min(self._interval // 2, 1500), 1), *parts)
        failure = bisect_left(self._failure_times, trigger)
        if failure < len(self._failure_times) and self._failure_times[failure] < end:
            status, end = "FAILED", self._failure_times[failure]
        elif end <= self._run.now:
            status = "COMPLETED"
        else:
            status, end = "IN_PROGRESS", 0
        grown = min(number * self._interval, self._run.properties.state_ttl) * _BYTES_PER_SECOND // 1000
        return _Checkpoint(number, status, trigger, end, grown + chance.below(_BYTES_PER_SECOND, *parts, "state"))

    def failed(self) -> list[_Checkpoint]:
        """Return the checkpoints that a failure aborted, in order."""
        numbers = sorted({(time - self._run.start_time) // self._interval for time in self._failure_times} - {0})
        return [item for item in map(self.checkpoint, numbers) if item.status == "FAILED"]

    def completed_before(self, time: int) -> _Checkpoint | None:
        """Return the latest checkpoint that was complete at a time, None if there is none."""
        for number in range((time - self._run.start_time) // self._interval, 0, -1):
            checkpoint = self.checkpoint(number)
            if checkpoint.status == "COMPLETED" and checkpoint.end <= time:
                return checkpoint
        return None

    def restored(self) -> list[tuple[int, _Checkpoint]]:
        """Return the times of failures after which a checkpoint could be restored, with that checkpoint."""
        pairs = ((time, self.completed_before(time)) for time in self._failure_times)
        return [(time, checkpoint) for time, checkpoint in pairs if checkpoint]


def checkpoints(run: Run) -> str:
    """Return Flink's overview of the run's checkpoints, as JSON text.

    Counts grow with the clock by the job's checkpoint interval; a failure aborts a checkpoint in progress. The summary
    covers the checkpoints of the history, while Flink's covers all.
    """
    interval = run.properties.checkpoint_interval
    if interval is None:
        return _render(run, total=0, kept=[], failed=[], restored=[], completed=None)
    schedule = _Schedule(run, interval)
    numbers = range(schedule.total, max(schedule.total - _KEPT, 0), -1)
    return _render(
        run,
        total=schedule.total,
        kept=[schedule.checkpoint(number) for number in numbers],
        failed=schedule.failed(),
        restored=schedule.restored(),
        completed=schedule.completed_before(run.now),
    )


def _render(
    run: Run,
    *,
    total: int,
    kept: list[_Checkpoint],
    failed: list[_Checkpoint],
    restored: list[tuple[int, _Checkpoint]],
    completed: _Checkpoint | None,
) -> str:
    in_progress = sum(item.status == "IN_PROGRESS" for item in kept)
    done = [item for item in kept if item.status == "COMPLETED"]
    content = {
        "counts": {
            "restored": len(restored),
            "total": total,
            "in_progress": in_progress,
            "completed": total - len(failed) - in_progress,
            "failed": len(failed),
        },
        "summary": {
            "state_size": _summary(item.state_size for item in done),
            "end_to_end_duration": _summary(item.duration for item in done),
            "alignment_buffered": _summary([]),
        },
        "latest": {
            "completed": completed and _statistics(run, completed, latest=completed),
            "savepoint": None,
            "failed": _statistics(run, failed[-1], latest=completed) if failed else None,
            "restored": _restored(run, *restored[-1]) if restored else None,
        },
        "history": [_statistics(run, item, latest=completed) for item in kept],
    }
    return json.dumps(content, separators=(",", ":"))


def _summary(values: Iterable[int]) -> dict[str, int]:
    numbers = list(values) or [0]
    return {"min": min(numbers), "max": max(numbers), "avg": sum(numbers) // len(numbers)}


def _statistics(run: Run, checkpoint: _Checkpoint, *, latest: _Checkpoint | None) -> dict[str, Any]:
    subtasks = sum(node.parallelism for node in run.plan.nodes)
    statistics: dict[str, Any] = {
        "@class": checkpoint.status.lower(),
        "id": checkpoint.number,
        "status": checkpoint.status,
        "is_savepoint": False,
        "trigger_timestamp": checkpoint.trigger,
        "latest_ack_timestamp": checkpoint.end or checkpoint.trigger,
        "state_size": checkpoint.state_size,
        "end_to_end_duration": checkpoint.duration,
        "alignment_buffered": 0,
        "num_subtasks": subtasks,
        "num_acknowledged_subtasks": subtasks if checkpoint.status == "COMPLETED" else 0,
        "tasks": {},
    }
    if checkpoint.status == "COMPLETED":
        # Flink keeps one completed checkpoint and discards older ones.
        statistics |= {"external_path": _path(run, checkpoint), "discarded": checkpoint != latest}
    elif checkpoint.status == "FAILED":
        statistics |= {"failure_timestamp": checkpoint.end, "failure_message": "The job has failed."}
    return statistics


def _restored(run: Run, time: int, checkpoint: _Checkpoint) -> dict[str, Any]:
    return {
        "id": checkpoint.number,
        "restore_timestamp": time,
        "is_savepoint": False,
        "external_path": _path(run, checkpoint),
    }


def _path(run: Run, checkpoint: _Checkpoint) -> str:
    return f"hdfs:///checkpoints/{run.job_id}/chk-{checkpoint.number}"
