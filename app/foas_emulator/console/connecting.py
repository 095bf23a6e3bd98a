"""The lines with which a program uses a world, for each SDK; docs/sdks.md has whole programs."""

from foas_emulator.console.snippets import access_key, shell


def lines(base_url: str, world: str, *, is_strict: bool = False) -> dict[str, str]:
    """Return the lines by the name of their tool or SDK."""
    key = access_key(world)
    scheme, _, host = base_url.partition("://")
    return {
        **shell(base_url, "/api/v2/projects", world, is_strict=is_strict),
        "Python": f"""\
from aliyunsdkcore.client import AcsClient

client = AcsClient("{key}", "test", "cn-hangzhou")
client.add_endpoint("cn-hangzhou", "foas", "{base_url}")""",
        "Java": f"""\
DefaultProfile.addEndpoint("cn-hangzhou", "foas", "{host}");
IAcsClient client = new DefaultAcsClient(
    DefaultProfile.getProfile("cn-hangzhou", "{key}", "test"));

request.setSysProtocol(ProtocolType.{scheme.upper()});  // for each request""",
        "Go": f"""\
client, err := foas.NewClientWithAccessKey("cn-hangzhou", "{key}", "test")

request.Scheme = "{scheme}"  // for each request
request.Domain = "{host}\"""",
        "Node": f"""\
const {{ ROAClient }} = require('@alicloud/pop-core');

const client = new ROAClient({{
  accessKeyId: '{key}',
  accessKeySecret: 'test',
  endpoint: '{base_url}',
  apiVersion: '2018-11-11',
}});""",
        "pytest": """\
def test_something(foas_world):  # a world for this test alone
    print(foas_world.endpoint, foas_world.access_key_id, foas_world.access_key_secret)""",
    }
