"""The shape of a seed document. Members are spelled as the API spells them; the emulator's own are in snake_case.

The published JSON Schema (`fixtures/seed.schema.json`) is made from these models.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

from foas_emulator.blink.kinds import SQL, STREAM, ApiType, JobType
from foas_emulator.blink.versions import INSTALLED
from foas_emulator.faults.document import FaultDocument, check_scope
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.clusters.lifecycle import State as ClusterState
from foas_emulator.operations.instances.lifecycle import State
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.settings import read_setting

# The largest number of 64 bits is left out: the id after it could not be given.
Id = Annotated[int, Field(ge=1, lt=2**63 - 1)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Name = Annotated[str, Field(min_length=1, max_length=256)]


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds half of a surrogate pair, which no answer can carry") from None
    return text


Text = Annotated[str, AfterValidator(_encodable)]

_ENGINE_VERSIONS = r"^[a-z]+--[\w.-]+(,[a-z]+--[\w.-]+)*$"


class Seed(BaseModel):
    """Base of all parts of a seed document: the API's spelling, nothing unknown, no guessing of types."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", strict=True, defer_build=True)

    def given(self) -> dict[str, Any]:
        """The members that the document or this model gives, by their names in Python, without nested resources."""
        return {
            name: value
            for name, value in self
            if (value is not None or name in self.model_fields_set) and not isinstance(value, list | Seed)
        }


class SeedTimelineEntry(Seed):
    """A state that an instance is put into, a time after the seed was applied."""

    after: WrittenDuration = Field(alias="after")
    actual_state: State
    last_error_message: Text | None = None


class SeedInstance(Seed):
    """A run of a job. Members that are left out follow the job, or are what the service would show."""

    id: Id | None = None
    project_name: Name | None = None
    job_name: Name | None = None
    actual_state: State = "RUNNING"
    expect_state: State | None = None
    job_type: JobType | None = None
    api_type: ApiType | None = None
    code: Text | None = None
    properties: Text | None = None
    packages: Text | None = None
    plan_json: Text | None = None
    engine_version: Text | None = None
    engine_job_handler: Text | None = None
    cluster_id: Text | None = None
    queue_name: Text | None = None
    starter: Text | None = None
    start_time: Long | None = None
    end_time: Long | None = None
    last_operator: Text | None = None
    last_operate_time: Long | None = None
    last_error_time: Long | None = None
    last_error_message: Text | None = None
    input_delay: Long | None = None
    auto_scale_params: Text | None = None
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    is_archived: bool | None = Field(default=None, alias="is_archived")
    timeline: list[SeedTimelineEntry] = Field(default=[], alias="timeline")


class SeedJob(Seed):
    """A job. One that has instances is committed; any other is committed unless `IsCommitted` says otherwise."""

    job_name: Name
    project_name: Name | None = None
    job_id: Text | None = None
    file_id: Text | None = None
    job_type: JobType = STREAM
    api_type: ApiType = SQL
    code: Text | None = None
    plan_json: Text | None = None
    properties: Text | None = None
    packages: Text | None = None
    is_committed: bool = True
    creator: Text | None = None
    create_time: Long | None = None
    modifier: Text | None = None
    modify_time: Long | None = None
    description: Text | None = None
    engine_version: Text | None = None
    cluster_id: Text | None = None
    queue_name: Text | None = None
    folder_id: Id | None = None
    auto_scale_params: Text | None = Field(default=None, alias="auto_scale_params")
    instances: list[SeedInstance] = Field(default=[], alias="instances")


class SeedPackage(Seed):
    """A package of a project."""

    package_name: Name
    project_name: Name | None = None
    creator: Text | None = None
    modifier: Text | None = None
    create_time: Long | None = None
    modify_time: Long | None = None
    origin_name: Text | None = None
    type: Literal["JAR", "DICTIONARY", "SCRIPT", "PYTHON"] = "JAR"
    md5: Text | None = None
    description: Text | None = None
    oss_endpoint: Text | None = None
    oss_bucket: Text | None = None
    oss_owner: Text | None = None
    oss_path: Text | None = None
    tag: Text | None = None
    scan_link: Text | None = None
    scan_state: Text | None = None
    scan_error_message: Text | None = None
    scan_ext_biz_no: Text | None = None


class SeedFolder(Seed):
    """A folder of a project; folders above it need not be given."""

    path: Annotated[str, Field(pattern=r"^/", max_length=1024), AfterValidator(_encodable)]
    folder_id: Id | None = None


class SeedQueue(Seed):
    """A queue that is bound to the project it stands in. Figures the service computes are accepted and ignored."""

    queue_name: Name
    cluster_id: Text | None = None
    max_v_core: Long = Field(default=300, alias="MaxVCore")
    max_mem: Long = Field(default=12288, alias="MaxMem")
    max_gpu: Long = Field(default=0, alias="MaxGpu")
    min_v_core: Long | None = Field(default=None, alias="MinVCore")
    min_mem: Long | None = None
    min_gpu: Long | None = None
    used_v_core: Long | None = Field(default=None, alias="UsedVCore")
    used_mem: Long | None = None
    used_gpu: Long | None = None
    external_info: Text | None = None


class SeedProject(Seed):
    """A project with all that lives in it."""

    name: Name
    id: Text | None = None
    state: Text = "ENABLE"
    creator: Text | None = None
    create_time: Long | None = None
    modifier: Text | None = None
    modify_time: Long | None = None
    description: Text | None = None
    deploy_type: Annotated[Literal["cell", "public", "CELL", "PUBLIC"], AfterValidator(str.lower)] = "cell"
    cluster_id: Text | None = None
    order_id: Text | None = None
    manager_ids: Text | None = None
    region: Text | None = None
    global_job_config: Text | None = None
    is_open_batch_sql: bool = Field(default=False, alias="IsOpenBatchSQL")
    queues: list[SeedQueue] = Field(default=[], alias="queues")
    folders: list[SeedFolder] = Field(default=[], alias="folders")
    packages: list[SeedPackage] = Field(default=[], alias="packages")
    jobs: list[SeedJob] = Field(default=[], alias="jobs")


class SeedCluster(Seed):
    """A cluster. `master_*` and `slave_*` say which machines it has.

    `engine_versions` are those of Blink that it has, each behind its tag, with commas between.
    """

    cluster_id: Name
    display_name: Text | None = None
    description: Text | None = None
    state: ClusterState = "RUNNING"
    region_id: Text = "cn-hangzhou"
    zone_id: Text | None = None
    owner_id: Text | None = None
    operator: Text | None = None
    gmt_create: Long | None = None
    gmt_modified: Long | None = None
    storage_type: Text = "HDFS"
    user_oss_info: Text | None = None
    user_vpc_id: Text | None = None
    user_sg_id: Text | None = Field(default=None, alias="UserSGId")
    user_v_switch_list: Text | None = Field(default=None, alias="UserVSwitchList")
    is_mix_deploy: bool = False
    instance_infos: Text | None = None
    pay_model: Literal["pre", "post"] = Field(default="post", alias="pay_model")
    master_spec: Text = Field(default="Ecs_4c16g", alias="master_spec")
    master_num: Literal[1, 3] = Field(default=1, alias="master_num")
    slave_spec: Text = Field(default="Ecs_4c16g", alias="slave_spec")
    slave_num: Annotated[int, Field(ge=2, le=1000)] = Field(default=2, alias="slave_num")
    engine_versions: Annotated[str, Field(pattern=_ENGINE_VERSIONS)] = Field(default=INSTALLED, alias="engine_versions")


class SeedFault(FaultDocument):
    """A fault rule that the world begins with. One of the same id is replaced, one without an id is added."""

    id: Id | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.ttl is not None:
            raise ValueError("a rule of a seed has no ttl: it is armed for as long as its world has it")
        check_scope(self, OPERATIONS)
        return self


def _check_settings(settings: Any) -> Any:
    if not isinstance(settings, Mapping):
        raise ValueError("settings are a mapping from a name to a value")
    for name, value in settings.items():
        read_setting(name, value)
    return settings


class SeedDocument(Seed):
    """What a world holds at its beginning."""

    clusters: list[SeedCluster] = Field(default=[], alias="clusters")
    projects: list[SeedProject] = Field(default=[], alias="projects")
    faults: list[SeedFault] = Field(default=[], alias="faults")
    settings: Annotated[dict[str, Any], BeforeValidator(_check_settings)] = Field(default={}, alias="settings")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of seed documents, for editors and for whoever writes seeds by program."""
    schema = SeedDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "foas-emulator seed"}
