"""Parameters of an order of machines, and of the cluster that is made of it."""

from typing import Annotated, Literal

from fastapi import Form

from foas_emulator.gateway.parameters import REFUSED_WITHOUT, Int32, one_of
from foas_emulator.operations.clusters.service import FEWEST_SLAVES, MOST_SLAVES

_PayModel = Annotated[Literal["pre", "post"], one_of("pre", "post")]

PayModel = Annotated[
    _PayModel | None,
    Form(
        alias="payModel",
        description="pre: paid in advance by the month; post: paid as it is used.",
        json_schema_extra=REFUSED_WITHOUT,
    ),
]
Region = Annotated[
    str | None,
    Form(
        alias="region",
        description="Region of the cluster.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["cn-hangzhou"],
    ),
]
MasterSpec = Annotated[
    str | None,
    Form(
        alias="masterSpec",
        description="Model of the masters.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["Ecs_4c16g"],
    ),
]
MasterNum = Annotated[
    Int32 | None,
    Form(
        alias="masterNum",
        description="How many masters: 1 or 3, for good.",
        json_schema_extra=REFUSED_WITHOUT | {"enum": [1, 3]},
        examples=[3],
    ),
]
SlaveSpec = Annotated[
    str | None,
    Form(
        alias="slaveSpec",
        description="Model of the slaves.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["Ecs_8c32g"],
    ),
]
SlaveNum = Annotated[
    Int32 | None,
    Form(
        alias="slaveNum",
        description="How many slaves, 2 at least.",
        json_schema_extra=REFUSED_WITHOUT | {"minimum": FEWEST_SLAVES, "maximum": MOST_SLAVES},
        examples=[3],
    ),
]
Period = Annotated[
    Int32 | None,
    Form(
        alias="period",
        description="Months paid for, 1 to 12; required if payModel is pre.",
        json_schema_extra={"minimum": 1, "maximum": 12},
        examples=[8],
    ),
]
OrderId = Annotated[
    str | None,
    Form(
        alias="orderId",
        description="What was ordered.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["blinkonecs_1234", "285769237053"],
    ),
]
ZoneId = Annotated[
    str | None,
    Form(
        alias="zoneId",
        description="Zone of the order's region.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["cn-shanghai-f"],
    ),
]
DisplayName = Annotated[
    str | None,
    Form(
        alias="displayName",
        description="Name to show.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["cluster_name"],
    ),
]
Description = Annotated[str | None, Form(alias="description", description="A remark.", examples=["cluster1"])]
UserOssBucket = Annotated[
    str | None,
    Form(
        alias="userOssBucket",
        description="The user's OSS bucket.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["12345"],
    ),
]
UserVpcId = Annotated[
    str | None,
    Form(
        alias="userVpcId",
        description="VPC that the data is in.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["vpc-abcde"],
    ),
]
UserVSwitch = Annotated[
    str | None,
    Form(
        alias="userVSwitch",
        description="vSwitch in that VPC.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["vsw-abcde"],
    ),
]
