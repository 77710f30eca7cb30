"""The dispatch metadata of a job, which the widget service puts into the participant token.

The token is signed: the visitor can read the metadata and cannot change it. It therefore contains
identifiers and nothing confidential; the rest comes from the API (`service.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Mode = Literal["text", "voice"]


class JobError(Exception):
    """The metadata is not what the widget service writes; the message says what is wrong."""


@dataclass(frozen=True)
class Job:
    """One conversation to serve."""

    conversation_id: str
    agent_version_id: str
    """The version that the widget pins; one worker can serve several versions."""
    mode: Mode
    """The mode at the start; the RPC `set_mode` can change it at any time."""
    resumed: bool
    """Whether the conversation had an earlier room."""

    @classmethod
    def parse(cls, metadata: str) -> Job:
        """Read the metadata of a job.

        Raises:
            JobError: it is not JSON, or a field is missing or has another type.
        """
        document = _object(metadata, "the job's metadata")
        resumed = document.get("resumed", False)
        if not isinstance(resumed, bool):
            raise JobError("`resumed` must be true or false")
        return cls(
            conversation_id=_identifier(document, "conversation_id"),
            agent_version_id=_identifier(document, "agent_version_id"),
            mode=_mode(document.get("mode", "text")),
            resumed=resumed,
        )


def parse_mode(payload: str) -> Mode:
    """Read the payload of RPC `set_mode`, `{"mode": "text" | "voice"}`.

    Raises:
        JobError: it is anything else.
    """
    return _mode(_object(payload, "the payload").get("mode"))


def _object(text: str, name: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except ValueError:
        raise JobError(f"{name} must be JSON") from None
    if not isinstance(document, dict):
        raise JobError(f"{name} must be a JSON object")
    return document


def _identifier(document: dict[str, object], name: str) -> str:
    """A UUID in its hyphenated form: it becomes part of a path, so nothing else is accepted."""
    value = document.get(name)
    try:
        return str(UUID(value)) if isinstance(value, str) else str(UUID(""))
    except ValueError:
        raise JobError(f"`{name}` must be a UUID") from None


def _mode(value: object) -> Mode:
    if value == "text" or value == "voice":
        return value
    raise JobError('`mode` must be "text" or "voice"')
