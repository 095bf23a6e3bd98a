"""Parameters of an order of machines, and of the cluster that is made from it."""

from typing import Annotated, Literal

from foas_emulator.gateway.parameters import Int32, one_of
from foas_emulator.operations.clusters.service import FEWEST_SLAVES, MOST_SLAVES
from foas_emulator.operations.parameters import form

_PayModel = Annotated[Literal["pre", "post"], one_of("pre", "post")]

PayModel = Annotated[
    _PayModel | None, form("payModel", "pre: paid in advance by the month; post: paid as it is used.", required=True)
]
Region = Annotated[str | None, form("region", "Region of the cluster.", "cn-hangzhou", required=True)]
MasterSpec = Annotated[str | None, form("masterSpec", "Model of the masters.", "Ecs_4c16g", required=True)]
MasterNum = Annotated[
    Int32 | None, form("masterNum", "Number of masters: 1 or 3, for good.", 3, required=True, enum=[1, 3])
]
SlaveSpec = Annotated[str | None, form("slaveSpec", "Model of the slaves.", "Ecs_8c32g", required=True)]
SlaveNum = Annotated[
    Int32 | None,
    form("slaveNum", "Number of slaves, at least 2.", 3, required=True, minimum=FEWEST_SLAVES, maximum=MOST_SLAVES),
]
Period = Annotated[
    Int32 | None, form("period", "Months paid for, 1 to 12; required if payModel is pre.", 8, minimum=1, maximum=12)
]
OrderId = Annotated[str | None, form("orderId", "Id of the order.", "blinkonecs_1234", "285769237053", required=True)]
ZoneId = Annotated[str | None, form("zoneId", "Zone of the order's region.", "cn-shanghai-f", required=True)]
DisplayName = Annotated[str | None, form("displayName", "Name to show.", "cluster_name", required=True)]
Description = Annotated[str | None, form("description", "A remark.", "cluster1")]
UserOssBucket = Annotated[str | None, form("userOssBucket", "The user's OSS bucket.", "12345", required=True)]
UserVpcId = Annotated[str | None, form("userVpcId", "VPC that the data is in.", "vpc-abcde", required=True)]
UserVSwitch = Annotated[str | None, form("userVSwitch", "vSwitch in that VPC.", "vsw-abcde", required=True)]
