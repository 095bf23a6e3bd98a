"""Parameters of an order of machines."""

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
