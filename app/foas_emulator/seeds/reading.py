"""Reading seed documents from YAML or JSON, with the line of every fault."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from foas_emulator.seeds.document import SeedDocument
from foas_emulator.seeds.repetitions import Place, repetitions

BUILT_IN = ("default", "empty")
"""Seeds that are named instead of given as a file."""

_NOT_IN_YAML = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)|[^\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What JSON may hold and YAML may not, and every escape; a blank in its place leaves each line where it is."""

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a seed document: where it stands, and what is wrong."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}: {self.message}"


class SeedError(Exception):
    """A seed document that cannot be used, with every fault in it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class _Loader(yaml.CSafeLoader):
    """YAML as its readers expect it: dates stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the shape that PyYAML asks for
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def seed_files(source: str) -> list[str]:
    """The seeds that a source means: the documents of a directory, in the order of their names, else itself alone.

    Raises `SeedError` for a directory without any.
    """
    directory = Path(source)
    if source in BUILT_IN or not directory.is_dir():
        return [source]
    found = sorted(str(file) for file in directory.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if not found:
        message = f"the directory has no document whose name ends in {', '.join(_SUFFIXES)}"
        raise SeedError([Fault(file=source, line=1, path="document", message=message)])
    return found


def read_seed(source: str) -> SeedDocument:
    """The document of a built-in name or of a file. Raises `SeedError` with every fault."""
    if source in BUILT_IN:
        return parse_seed(files("foas_emulator.fixtures").joinpath(f"{source}.yaml").read_text("utf-8"), source)
    try:
        text = Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"it cannot be read ({error}); give a file, or one of {', '.join(BUILT_IN)}"
        raise SeedError([Fault(file=source, line=1, path="document", message=reason)]) from None
    return parse_seed(text, source)


def parse_seed(text: str, file: str) -> SeedDocument:
    """The document in a YAML or JSON text; `file` names it in faults. Raises `SeedError`."""
    try:
        document, node = _load(text)
    except yaml.YAMLError as error:
        raise SeedError([_syntax_fault(error, file)]) from None
    lines: dict[Place, int] = {}
    faults = [] if node is None else list(_walk(node, (), lines, file))
    try:
        seed = check_seed(document)
    except ValidationError as error:
        faults += [_fault(details, lines, file) for details in error.errors(include_url=False)]
    else:
        faults += (
            Fault(file=file, line=lines.get(place, 1), path=_path(place), message=message)
            for place, message in repetitions(seed)
        )
    if faults:
        raise SeedError(sorted(faults, key=lambda fault: fault.line))
    return seed


def _load(text: str) -> tuple[Any, yaml.Node | None]:
    """The value of a text, and the nodes that know its lines. Not all JSON is YAML: tabs and escaped pairs are not."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        loader = _Loader(text)
        node = loader.get_single_node()
        return {} if node is None else loader.construct_document(node), node
    return document, _Loader(_NOT_IN_YAML.sub(" ", text)).get_single_node()


def load_document(text: str) -> Any:
    """The value of a YAML or JSON text, not checked; dates stay texts. Raises `yaml.YAMLError`."""
    return _load(text)[0]


def check_seed(document: Any) -> SeedDocument:
    """A document that was read already. Raises pydantic's ValidationError."""
    return SeedDocument.model_validate({} if document is None else document)


def _syntax_fault(error: yaml.YAMLError, file: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    line = 1 if mark is None else mark.line + 1
    return Fault(file=file, line=line, path="document", message=f"not YAML: {getattr(error, 'problem', None) or error}")


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], file: str) -> list[Fault]:
    """Note the line of every place in a document; answers the keys that stand twice."""
    lines[place] = node.start_mark.line + 1
    faults: list[Fault] = []
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            faults += _walk(item, (*place, position), lines, file)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            inner = (*place, str(key.value))
            faults += _walk(value, inner, lines, file)
            lines[inner] = key.start_mark.line + 1
            if key.value in seen:
                faults.append(Fault(file=file, line=lines[inner], path=_path(inner), message="stands twice"))
            seen.add(key.value)
    return faults


def _fault(details: Mapping[str, Any], lines: Mapping[Place, int], file: str) -> Fault:
    place: Place = tuple(details["loc"])
    known = place
    while known not in lines and known:
        known = known[:-1]
    message = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        message = "there is no such member; check its spelling"
    return Fault(file=file, line=lines.get(known, 1), path=_path(place), message=message)


def _path(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "document"
