"""The shape of a seed document. Members are spelled as the API spells them; the emulator's own are in snake_case.

The published JSON Schema (`fixtures/seed.schema.json`) is made from these models, by `seeds/schema.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic.alias_generators import to_pascal
from pydantic_core import PydanticCustomError

from foas_emulator.blink.kinds import ApiType, JobType
from foas_emulator.faults.document import FaultDocument, check_scope
from foas_emulator.json_bounds import is_whole
from foas_emulator.nulls import NullsLeftOut
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.clusters.lifecycle import State as ClusterState
from foas_emulator.operations.folders.service import LONGEST_PATH
from foas_emulator.operations.instances.lifecycle import State
from foas_emulator.operations.jobs.service import LONGEST_PACKAGES
from foas_emulator.operations.packages.schemas import PackageType
from foas_emulator.operations.texts import too_heavy
from foas_emulator.patterns import CallPattern
from foas_emulator.seeds.errors import Origin
from foas_emulator.seeds.limits import LONGEST_NAME, SURROGATE
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.ids import LAST_NUMBER
from foas_emulator.world.instants import LAST_INSTANT

Id = Annotated[int, Field(ge=1, le=LAST_NUMBER)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Amount = Annotated[int, Field(ge=0, lt=2**31)]
Time = Annotated[int, Field(ge=0, le=LAST_INSTANT)]

_OWN_MEMBERS = "x-"
"""The prefix of members that the emulator ignores: notes, and anchors for aliases."""


def is_note(name: Any) -> bool:
    """Whether a member is a note, which the emulator ignores."""
    return isinstance(name, str) and name.startswith(_OWN_MEMBERS)


def _encodable(text: str) -> str:
    if not is_whole(text):
        raise ValueError(SURROGATE)
    return text


def _whole(value: Any) -> Any:
    """Refuse what only equals a number that is listed: pydantic takes true for the 1 of a Literal, and 1.0 too."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Text = Annotated[str, AfterValidator(_encodable)]
Packages = Annotated[str, Field(max_length=LONGEST_PACKAGES), AfterValidator(_encodable)]
Spec = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_encodable)]
"""A model of machines; an answer shows it for every machine of a cluster."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_encodable)]

ENGINE_VERSIONS = r"^[a-z]+--[A-Za-z0-9_.-]+(,[a-z]+--[A-Za-z0-9_.-]+)*$"
LONGEST_VERSIONS = 64 * 1024
"""The most characters of the engine versions of a cluster: an answer lists each, and CreateJob reads all."""
FOLDER_PATH = r"^/(?:[^/]+/)*(?:[^/]+)?$"
MOST_IN_TIMELINE = 10_000
"""The most states into which an instance is put later: a call that changes it cancels all of them."""
MOST_PLANNED = 20_000
"""The same for all instances of a project: a call that deletes it cancels all of them, in four microseconds each."""


def member(description: str, *examples: Any, default: Any = None, **options: Any) -> Any:
    """Declare an optional member, with its description and examples for the schema."""
    return Field(default=default, description=description, examples=list(examples) or None, **options)


def required(description: str, *examples: Any, **options: Any) -> Any:
    """Declare a required member, with its description and examples for the schema."""
    return Field(description=description, examples=list(examples), **options)


class Seed(NullsLeftOut):
    """Base of all parts of a seed document: the API's spelling, nothing unknown, no guessing of types.

    Null means the same as leaving a member out, and members that begin with `x-` are ignored.
    """

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", strict=True, defer_build=True)

    @model_validator(mode="after")
    def _check_weight(self) -> Self:
        fault = too_heavy(self)
        if fault is not None:
            raise ValueError(f"{fault[0].lower()}{fault[1:].removesuffix('.')}")
        return self

    def given(self) -> dict[str, Any]:
        """Return the members that are not None, by their names in Python, without nested parts."""
        return {name: value for name, value in self if value is not None and not isinstance(value, list | Seed)}


class SeedTimelineEntry(Seed):
    """A state that an instance is put into, a time after the seed was applied."""

    after: WrittenDuration = required("Time after the seed was applied, by the world's clock.", "5m", alias="after")
    actual_state: State = required("The state.", "FAILED")
    last_error_message: Text | None = member("The service's message about the failure.", "the source went away")


class SeedInstance(Seed):
    """A run of a job. Members that are left out follow the job, or get the values that the service would show."""

    id: Id | None = member("The instance's id; the world's next one if it is left out.", 412536)
    project_name: Name | None = member("The project's name; the nesting implies it.", "project1")
    job_name: Name | None = member("The job's name; the nesting implies it.", "job1")
    actual_state: State = member("The state it is in.", "RUNNING", default="RUNNING")
    expect_state: State | None = member(
        "The state requested last; by default the actual one, or RUNNING if that is WAITING or FAILED.", "RUNNING"
    )
    job_type: JobType | None = member("The job's type, which it must agree with.", "FLINK_STREAM")
    api_type: ApiType | None = member("The job's API, which it must agree with.", "DATASTREAM")
    code: Text | None = member("The code it runs; the job's if it is left out.", "SELECT 1")
    properties: Text | None = member("The parameters it runs with; the job's.", "blink.job.timeZone=Asia/Shanghai")
    packages: Packages | None = member("The packages it runs with, separated by commas; the job's.", "clicks-1.2.jar")
    plan_json: Text | None = member("The plan it runs, a JSON text; the job's.", "")
    engine_version: Text | None = member("The version of Blink it runs on; the job's.", "blink-3.4.4")
    engine_job_handler: Text | None = member(
        "The application and the job in the engine; made up if it is left out and the instance was started.",
        "application_1597654819348_0011|405a6d40d7f4f2618ed532359887d344",
    )
    cluster_id: Text | None = member("The cluster it runs, or ran, on; the job's.", "rcmp9x37ztfb63g1x7lt****")
    queue_name: Text | None = member("The queue it runs, or ran, in; the job's.", "root.project1")
    starter: Text | None = member("Account that started it; by default the emulator's.", "239960377092765296")
    start_time: Time | None = member(
        "Time of its start, in milliseconds; by default the world's time, or none if it is WAITING or only its EndTime "
        "is given.",
        1599794335000,
    )
    end_time: Time | None = member(
        "Time of its end; by default the world's time if its state is an end.", 1599794336000
    )
    last_operator: Text | None = member("Account that changed it last; the emulator's account.", "239960377092765296")
    last_operate_time: Time | None = member("Time of its last change; by default its StartTime.", 1599794334000)
    last_error_time: Time | None = member("Time of its last failure.", 1599794334000)
    last_error_message: Text | None = member("Message of its last failure.", "the source went away")
    input_delay: Long | None = member("Its delay in milliseconds; -99999999 while none is known.", -99999999)
    auto_scale_params: Text | None = member("AutoScale parameters, a JSON text; the job's.", '{"isOnOff":false}')
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = member("Its priority.", 10)
    is_archived: bool | None = member(
        "Whether it is archived; by default all of a stream job are, except the last.",
        False,
        alias="is_archived",
    )
    timeline: Annotated[list[SeedTimelineEntry], Field(max_length=MOST_IN_TIMELINE)] = member(
        "States it is put into later, by the world's clock.",
        [{"after": "5m", "ActualState": "FAILED"}],
        default=[],
        alias="timeline",
    )


class SeedJob(Seed):
    """A job. One that has instances is committed; any other is committed unless `IsCommitted` says otherwise."""

    job_name: Name = required("The job's name, unique in its project.", "job1")
    project_name: Name | None = member("The project's name; the nesting implies it.", "project1")
    job_id: Text | None = member("The job's id; made up if it is left out.", "6pk6lrhdudrs0lbd0iqs****")
    file_id: Text | None = member("The id of the job's file.", "1052")
    job_type: JobType | None = member(
        "Whether it is a stream or a batch job; that of its instances, or FLINK_STREAM.", "FLINK_STREAM"
    )
    api_type: ApiType | None = member(
        "Whether its code is SQL or settings of a program; that of its instances, or SQL.", "SQL"
    )
    code: Text | None = member("Its code.", "CREATE TABLE t (id BIGINT) WITH (type = 'random');")
    plan_json: Text | None = member("Its plan, a JSON text.", "")
    properties: Text | None = member("Its parameters, one on each line.", "blink.job.timeZone=Asia/Shanghai")
    packages: Packages | None = member("Names of packages of its project, separated by commas.", "clicks-1.2.jar")
    is_committed: bool = member("Whether it is online; a job with instances is.", True, default=True)
    creator: Text | None = member("Account that made it; by default the emulator's.", "239960377092765296")
    create_time: Time | None = member(
        "Time of its creation, in milliseconds; by default the world's time.", 1597655424000
    )
    modifier: Text | None = member("Account that changed it last; by default the emulator's.", "239960377092765296")
    modify_time: Time | None = member("Time of its last change; by default the world's time.", 1599794334000)
    description: Text | None = member("A remark.", "counts clicks")
    engine_version: Text | None = member("The version of Blink; blink-3.4.4 if it is left out.", "blink-3.4.4")
    cluster_id: Text | None = member("The cluster of its queue.", "rcmp9x37ztfb63g1x7lt****")
    queue_name: Text | None = member("A queue of its project; the first one if it is left out.", "root.project1")
    folder_id: Id | None = member("The FolderId of a folder of its project; the root if it is left out.", 7)
    auto_scale_params: Text | None = member(
        "AutoScale parameters, a JSON text as for CommitJob.", '{"isOnOff":false}', alias="auto_scale_params"
    )
    instances: list[SeedInstance] = member(
        "Its runs, the oldest first.", [{"ActualState": "RUNNING"}], default=[], alias="instances"
    )


class SeedPackage(Seed):
    """A package of a project."""

    package_name: Name = required("The package's name, unique in its project.", "clicks-1.2.jar")
    project_name: Name | None = member("The project's name; the nesting implies it.", "project1")
    creator: Text | None = member("Account that made it; by default the emulator's.", "239960377092765296")
    modifier: Text | None = member("Account that changed it last; by default the emulator's.", "239960377092765296")
    create_time: Time | None = member(
        "Time of its creation, in milliseconds; by default the world's time.", 1597655424000
    )
    modify_time: Time | None = member("Time of its last change; by default the world's time.", 1597655424000)
    origin_name: Text | None = member("The name of the file from which it was made.", "clicks-1.2.jar")
    type: PackageType = member("Type of the file.", "JAR", default="JAR")
    md5: Text | None = member("The file's MD5.", "d41d8cd98f00b204e9800998ecf8427e")
    description: Text | None = member("A remark.", "functions of the shop")
    oss_endpoint: Text | None = member("The endpoint of OSS that holds it.", "oss-cn-hangzhou.aliyuncs.com")
    oss_bucket: Text | None = member("The bucket that holds it.", "shop")
    oss_owner: Text | None = member("The bucket's owner.", "239960377092765296")
    oss_path: Text | None = member("Its path in the bucket.", "demo/clicks-1.2.jar/0k3d9wq5n7r1.bayes")
    tag: Text | None = member("Its tag.", "v1")
    scan_link: Text | None = member("URL of the report of its scan.", "https://example.com/scan")
    scan_state: Text | None = member("The state of its scan.", "SUCCESS")
    scan_error_message: Text | None = member("Error message of its scan.", "no such file")
    scan_ext_biz_no: Text | None = member("The number of its scan.", "1")


class SeedFolder(Seed):
    """A folder of a project; folders above it need not be given."""

    path: Annotated[str, Field(pattern=FOLDER_PATH, max_length=LONGEST_PATH), AfterValidator(_encodable)] = required(
        "The folder's path, from the root on.", "/orders/reports"
    )
    folder_id: Id | None = member("The folder's id, unique in the world; the world's next one if it is left out.", 7)


class SeedQueue(Seed):
    """A queue that is bound to its project. Figures that the service computes are accepted and ignored."""

    queue_name: Name = required("The queue's name, unique in its cluster.", "root.project1")
    cluster_id: Text | None = member("The queue's cluster; the project's.", "rcmp9x37ztfb63g1x7lt****")
    max_v_core: Amount = member("The cores it may use, in hundredths.", 600, default=300, alias="MaxVCore")
    max_mem: Amount = member("The memory it may use, in MB.", 24576, default=12288, alias="MaxMem")
    max_gpu: Amount = member("The GPUs it may use.", 0, default=0, alias="MaxGpu")
    min_v_core: Long | None = member("Computed by the service; ignored.", 0, alias="MinVCore")
    min_mem: Long | None = member("Computed by the service; ignored.", 0)
    min_gpu: Long | None = member("Computed by the service; ignored.", 0)
    used_v_core: Long | None = member("Computed by the service; ignored.", 0, alias="UsedVCore")
    used_mem: Long | None = member("Computed by the service; ignored.", 0)
    used_gpu: Long | None = member("Computed by the service; ignored.", 0)
    external_info: Text | None = member("Computed by the service; ignored.", "{}")


class SeedProject(Seed):
    """A project with everything in it."""

    name: Name = required("The project's name, unique in the world.", "project1")
    id: Text | None = member("The project's id; made up if it is left out.", "7ht9ed87rtd48bof9mu8****")
    state: Text = member("The project's state.", "ENABLE", default="ENABLE")
    creator: Text | None = member("Account that made it; by default the emulator's.", "239960377092765296")
    create_time: Time | None = member(
        "Time of its creation, in milliseconds; by default the world's time.", 1597655424000
    )
    modifier: Text | None = member("Account that changed it last; by default the emulator's.", "239960377092765296")
    modify_time: Time | None = member("Time of its last change; by default the world's time.", 1597655424000)
    description: Text | None = member("A remark.", "test")
    deploy_type: Annotated[Literal["cell", "public", "CELL", "PUBLIC"], AfterValidator(str.lower)] = member(
        "Whether it has a cluster (cell) or shares one (public).", "cell", default="cell"
    )
    cluster_id: Text | None = member(
        "A cluster of the world; the first one if it is left out, and one is made if there is none.",
        "rcmp9x37ztfb63g1x7lt****",
    )
    order_id: Text | None = member("The order of a public project.", "203180123456789")
    manager_ids: Text | None = member("Accounts that manage it, separated by commas.", "107992689699****")
    region: Text | None = member("Region of its cluster; by default cn-hangzhou.", "cn-hangzhou")
    global_job_config: Text | None = member("Parameters of all its jobs, one on each line.", "a=1")
    is_open_batch_sql: bool = member("Whether batch SQL is on.", False, default=False, alias="IsOpenBatchSQL")
    queues: list[SeedQueue] = member(
        "Its queues; one named root.<project> if there is none.",
        [{"QueueName": "root.project1"}],
        default=[],
        alias="queues",
    )
    folders: list[SeedFolder] = member(
        "Its folders; the root is always there.", [{"Path": "/orders"}], default=[], alias="folders"
    )
    packages: list[SeedPackage] = member(
        "Its packages.", [{"PackageName": "clicks-1.2.jar"}], default=[], alias="packages"
    )
    jobs: list[SeedJob] = member("Its jobs.", [{"JobName": "job1"}], default=[], alias="jobs")


class SeedCluster(Seed):
    """A cluster. `master_*` and `slave_*` describe its machines.

    `engine_versions` are its versions of Blink, each after its tag, separated by commas.
    """

    cluster_id: Name = required("The cluster's id.", "rcmp9x37ztfb63g1x7lt****")
    display_name: Text | None = member("The cluster's name.", "demo")
    description: Text | None = member("A remark.", "test")
    state: ClusterState = member("The state it is in; it holds until a call changes it.", "RUNNING", default="RUNNING")
    region_id: Text = member("Its region.", "cn-hangzhou", default="cn-hangzhou")
    zone_id: Text | None = member("Its zone.", "cn-hangzhou-f")
    owner_id: Text | None = member("Account that owns it; by default the emulator's.", "239960377092765296")
    operator: Text | None = member("Account that changed it last; by default the emulator's.", "239960377092765296")
    gmt_create: Time | None = member(
        "Time of its creation, in milliseconds; by default the world's time.", 1597654146000
    )
    gmt_modified: Time | None = member("Time of its last change; by default the world's time.", 1601051659000)
    storage_type: Text = member("Kind of storage for its state.", "HDFS", default="HDFS")
    user_oss_info: Text | None = member("Its OSS, a JSON text.", '{"bucket":"shop"}')
    user_vpc_id: Text | None = member("Its VPC.", "vpc-bp1a2b3c4d5e6f")
    user_sg_id: Text | None = member("Its security group.", "sg-bp1a2b3c4d5e6f", alias="UserSGId")
    user_v_switch_list: Text | None = member(
        "Its vSwitches, a JSON text.", '["vsw-bp1a2b3c4d5e6f"]', alias="UserVSwitchList"
    )
    is_mix_deploy: bool = member("Whether slaves of several models are mixed.", False, default=False)
    instance_infos: Text | None = member("Its machines, a JSON text; made up if it is left out.", "{}")
    pay_model: Literal["pre", "post"] = member("Payment model.", "post", default="post", alias="pay_model")
    master_spec: Spec = member("The model of its masters.", "Ecs_4c16g", default="Ecs_4c16g", alias="master_spec")
    master_num: Annotated[Literal[1, 3], BeforeValidator(_whole)] = member(
        "How many masters it has.", 1, default=1, alias="master_num"
    )
    slave_spec: Spec = member("The model of its slaves.", "Ecs_4c16g", default="Ecs_4c16g", alias="slave_spec")
    slave_num: Annotated[int, Field(ge=2, le=1000)] = member("Number of slaves.", 4, default=2, alias="slave_num")
    engine_versions: Annotated[str, Field(pattern=ENGINE_VERSIONS, max_length=LONGEST_VERSIONS)] = member(
        "The versions of Blink, each after its tag, separated by commas.",
        "current--blink-3.4.4,beta--blink-3.7.8",
        default="current--blink-3.4.4,beta--blink-3.7.8",
        alias="engine_versions",
    )


class SeedFault(FaultDocument):
    """A fault rule of a new world. It replaces a rule with the same id; a rule without an id is added."""

    id: Id | None = member("The rule's id; the world's next one if it is left out.", 1)

    @model_validator(mode="before")
    @classmethod
    def _refuse_ttl(cls, document: Any) -> Any:
        if isinstance(document, Mapping) and document.get("ttl") is not None:
            raise ValueError("a rule of a seed has no ttl: it is armed for as long as its world has it")
        return document

    @field_validator("match")
    @classmethod
    def _check_match(cls, match: CallPattern) -> CallPattern:
        match.resolve(OPERATIONS)  # here, too: a rule as a whole is only checked if each of its members is right
        return match

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_scope(self, OPERATIONS)
        return self


class SeedDocument(Seed):
    """The contents of a new world."""

    clusters: list[SeedCluster] = member("Its clusters.", [{"ClusterId": "c1"}], default=[], alias="clusters")
    projects: list[SeedProject] = member("Its projects.", [{"Name": "project1"}], default=[], alias="projects")
    faults: list[SeedFault] = member(
        "Its initial fault rules.", [{"effect": {"latency": "1s"}}], default=[], alias="faults"
    )
    settings: dict[str, Any] = member("Its settings.", {"start_delay": "30s"}, default={}, alias="settings")

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """The source of the document, for errors that are found later."""
        return self._origin
