"""Keeps the transcript at the service without ever holding the dialogue up.

Turns go into a queue; one task sends them in order and tries again, with growing pauses, while the
service cannot be reached. Each turn has an id made from the conversation and the framework's item, so a
retry whose first answer was lost stores nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid5

import rules
from service import Message, ServiceError

logger = logging.getLogger("concierge.transcript")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
MOST_AT_ONCE = 20
"""Turns in one request, which keeps a body small after a long outage."""
LONGEST_TEXT_BYTES = 32 * 1024
"""The service takes no longer text; the rest of a longer one is left out, which beats losing all of it."""


class TranscriptWriter:
    """Sends the turns of one conversation."""

    def __init__(
        self,
        conversation_id: str,
        append: Callable[[str, Sequence[Message]], Awaitable[None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`append` is `WidgetService.append`; `pause` waits between attempts."""
        self._conversation_id = conversation_id
        self._append = append
        self._pause = pause
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(), name="transcript")

    def add(self, item_id: str, role: rules.Role, text: str, created_at: float) -> None:
        """Queue a turn; `item_id` is unique in its conversation, `created_at` in seconds since 1970."""
        text = text.encode()[:LONGEST_TEXT_BYTES].decode(errors="ignore")
        if text.strip():
            self._queue.put_nowait(
                Message(
                    id=message_id(self._conversation_id, item_id),
                    role=role,
                    text=text,
                    created_at=datetime.fromtimestamp(created_at, UTC).isoformat().replace("+00:00", "Z"),
                )
            )

    async def flush(self, seconds: float) -> None:
        """Wait until everything queued is sent or given up, but no longer than `seconds`."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            logger.warning("turns are left unsent", extra={"conversation.id": self._conversation_id})

    async def close(self, seconds: float) -> None:
        """Flush, then stop."""
        await self.flush(seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MOST_AT_ONCE and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._send(batch)
            for _ in batch:
                self._queue.task_done()

    async def _send(self, batch: Sequence[Message]) -> None:
        """Send until it is stored or the service says that it never will be."""
        limit = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._append(self._conversation_id, batch)
            except ServiceError as error:
                if not error.passing and len(batch) > 1:
                    # One that is refused must not take the others with it.
                    for message in batch:
                        await self._send([message])
                    return
                if not error.passing:
                    logger.error("turns are lost: %s", error, extra={"conversation.id": self._conversation_id})
                    return
                logger.warning("turns wait: %s", error, extra={"conversation.id": self._conversation_id})
            # Full jitter, so that workers do not come back all at once when the service does.
            await self._pause(random.uniform(limit / 2, limit))
            limit = min(limit * 2, LONGEST_PAUSE_SECONDS)


def message_id(conversation_id: str, item_id: str) -> str:
    """The id of a turn: the same for the same item, however often it is sent."""
    return str(uuid5(UUID(conversation_id), item_id))
