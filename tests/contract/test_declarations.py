"""Every operation is declared as the contract has it, says what it does, and says how that is known."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter

import foas_emulator.operations
from foas_emulator.gateway.errors import Problem, catalogue
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import Parameter, declared_parameters
from foas_emulator.operations.catalogue import OPERATIONS
from tests.contract.contract import CONTRACT

KINDS = {"documented", "sample", "sdk", "inferred"}

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_no_operation_is_missing_and_none_is_extra() -> None:
    assert sorted(operation.name for operation in OPERATIONS) == sorted(CONTRACT)


@each_operation
def test_method_and_path_are_those_of_the_contract(operation: Operation) -> None:
    assert f"{operation.method} {operation.path}" == CONTRACT[operation.name]["call"]


@each_operation
def test_parameters_have_the_places_and_types_of_the_contract(operation: Operation) -> None:
    hints = get_type_hints(operation.endpoint, include_extras=True)
    declared: dict[str, dict[str, str]] = {}
    for parameter in declared_parameters(operation.endpoint):
        declared.setdefault(parameter.place, {})[parameter.name] = _written(parameter, hints[parameter.argument])
    places = ("path", "query", "form")
    assert declared == {place: CONTRACT[operation.name][place] for place in places if place in CONTRACT[operation.name]}


@each_operation
def test_the_answer_has_the_members_of_the_contract_in_their_order(operation: Operation) -> None:
    declared = _tree(get_type_hints(operation.endpoint)["return"])
    assert _ordered(declared) == _ordered(CONTRACT[operation.name]["answer"])


@each_operation
def test_an_operation_says_in_a_sentence_what_it_does(operation: Operation) -> None:
    (summary, *_) = (inspect.getdoc(operation.endpoint) or "").split("\n\n")
    assert len(summary.split()) > 2
    assert summary.endswith(".")


@each_operation
def test_an_operation_says_how_it_is_known(operation: Operation) -> None:
    assert operation.evidence.kind in KINDS
    assert operation.evidence.source


@pytest.mark.parametrize("problem", [catalogue()[code] for code in sorted(catalogue())], ids=sorted(catalogue()))
def test_a_problem_says_how_it_is_known(problem: Problem) -> None:
    assert problem.evidence.kind in KINDS
    assert 400 <= problem.status < 600
    assert problem.message


def _problems_of_the_service() -> Iterator[Problem]:
    package = foas_emulator.operations
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Problem):
                yield value


def test_a_documented_problem_of_the_service_names_what_is_documented() -> None:
    """No code of the service is documented; where its rule is, the evidence tells rule and code apart."""
    problems = {problem.code: problem.evidence for problem in _problems_of_the_service()}
    assert len(problems) > 20
    assert [code for code, evidence in problems.items() if evidence.kind != "inferred" and not evidence.source] == []


def _written(parameter: Parameter, annotation: Any) -> str:
    """A parameter's type as the contract writes it."""
    schema = TypeAdapter(annotation).json_schema()
    chosen = schema["anyOf"][0] if "anyOf" in schema else schema
    needed = "!" if parameter.required and parameter.place != "path" else ""
    return f"{chosen.get('format', chosen['type'])}{needed}"


def _tree(annotation: Any) -> Any:
    """What an answer model is made of, as the contract writes it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _tree(arguments[0])
    if origin in (Union, UnionType):
        (present,) = (part for part in arguments if part is not type(None))
        return _tree(present)
    if origin is list:
        return [_tree(arguments[0])]
    if origin is dict:
        return "map"
    if issubclass(annotation, BaseModel):
        return {field.alias: _tree(field.annotation) for field in annotation.model_fields.values()}
    return {str: "string", int: "integer", float: "number", bool: "boolean"}[annotation]


def _ordered(tree: Any) -> Any:
    """A tree that compares with regard to order."""
    if isinstance(tree, dict):
        return [(name, _ordered(member)) for name, member in tree.items()]
    return [_ordered(item) for item in tree] if isinstance(tree, list) else tree
