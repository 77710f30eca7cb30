"""A client of the widget service: the state of a conversation, its transcript, and its end.

The worker uses its own API key; nothing that it reads or writes here reaches the visitor's browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import aiohttp

import rules

TIMEOUT_SECONDS = 5.0
"""For one request, which takes milliseconds; a hanging one must not block a conversation."""
RETRY_DELAYS_SECONDS = (0.5, 1.0, 2.0)
"""How long to wait after each failure that may be over soon, such as a restart of the service."""


class ServiceError(Exception):
    """A request failed; the message contains no secret and no transcript."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
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
class ConversationInfo:
    """What the service knows about a conversation."""

    is_open: bool
    """Whether it exists and has not ended."""
    room_name: str | None
    """Its newest room; `None` when the service does not report it."""
    turns: Sequence[rules.Turn]
    """What was said so far, oldest first."""
    message_waits: bool = False
    """Whether the visitor has asked already, before the first agent arrived."""
    message_waits_here: bool = False
    """The same of the newest room, where a resume has made it."""
    page_changed: bool = False
    """Whether the newest room exists only because the visitor went to another page."""

    def continues_in(self, room_name: str) -> bool:
        """Whether this is its newest room: an old token can rejoin an earlier one."""
        return self.is_open and self.room_name in (None, room_name)


class WidgetService:
    """A client of the management API with the calls that a worker needs."""

    def __init__(self, url: str, api_key: str) -> None:
        """`url` is the service's origin. Create it inside a running event loop."""
        self._url = url
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )

    async def __aenter__(self) -> WidgetService:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def find_conversation(self, conversation_id: str) -> ConversationInfo:
        """Whether the conversation is open, in which room, and what was said in it.

        Raises:
            ServiceError: the request failed.
        """
        try:
            document = await self._repeat("GET", f"/core/conversations/{conversation_id}/messages")
        except (_NotFound, _Erased):
            return ConversationInfo(is_open=False, room_name=None, turns=())
        try:
            turns = [
                rules.Turn("visitor" if turn["role"] == "visitor" else "agent", turn["text"])
                for turn in document["messages"]
            ]
        except (AttributeError, KeyError, TypeError) as error:
            raise ServiceError(
                "the transcript has an unexpected shape", is_temporary=False
            ) from error
        room_name = document.get("room_name")
        return ConversationInfo(
            is_open=document.get("is_open") is True,
            room_name=room_name if isinstance(room_name, str) else None,
            turns=turns,
            message_waits=_page_at_start(document).get("message_waiting") is True,
            message_waits_here=document.get("message_waiting") is True,
            page_changed=document.get("page_changed") is True,
        )

    async def append(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """Add turns to the transcript; a turn with a known id is stored only once.

        Those of a conversation that was erased are dropped.

        Raises:
            ServiceError: they were not stored.
        """
        body = {
            "messages": [
                {
                    "id": message.id,
                    "role": message.role,
                    "text": message.text,
                    "created_at": message.created_at,
                }
                for message in messages
            ]
        }
        with suppress(_Erased):
            await self._call("POST", f"/core/conversations/{conversation_id}/messages", body)

    async def end(self, conversation_id: str) -> None:
        """End the conversation; does nothing when it has ended already or was erased.

        Raises:
            ServiceError: it may still be open.
        """
        with suppress(_Erased):
            await self._repeat("POST", f"/core/conversations/{conversation_id}/end", {})

    async def _repeat(
        self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make a call that may be made several times, until it succeeds or cannot."""
        for delay in RETRY_DELAYS_SECONDS:
            try:
                return await self._call(method, path, body)
            except ServiceError as error:
                if not error.is_temporary:
                    raise
            await asyncio.sleep(delay)
        return await self._call(method, path, body)

    async def _call(
        self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        action = f"{method} {path}"
        try:
            # A redirect would send the key to another server.
            async with self._session.request(
                method, self._url + path, json=body, allow_redirects=False
            ) as response:
                if response.status == 404:
                    raise _NotFound(f"{action} was answered with 404", is_temporary=False)
                if response.status == 410:
                    raise _Erased(f"{action} was answered with 410", is_temporary=False)
                if response.status >= 300:
                    code = await _problem_code(response)
                    shown = f" ({code})" if code else ""
                    raise ServiceError(
                        f"{action} was answered with {response.status}{shown}",
                        is_temporary=response.status >= 500 or response.status in (408, 425, 429),
                    )
                if response.status == 204 or response.content_length == 0:
                    return {}
                document = await response.json(content_type=None)
                return document if isinstance(document, dict) else {}
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceError(
                f"{action} failed: {type(error).__name__}", is_temporary=True
            ) from error
        except ValueError as error:
            raise ServiceError(
                f"{action} was answered with a body that is not JSON", is_temporary=False
            ) from error


class _NotFound(ServiceError):
    """The conversation does not exist in this organization."""


class _Erased(ServiceError):
    """The conversation was erased, so there is nothing to read or to add."""


def _page_at_start(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the window sent when it started the conversation."""
    metadata = document.get("custom_metadata")
    page = metadata.get("page") if isinstance(metadata, dict) else None
    return page if isinstance(page, dict) else {}


async def _problem_code(response: aiohttp.ClientResponse) -> str | None:
    """The `code` of a problem document, if there is one."""
    try:
        document = await response.json(content_type=None)
    except (aiohttp.ClientError, ValueError):
        return None
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and code.isascii() and len(code) <= 64 else None
