"""The wire models of tags. Their list is not wrapped, unlike all others."""

from pydantic import Field

from foas_emulator.gateway.formats import ApiModel, ApiResponse


class TagResponse(ApiResponse):
    """What TagResources and UntagResources answer: an envelope that says it was done. Its texts are inferred."""

    success: bool = True
    http_status_code: int = 200
    code: str = Field(default="200", examples=["200"])
    message: str = "success"
    data: bool = True


class TaggedResource(ApiModel):
    """One tag of one resource."""

    resource_type: str
    tag_key: str
    tag_value: str
    resource_id: str


class TagList(ApiModel):
    """A page of tags; without a token it is the last."""

    next_token: str | None = None
    tag_resources: list[TaggedResource]


class ListTagResourcesResponse(ApiResponse):
    """The answer of ListTagResources."""

    success: bool = True
    http_status_code: int = 200
    code: str = Field(default="200", examples=["200"])
    message: str = "success"
    data: TagList
