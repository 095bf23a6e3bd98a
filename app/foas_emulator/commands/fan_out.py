"""Common parts of commands for several servers: all are asked, and the failure of one does not hide the others."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import click

from foas_emulator.commands.base import PORT_OPTION, TOKEN_OPTION
from foas_emulator.commands.remote import FAILURES, JSON_OPTION, Command, address, reason_of, refusals_of, say
from foas_emulator.showing import harmless
from foas_emulator.testing.server import Server

URLS_OPTION = click.option("--url", "urls", multiple=True, help="URL of a server. Repeatable, for several servers.")


@dataclass(frozen=True, slots=True)
class Servers:
    """Running servers, and the form in which the user wants to read results."""

    servers: Sequence[Server]
    as_json: bool

    def ask(self, question: Callable[[Server], Any]) -> "Answers":
        """Call a function for all servers in parallel."""
        with ThreadPoolExecutor(len(self.servers)) as threads:
            asked = [(server.url, threads.submit(question, server)) for server in self.servers]
        answered, failed = {}, {}
        for url, answer in asked:
            try:
                answered[url] = answer.result()
            except FAILURES as error:
                failed[url] = reason_of(error)
        return Answers(answered, failed)

    def report(self, sentence: str, document: dict[str, Any], failed: dict[str, str]) -> None:
        """Print the result, then each server that failed; the exit status is 1 if there is one."""
        failures = [{"url": url, "error": reason} for url, reason in failed.items()]
        if sentence or self.as_json:
            say(sentence, {**document, "failed": failures}, as_json=self.as_json)
        for failure in failures:
            click.echo(harmless(f"{failure['url']}: {failure['error']}"), err=True)
        if failures:
            sys.exit(1)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of servers by URL, and the reasons why the others failed."""

    answered: dict[str, Any]
    failed: dict[str, str]


def servers_options(command: Command) -> Command:
    """Give a command the options that name its servers (the arguments of `servers_of`), and `as_json`."""
    for option in (URLS_OPTION, PORT_OPTION, TOKEN_OPTION, JSON_OPTION):
        command = option(command)
    return command


def servers_of(urls: Sequence[str], port: int, control_token: str | None, *, as_json: bool) -> Servers:
    """Return the servers that the options name, each once."""
    servers = []
    for target in dict.fromkeys(address(url, port) for url in urls or (None,)):
        with refusals_of(target):
            servers.append(Server(target, control_token=control_token))
    return Servers(servers, as_json)
