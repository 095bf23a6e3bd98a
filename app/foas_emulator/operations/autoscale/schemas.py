"""The wire models of AutoScale."""

from foas_emulator.gateway.formats import Answer, Wire


class GetJobLatestAutoScalePlanAnswer(Answer):
    """The answer of GetJobLatestAutoScalePlan; without a plan if AutoScale made none."""

    plan_json: str | None = None


class PlanList(Wire):
    """The wrapper of the names of plans."""

    plan: list[str]


class GetInstanceHistoryAutoScalePlanListAnswer(Answer):
    """The answer of GetInstanceHistoryAutoScalePlanList; without a list if AutoScale made no plan."""

    plan_list: PlanList | None = None


class GetInstanceHistoryAutoScalePlanContentAnswer(Answer):
    """The answer of GetInstanceHistoryAutoScalePlanContent."""

    plan_content: str
