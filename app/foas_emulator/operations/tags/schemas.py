"""The wire models of tags. Unlike all others, their list has no wrapper."""

from pydantic import Field

from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32


class TagEnvelope(ApiResponse):
    """The members of every answer about tags. Their texts are inferred."""

    success: bool = True
    http_status_code: Int32 = 200
    code: str = Field(default="200", examples=["200"])
    message: str = "success"


class TagResponse(TagEnvelope):
    """The answer of TagResources and UntagResources."""

    data: bool = True


class TaggedResource(ApiModel):
    """One tag of one resource."""

    resource_type: str
    tag_key: str
    tag_value: str
    resource_id: str


class TagList(ApiModel):
    """A page of tags; the last page has no token."""

    next_token: str | None = None
    tag_resources: list[TaggedResource]


class ListTagResourcesResponse(TagEnvelope):
    """The answer of ListTagResources."""

    data: TagList
