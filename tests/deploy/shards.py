"""The servers behind the proxies."""

from contextlib import ExitStack
from pathlib import Path

from foas_emulator.settings import Settings
from tests.deploy.proxies import SHARDS
from tests.endurance.victim import Victim, serving

SEED = "clusters: [{ClusterId: c}]"


class Shards:
    """Three strict servers, each with a data directory of its own, that can be killed and come back."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "seed.yaml").write_text(SEED, "utf-8")
        self._stacks = [ExitStack() for _ in SHARDS]
        self.servers: list[Victim] = []
        for number in range(len(SHARDS)):
            self.servers.append(self._start(number, port=0))

    def _start(self, number: int, *, port: int) -> Victim:
        settings = Settings(
            port=port,
            seed=(str(self._directory / "seed.yaml"),),
            signature="strict",
            log_refused=False,
            data_dir=self._directory / SHARDS[number].partition(":")[0],
        )
        return self._stacks[number].enter_context(serving(settings))

    def kill(self, number: int) -> None:
        self.servers[number].kill()
        self._stacks[number].close()

    def bring_back(self, number: int) -> None:
        self.servers[number] = self._start(number, port=self.servers[number].port)

    def worlds(self) -> list[set[str]]:
        """The names of the worlds that each server has."""
        listed = []
        for server in self.servers:
            with server.client() as client:
                listed.append({world["name"] for world in client.get("/_emulator/worlds").json()["worlds"]})
        return listed

    def stop(self) -> None:
        for stack in self._stacks:
            stack.close()
