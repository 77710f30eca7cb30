"""The widget service as the worker sees it: is the conversation on, what was said before, what is said now.

The worker has a key of its own. None of what it reads or writes here is known to the visitor's browser.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import aiohttp

import rules

TIMEOUT_SECONDS = 5.0
"""For one request. The service answers in milliseconds; a hung one must not hold a conversation up."""


class ServiceError(Exception):
    """The service did not do what was asked; the message holds no secret and no transcript."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing
        """Whether the same request may succeed later."""


@dataclass(frozen=True)
class Message:
    """One turn of a transcript."""

    id: str
    role: rules.Role
    text: str
    created_at: str
    """RFC 3339, UTC."""


@dataclass(frozen=True)
class Known:
    """What the service knows of a conversation."""

    on: bool
    """Whether it may still be talked in: it exists and is not over."""
    room_name: str | None
    """The room in which it goes on, its newest; `None` when the service does not tell."""
    turns: Sequence[rules.Turn]
    """What was said so far, oldest first."""

    def goes_on_in(self, room_name: str) -> bool:
        """Whether this is its room. A visitor with an old token can come back to one that was replaced since."""
        return self.on and self.room_name in (None, room_name)


class WidgetService:
    """A client of the management API, for the paths that a worker needs."""

    def __init__(self, url: str, api_key: str) -> None:
        """`url` is the service's origin. Must be made inside a running event loop."""
        self._url = url
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )

    async def __aenter__(self) -> WidgetService:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def conversation(self, conversation_id: str) -> Known:
        """Whether the conversation is on, in which room, and what was said in it.

        Raises:
            ServiceError: the service could not tell.
        """
        try:
            document = await self._call("GET", f"/core/conversations/{conversation_id}/messages")
        except _NotFound:
            return Known(on=False, room_name=None, turns=())
        try:
            turns = turns_from(document["messages"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ServiceError("the transcript has another shape than expected", passing=False) from error
        room_name = document.get("room_name")
        return Known(
            on=document.get("status") in ("token_created", "in_progress"),
            room_name=room_name if isinstance(room_name, str) else None,
            turns=turns,
        )

    async def append(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Add turns to the transcript. Sending one again is harmless: its id makes it the same turn.

        Raises:
            ServiceError: they were not stored.
        """
        body = {
            "messages": [
                {"id": message.id, "role": message.role, "text": message.text, "created_at": message.created_at}
                for message in messages
            ]
        }
        await self._call("POST", f"/core/conversations/{conversation_id}/messages", body)

    async def end(self, conversation_id: str) -> None:
        """End the conversation; harmless when it has ended already.

        Raises:
            ServiceError: it may still be on.
        """
        await self._call("POST", f"/core/conversations/{conversation_id}/end", {})

    async def _call(
        self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        action = f"{method} {path}"
        try:
            # A redirect would hand the key to whoever it points at.
            async with self._session.request(method, self._url + path, json=body, allow_redirects=False) as response:
                if response.status == 404:
                    raise _NotFound(f"{action} was answered with 404", passing=False)
                if response.status >= 300:
                    code = await _problem_code(response)
                    raise ServiceError(
                        f"{action} was answered with {response.status}{f' ({code})' if code else ''}",
                        passing=response.status >= 500 or response.status in (408, 425, 429),
                    )
                if response.status == 204 or response.content_length == 0:
                    return {}
                document = await response.json(content_type=None)
                return document if isinstance(document, dict) else {}
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceError(f"{action} failed: {type(error).__name__}", passing=True) from error
        except ValueError as error:
            raise ServiceError(f"{action} was answered with something that is not JSON", passing=False) from error


def turns_from(messages: Sequence[Mapping[str, Any]]) -> Sequence[rules.Turn]:
    """The turns of a transcript that two may have reported, each once, in the order of arrival.

    A worker's report comes first. Of what the visitor's browser reported, the visitor's own words are added
    where the worker left them out, because it was killed before it could send them. The browser's report of
    the agent's words is never used: nobody but a worker can say what the agent said.
    """
    told = Counter(_key(message) for message in messages if message["reported_by"] == "agent")
    turns = []
    for message in messages:
        if message["reported_by"] != "agent":
            if message["role"] != "visitor":
                continue
            if told[_key(message)]:
                told[_key(message)] -= 1
                continue
        turns.append(rules.Turn("visitor" if message["role"] == "visitor" else "agent", message["text"]))
    return turns


class _NotFound(ServiceError):
    """The conversation is not this organization's, or is not at all."""


def _key(message: Mapping[str, Any]) -> tuple[str, str]:
    """Role and words, without the spacing that streaming changes."""
    return message["role"], " ".join(message["text"].split())


async def _problem_code(response: aiohttp.ClientResponse) -> str | None:
    """The `code` of a problem document, when there is one."""
    try:
        document = await response.json(content_type=None)
    except (aiohttp.ClientError, ValueError):
        return None
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and code.isascii() and len(code) <= 64 else None
