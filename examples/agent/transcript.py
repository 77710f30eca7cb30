"""Sends turns to the service in the background, without delaying the dialogue.

Turns go into a queue; one task sends them in order and retries with backoff while the service is
unreachable. The id of a turn is derived from the conversation and the framework's item, so a retry
stores nothing twice.
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

MIN_RETRY_SECONDS = 0.2
MAX_RETRY_SECONDS = 5.0
MAX_BATCH = 20
"""Turns in one request: limits the body after a long outage."""
MAX_TEXT_BYTES = 32 * 1024
"""The longest text that the service accepts, `ReportLimits::WORKER` in `widget-core`; the rest of a
longer one is cut off."""


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
        """Queue a turn: `item_id` is unique in its conversation, `created_at` in Unix seconds."""
        text = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
        if text.strip():
            self._queue.put_nowait(
                Message(
                    id=message_id(self._conversation_id, item_id),
                    role=role,
                    text=text,
                    created_at=datetime.fromtimestamp(created_at, UTC)
                    .isoformat()
                    .replace("+00:00", "Z"),
                )
            )

    async def flush(self, seconds: float) -> None:
        """Wait until every queued turn is sent or rejected, at most `seconds`."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            logger.warning(
                "some turns were not sent", extra={"conversation.id": self._conversation_id}
            )

    async def close(self, seconds: float) -> None:
        """Flush, then stop."""
        await self.flush(seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._send(batch)
            for _ in batch:
                self._queue.task_done()

    async def _send(self, batch: Sequence[Message]) -> None:
        """Send until the batch is stored or permanently rejected."""
        limit = MIN_RETRY_SECONDS
        while True:
            try:
                return await self._append(self._conversation_id, batch)
            except ServiceError as error:
                if not error.is_temporary and len(batch) > 1:
                    # One rejected turn must not lose the others.
                    for message in batch:
                        await self._send([message])
                    return
                if not error.is_temporary:
                    logger.error(
                        "turns were rejected: %s",
                        error,
                        extra={"conversation.id": self._conversation_id},
                    )
                    return
                logger.warning(
                    "turns will be sent again: %s",
                    error,
                    extra={"conversation.id": self._conversation_id},
                )
            # Jitter, so that not all workers retry at the same moment.
            await self._pause(random.uniform(limit / 2, limit))
            limit = min(limit * 2, MAX_RETRY_SECONDS)


def message_id(conversation_id: str, item_id: str) -> str:
    """The id of a turn, always the same for the same item."""
    return str(uuid5(UUID(conversation_id), item_id))
