"""What the tests run against: a LiveKit server, the widget service on a new database, and a worker.

All are the real programs, on loopback and on free ports.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

AGENT = Path(__file__).parent.parent
REPOSITORY = AGENT.parent.parent
START_SECONDS = 60.0
"""A busy machine needs some seconds to start each program."""
PAGE = "http://localhost:4173"
"""The origin of the page that embeds the widget; no server has to run there."""
LIVEKIT_KEY = "tests"
LIVEKIT_SECRET = "a secret of at least thirty-two characters"
AGENT_NAME = "concierge-tests"
LIVEKIT_IS_INSTALLED_BY = "go install github.com/livekit/livekit-server/cmd/server@v1.13.5"


class Program:
    """A child process; keeps the lines that it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output: list[str] = []
        self.errors: list[str] = []
        self._news = asyncio.Condition()
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.output)),
            asyncio.create_task(self._read(process.stderr, self.errors)),
        ]

    @classmethod
    async def start(cls, *command: str, environment: dict[str, str] | None = None) -> Program:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=1 << 20,
        )
        return cls(process)

    async def wait_for_line(self, part: str) -> str:
        """The first line on either stream that contains `part`; waits for it."""

        def found() -> str | None:
            return next((line for line in [*self.output, *self.errors] if part in line), None)

        def settled() -> bool:
            return found() is not None or all(reader.done() for reader in self._readers)

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(settled), START_SECONDS)
        if (line := found()) is None:
            raise AssertionError(
                f"it ended without `{part}`:\n" + "\n".join([*self.output, *self.errors][-20:])
            )
        return line

    async def stop(self) -> int:
        """Stop it with SIGTERM, or kill it after a timeout, and return its exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        await asyncio.gather(*self._readers)
        return self.process.returncode if self.process.returncode is not None else -1

    async def _read(self, stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        async for line in stream:
            lines.append(line.decode(errors="replace").rstrip())
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@dataclass
class Stack:
    """The running programs and what was created on them."""

    livekit_url: str
    service: Service
    worker_environment: dict[str, str]
    worker: Program
    agent_version_id: str
    widget_id: str

    async def new_conversation(
        self, mode: str, page: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """What the window does when a visitor starts."""
        ticket = await self._ticket()
        body = {"mode": mode, "custom_metadata": page or {}}
        return await self.service.window("POST", f"{self._public()}/conversations", ticket, body)

    async def resume(self, started: dict[str, Any], **hints: bool) -> dict[str, Any]:
        """What the window does when a visitor resumes: a new room for the same conversation."""
        path = f"{self._public()}/conversations/{started['conversation']['id']}/resume"
        body = {"ticket": await self._ticket(), **hints}
        return await self.service.window("POST", path, started["conversation_token"], body)

    async def _ticket(self) -> str:
        return (await self.service.page("POST", f"{self._public()}/embed-tickets", {}))["ticket"]

    def _public(self) -> str:
        return f"/core/public/web-widgets/{self.widget_id}"


class Service:
    """The widget service as called by the owner, the page and the window."""

    def __init__(self, url: str, key: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._key = key
        self._session = session

    async def owner(self, method: str, path: str, body: object = None) -> Any:
        return await self._call(method, path, {"Authorization": f"Bearer {self._key}"}, body)

    async def page(self, method: str, path: str, body: object) -> Any:
        return await self._call(method, path, {"Origin": PAGE}, body)

    async def window(self, method: str, path: str, token: str, body: object) -> Any:
        return await self._call(
            method, path, {"Origin": self.url, "Authorization": f"Bearer {token}"}, body
        )

    async def _call(self, method: str, path: str, headers: dict[str, str], body: object) -> Any:
        async with self._session.request(
            method, self.url + path, headers=headers, json=body
        ) as response:
            text = await response.text()
            assert response.ok, f"{method} {path} was answered with {response.status}: {text}"
            return await response.json() if text else None


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Stack]:
    """Start everything in `directory`, and stop it in reverse order."""
    livekit = _program("LIVEKIT_SERVER", "livekit-server", LIVEKIT_IS_INSTALLED_BY)
    widget_http = _program(
        "WIDGET_HTTP", str(REPOSITORY / "target/debug/widget-http"), "cargo build -p widget-http"
    )
    port = _free_port(socket.SOCK_STREAM)
    livekit_url = f"ws://127.0.0.1:{port}"
    database = f"sqlite:{directory / 'widgets.db'}"
    async with AsyncExitStack() as cleanup:

        async def start(*command: str, environment: dict[str, str] | None = None) -> Program:
            program = await Program.start(*command, environment=environment)
            cleanup.push_async_callback(program.stop)
            return program

        livekit_environment = {
            "LIVEKIT_URL": livekit_url,
            "LIVEKIT_API_KEY": LIVEKIT_KEY,
            "LIVEKIT_API_SECRET": LIVEKIT_SECRET,
        }
        serving = await start(
            widget_http,
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--database-url",
            database,
            environment=livekit_environment,
        )
        url = (await serving.wait_for_line("listening on ")).split("listening on ")[1]
        configuration = directory / "livekit.yaml"
        configuration.write_text(_livekit_configuration(port, f"{url}/core/livekit/webhook"))
        server = await start(livekit, "--config", str(configuration))
        await server.wait_for_line("starting LiveKit server")

        async def key(*scopes: str) -> str:
            arguments = [argument for scope in scopes for argument in ("--scope", scope)]
            made = await Program.start(
                widget_http,
                "key",
                "create",
                "--database-url",
                database,
                "--organization",
                "tests",
                *arguments,
            )
            assert await made.process.wait() == 0, made.errors
            return await made.wait_for_line("ak_")

        session = await cleanup.enter_async_context(aiohttp.ClientSession())
        owner = await key(
            "web_widgets:manage",
            "agents:manage",
            "conversations:read_sensitive",
            "conversations:write",
        )
        service = Service(url, owner, session)
        agent = await service.owner("POST", "/core/agents", {"name": "Concierge"})
        versions = f"/core/agents/{agent['id']}/versions"
        version = await service.owner("POST", versions, {"livekit_agent_name": AGENT_NAME})
        await service.owner("POST", f"{versions}/{version['id']}/publish")
        widget = await service.owner(
            "POST",
            "/core/web-widgets",
            {
                "agent_id": agent["id"],
                "agent_version_id": version["id"],
                "domains": [PAGE],
                "published": True,
            },
        )
        worker_environment = {
            **livekit_environment,
            "WIDGETS_URL": url,
            "WIDGETS_API_KEY": await key("conversations:read_sensitive", "conversations:write"),
            "AGENT_NAME": AGENT_NAME,
            "AGENT_PORT": "0",
        }
        worker = await start_worker(worker_environment)
        cleanup.push_async_callback(worker.stop)
        yield Stack(livekit_url, service, worker_environment, worker, version["id"], widget["id"])


async def start_worker(environment: dict[str, str]) -> Program:
    """Start a worker and wait until LiveKit may dispatch to it."""
    worker = await Program.start(
        sys.executable, str(AGENT / "agent.py"), "start", environment=environment
    )
    await worker.wait_for_line("agent ready")
    return worker


def _livekit_configuration(port: int, webhook: str) -> str:
    """Everything on loopback, and no public STUN server is used."""
    return f"""\
port: {port}
bind_addresses: ["127.0.0.1"]
rtc:
  tcp_port: 0
  udp_port: {_free_port(socket.SOCK_DGRAM)}
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: {{ includes: [lo] }}
  stun_servers: ["127.0.0.1:9"]
keys: {{ {LIVEKIT_KEY}: {LIVEKIT_SECRET} }}
webhook: {{ api_key: {LIVEKIT_KEY}, urls: ["{webhook}"] }}
"""


def _program(variable: str, fallback: str, installs: str) -> str:
    path = shutil.which(os.environ.get(variable) or fallback)
    assert path, f"{variable} is not the path of a program; `{installs}` installs it"
    return path


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def said(messages: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Who said what, from the messages of a transcript."""
    return [(message["role"], message["text"]) for message in messages]
