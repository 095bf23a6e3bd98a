"""The official SDKs of Python and Java as the tour uses them: an operation and its parameters in, an answer out."""

import json
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

import xmltodict
from aliyunsdkcore.client import AcsClient
from pydantic import BaseModel

from foas_emulator.gateway.parameters import declared_parameters
from tests.api import BY_NAME, plain, read_xml
from tests.clients.sdk import Sdk
from tests.clients.tour import Call, Format


class PythonSdk:
    """aliyun-python-sdk-foas: a request class for each operation, answers as the bytes of the body."""

    def __init__(self, endpoint: str, wire_format: Format) -> None:
        self._client = AcsClient("test", "test", "cn-hangzhou")
        self._client.add_endpoint("cn-hangzhou", "foas", f"http://{endpoint}")
        self._wire_format = wire_format

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        module = import_module(f"aliyunsdkfoas.request.v20181111.{operation}Request")
        request = getattr(module, f"{operation}Request")()
        for name, value in parameters.items():
            # TagResources has no setters, and leaves it to its user to fill the body.
            setter = getattr(request, f"set_{name}", None)
            setter(value) if setter else request.add_body_params(name, value)
        if self._wire_format == "JSON":
            return dict(json.loads(self._client.do_action_with_exception(request)))
        # do_action_with_exception would ask for JSON whatever the request says.
        request.set_accept_format("XML")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            content = self._client.do_action(request)
        assert list(xmltodict.parse(content)) == [f"{operation}Response"], content
        return read_xml(content, answer_model(operation))


class JavaSdk:
    """aliyun-java-sdk-core, with what aliyun-java-sdk-foas would make of an operation and of its flattened answer."""

    def __init__(self, driver: Sdk, endpoint: str, wire_format: Format) -> None:
        self._driver = driver
        self._endpoint = endpoint
        self._wire_format = wire_format

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        declared = BY_NAME[operation]
        places = {each.name: each.place for each in declared_parameters(declared.endpoint)}
        given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "form": {}}
        for parameter, value in parameters.items():
            # Setters of lists are in the plural, and what they send is not.
            name = parameter if parameter in places else parameter.removesuffix("s")
            for key, text in _texts(name, value):
                given[places[name]][key] = text
        call = Call(
            operation=operation,
            method=declared.method,
            pattern=declared.path.replace("{", "[").replace("}", "]"),
            format=self._wire_format,
            path=given["path"],
            query=given["query"],
            form=given["form"],
        )
        outcome = self._driver.make(call, endpoint=self._endpoint, access_key_id="test")
        assert outcome["ok"], f"{operation}: {outcome}"
        return unflattened(outcome["result"], "FoasResponse", answer_model(operation))


def answer_model(operation: str) -> type[BaseModel]:
    model: type[BaseModel] = get_type_hints(BY_NAME[operation].endpoint)["return"]
    return model


def _texts(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [(f"{name}.{number}.{key}", text) for number, item in enumerate(value, 1) for key, text in item.items()]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]


def unflattened(members: Mapping[str, str], prefix: str, model: type[BaseModel]) -> dict[str, Any]:
    """The structure of an answer from names as `ListJobResponse.Jobs[0].JobName`, which the SDK's reader makes."""
    read: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        value = _value(members, f"{prefix}.{alias}", plain(field.annotation))
        if value is not None:
            read[alias] = value
    return read


def _value(members: Mapping[str, str], name: str, annotation: Any) -> Any:
    if get_origin(annotation) is list:
        return _items(members, name, plain(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _structure(members, name, annotation)
    if get_origin(annotation) is dict:
        return {key[len(name) + 1 :]: value for key, value in members.items() if key.startswith(f"{name}.")}
    if name not in members:
        return None
    return members[name] == "true" if annotation is bool else annotation(members[name])


def _items(members: Mapping[str, str], name: str, item: Any) -> list[Any]:
    """A list; of a bare one (ListTagResources) the JSON reader makes its structure's, the XML reader a single item."""
    for place in (name, name.rpartition(".")[0]):
        if f"{place}.Length" in members:
            length = int(members[f"{place}.Length"])
            return [_value(members, f"{place}[{number}]", item) for number in range(length)]
    is_single = name.endswith(".TagResources") and any(key.startswith(f"{name}.") for key in members)
    return [_value(members, name, item)] if is_single else []


def _structure(members: Mapping[str, str], name: str, model: type[BaseModel]) -> dict[str, Any] | None:
    fields = [(field.alias, plain(field.annotation)) for field in model.model_fields.values()]
    if len(fields) == 1 and get_origin(fields[0][1]) is list:
        return {str(fields[0][0]): _value(members, name, fields[0][1])}
    is_there = any(key == name or key.startswith(f"{name}.") for key in members)
    return unflattened(members, name, model) if is_there else None
