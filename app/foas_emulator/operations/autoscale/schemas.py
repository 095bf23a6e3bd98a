"""The wire models of AutoScale."""

from foas_emulator.gateway.formats import ApiModel, ApiResponse


class GetJobLatestAutoScalePlanResponse(ApiResponse):
    """The answer of GetJobLatestAutoScalePlan; it has no plan if AutoScale made none."""

    plan_json: str | None = None


class PlanList(ApiModel):
    """The wrapper of the names of plans."""

    plan: list[str]


class GetInstanceHistoryAutoScalePlanListResponse(ApiResponse):
    """The answer of GetInstanceHistoryAutoScalePlanList; it has no list if AutoScale made no plan."""

    plan_list: PlanList | None = None


class GetInstanceHistoryAutoScalePlanContentResponse(ApiResponse):
    """The answer of GetInstanceHistoryAutoScalePlanContent."""

    plan_content: str
