"""References of a seed document to missing clusters, queues, folders and packages."""

from collections.abc import Collection, Iterator

from foas_emulator.seeds.limits import Place, quoted
from foas_emulator.seeds.parts import Part, Problem, own_queue, parts, text
from foas_emulator.showing import Suggestions


def references(document: Part, clusters: Collection[str] | None) -> Iterator[Problem]:
    """Yield every place that refers to something missing.

    `clusters` are those that the world has already; None if they are not known yet: then cluster ids are not checked.
    """
    own = [name for _, cluster in parts((), document, "clusters") if (name := text(cluster, "ClusterId"))]
    known = None if clusters is None else {*clusters, *own}
    suggestions = Suggestions()
    for place, project in parts((), document, "projects"):
        yield from _of_project(place, project, known, suggestions)


def _of_project(
    place: Place, project: Part, clusters: Collection[str] | None, suggestions: Suggestions
) -> Iterator[Problem]:
    queues = dict(_queues(place, project))
    held = set(queues.values())
    folders = {folder["FolderId"] for _, folder in parts(place, project, "folders") if _is_id(folder.get("FolderId"))}
    packages = {name for _, package in parts(place, project, "packages") if (name := text(package, "PackageName"))}
    yield from _cluster(place, project, clusters, suggestions)
    for queue_place, queue in parts(place, project, "queues"):
        yield from _cluster(queue_place, queue, clusters, suggestions)
    for job_place, job in parts(place, project, "jobs"):
        lost = list(_cluster(job_place, job, clusters, suggestions))
        yield from lost or _queue(job_place, job, queues, held, suggestions)
        folder = job.get("FolderId")
        if _is_id(folder) and folder not in folders:
            yield (*job_place, "FolderId"), f"the project's folders have no FolderId {folder}"
        for name in filter(None, (name.strip() for name in (text(job, "Packages") or "").split(","))):
            if name not in packages:
                near = suggestions.nearest(name, packages)
                yield (*job_place, "Packages"), f"the project has no package {quoted(name)}{near}"


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _queues(place: Place, project: Part) -> Iterator[tuple[str, str | None]]:
    """Yield the queues of a project with the cluster of each, None for the cluster that the world picks."""
    cluster = text(project, "ClusterId")
    found = [
        (name, text(queue, "ClusterId") or cluster)
        for _, queue in parts(place, project, "queues")
        if (name := text(queue, "QueueName"))
    ]
    yield from found or [(own_queue(project.get("Name")), cluster)]


def _cluster(place: Place, part: Part, clusters: Collection[str] | None, suggestions: Suggestions) -> Iterator[Problem]:
    name = text(part, "ClusterId")
    if name is not None and clusters is not None and name not in clusters:
        near = suggestions.nearest(name, clusters)
        yield (*place, "ClusterId"), f"there is no cluster {quoted(name)}{near}; give it under clusters"


def _queue(
    place: Place, job: Part, queues: dict[str, str | None], clusters: set[str | None], suggestions: Suggestions
) -> Iterator[Problem]:
    """Yield a queue of a job that the project does not have, or does not have on the job's cluster.

    `clusters` are those of all the queues.
    """
    name, cluster = text(job, "QueueName"), text(job, "ClusterId")
    if name is not None and name not in queues:
        yield (*place, "QueueName"), f"the project has no queue {quoted(name)}{suggestions.nearest(name, queues)}"
    elif cluster is not None:
        held = clusters if name is None else {queues[name]}
        if None not in held and cluster not in held:
            which = "no queue of the project" if name is None else f"not queue {quoted(name)}"
            yield (*place, "ClusterId"), f"cluster {quoted(cluster)} has {which}"
