"""Read seed documents from YAML or JSON, with the line of every fault."""

from collections.abc import Collection, Iterable
from importlib.resources import files
from math import inf
from pathlib import Path

from foas_emulator.gateway.encodings import utf8_text
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.seeds.errors import Fault, Origin, SeedError, faults_of, unusable
from foas_emulator.seeds.limits import DocumentError, Place
from foas_emulator.seeds.loading import Document, load
from foas_emulator.seeds.names import BUILT_IN, MADE
from foas_emulator.seeds.validation import validate
from foas_emulator.showing import nearest

_SUFFIXES = (".yaml", ".yml", ".json")


def read_seeds(sources: Iterable[str]) -> list[SeedDocument]:
    """Return the documents of built-in names, files or directories, in the order in which to apply them.

    Each may name clusters of an earlier one. Raise `SeedError` with all faults.
    """
    documents: list[SeedDocument] = []
    faults: list[Fault] = []
    clusters: set[str] = set()
    for source in (file for each in sources for file in seed_files(each)):
        try:
            documents.append(read_seed(source, clusters=clusters))
        except SeedError as error:
            faults += error.faults
        else:
            clusters |= {cluster.cluster_id for cluster in documents[-1].clusters}
    if faults:
        raise SeedError(faults)
    return documents


def seed_files(source: str) -> list[str]:
    """Return the seeds of a source: the documents of a directory in order of their names, else the source itself.

    Raise `SeedError` for a directory without any.
    """
    directory = Path(source)
    if source in BUILT_IN or not directory.is_dir():
        return [source]
    found = sorted(str(file) for file in directory.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not found:
        raise unusable(source, f"the directory has no document whose name ends in {', '.join(_SUFFIXES)}")
    return found


def read_seed(source: str, *, clusters: Collection[str] | None = None) -> SeedDocument:
    """Return the document of a built-in name or of a file. Raise `SeedError` with all faults."""
    if source in BUILT_IN:
        return parse_seed(built_in_text(source), source, clusters=clusters)
    return parse_seed(text_in(source), source, clusters=clusters)


def text_in(source: str) -> str:
    """Return the text of a file; a pipe has it only once. Raise `SeedError` for one that cannot be read."""
    try:
        return utf8_text(Path(source).read_bytes())
    except FileNotFoundError:
        seeds = f"no built-in seed is called so{nearest(source, BUILT_IN)}; those are {', '.join(BUILT_IN)}"
        raise unusable(source, f"there is no such file, and {seeds}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unusable(source, f"it cannot be read: {reason}") from None


def built_in_text(name: str) -> str:
    """Return the document of a built-in seed as text."""
    if name == MADE:
        from foas_emulator.seeds import five_thousand  # noqa: PLC0415 - few ever name it

        return five_thousand.text()
    return files("foas_emulator.fixtures").joinpath(f"{name}.yaml").read_text("utf-8")


def parse_seed(text: str, file: str, *, clusters: Collection[str] | None = None) -> SeedDocument:
    """Return the document in a YAML or JSON text; `file` is its name in faults. Raise `SeedError`.

    `clusters` are the ids in the world that it is for; without them, `apply` checks cluster ids.
    """
    try:
        document = load(text)
    except DocumentError as error:
        raise SeedError(faults_of(error, file)) from None
    return check_seed(document, file, clusters=clusters)


def check_seed(
    document: Document, file: str, *, within: Place = (), clusters: Collection[str] | None = None
) -> SeedDocument:
    """Return the seed at the place `within` of a document that was already parsed. Raise `SeedError`."""
    value = document.value
    for part in within:
        value = value[part]
    origin = Origin(file, document, within)
    seed, problems = validate(value, clusters=clusters)
    if seed is None:
        faults = [origin.fault(place, message) for place, message in problems]
        raise SeedError(sorted(faults, key=lambda fault: fault.line or inf))
    seed._origin = origin  # noqa: SLF001 - pydantic's private attributes have no other way in
    return seed
