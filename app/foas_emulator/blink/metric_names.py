"""The names of metrics, and the shapes of their curves.

The job metrics are the complete table of GetInstanceMetric's page; units are as there. Only three names of cluster
metrics are documented, under `system.cpu`, `system.mem` and `yarn`, so all names of their families are accepted. The
values are made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Curve:
    """A level, its largest relative deviation (`swing`), and its growth per second since the start.

    `whole` curves have whole numbers, as counts do.
    """

    level: float
    swing: float = 0.3
    growth: float = 0.0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The metrics of one kind, by their names or by the prefixes of their families."""

    curves: Mapping[str, Curve]
    families: Mapping[str, Curve]

    def curve(self, name: str) -> Curve | None:
        """Return the curve of a name, or else of its family; None for an unknown name."""
        if name in self.curves:
            return self.curves[name]
        return next((curve for family, curve in self.families.items() if name.startswith(family)), None)


_NONE = Curve(0.0)

JOB_METRICS = Catalogue(
    curves=MappingProxyType(
        {
            "delay": Curve(1200.0),  # ms
            "fetched_delay": Curve(800.0),  # ms
            "no_data_delay": Curve(300.0),  # ms
            "task_failover.rate": _NONE,
            "tps.rate": Curve(1000.0),
            "sink.outTps.rate": Curve(900.0),
            "parserTps.rate": Curve(1000.0),
            "inBps.rate": Curve(250_000.0),  # bytes
            "parserSkipCount": _NONE,
            "lastCheckpointDuration": Curve(800.0, swing=0.6),  # ms
            "lastCheckpointSize": Curve(1_000_000.0, swing=0.02, growth=4096.0),  # bytes
            "checkpointAlignmentTime": Curve(2_000_000.0, swing=0.8),  # ns
            "checkpoints": Curve(0.0, growth=1 / 180, whole=True),  # at the default interval; see `job_metrics`
            "rocksdb_get.mean": Curve(9000.0),  # ns
            "rocksdb_put.mean": Curve(12_000.0),  # ns
            "niagara_seek.meam": Curve(15_000.0),  # ns, spelt so
            "rocksdb_seek.mean": Curve(15_000.0),  # ns
            "state.state_size": Curve(1_000_000.0, swing=0.02, growth=4096.0),  # bytes
            "state.state_newsize": Curve(700_000.0),  # bytes
            "Status.JVM.GarbageCollector.ConcurrentMarkSweep.Time": Curve(40.0, growth=0.02, whole=True),  # ms
            "watermarkLatency": Curve(2500.0),  # ms
            "lateRecordsDroppedRate": _NONE,
            "numLateRecordsDropped": _NONE,
            "input.tt.readLatency": Curve(60.0),  # ms
            "numRecordsInPerSecond.rate": Curve(1000.0),
            "numRecordsOutPerSecond.rate": Curve(950.0),
            "buffers.inPoolUsage": Curve(0.2, swing=0.8),
            "buffers.outPoolUsage": Curve(0.15, swing=0.8),
            "taskLatency.sum": Curve(300_000_000.0),  # ns
            "waitOutput.sum": Curve(50_000_000.0),  # ns
            "taskLatency.histogram.mean": Curve(300_000.0),  # ns
            "waitOutput.histogram.mean": Curve(50_000.0),  # ns
            "waitInput.histogram.mean": Curve(600_000.0),  # ns
            "partitionLatency.mean": Curve(400_000.0),  # ns
            "Status.JVM.Memory.Process.rss": Curve(1_400_000.0, swing=0.05),  # kb
            "Status.JVM.CPU.Usage": Curve(0.35),
            "Status.JVM.Memory.Heap.Used": Curve(400_000_000.0),  # bytes
            "Status.JVM.Memory.NonHeap.Used": Curve(120_000_000.0, swing=0.02),  # bytes
            "Status.JVM.Threads.Count": Curve(90.0, swing=0.05, whole=True),
            "Status.JVM.GarbageCollector.ConcurrentMarkSweep.Count": Curve(4.0, growth=0.001, whole=True),
        }
    ),
    families=MappingProxyType({}),
)


def job_metrics(checkpoint_interval: int | None) -> Catalogue:
    """Return the metrics of a job that takes a checkpoint every so many milliseconds, or none."""
    growth = 0.0 if checkpoint_interval is None else 1000 / checkpoint_interval
    curves = {**JOB_METRICS.curves, "checkpoints": Curve(0.0, growth=growth, whole=True)}
    return Catalogue(curves, JOB_METRICS.families)


CLUSTER_METRICS = Catalogue(
    curves=MappingProxyType(
        {
            "system.cpu.user": Curve(25.0, swing=0.6),  # per cent
            "system.mem.memtotal": Curve(16_384.0, swing=0.0),  # MB
            "yarn.resourcemanager.jvmmetrics.MemHeapUsed": Curve(4000.0, swing=0.2),  # MB
        }
    ),
    families=MappingProxyType(
        {
            "system.cpu.": Curve(10.0, swing=0.6),
            "system.": Curve(4096.0),
            "yarn.": Curve(1000.0),
        }
    ),
)
