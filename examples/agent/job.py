"""What a job tells the worker: the dispatch metadata that the widget service puts into the visitor's token.

The token is signed, so the visitor cannot change the metadata, but can read it: hence it holds
identifiers and nothing that would be worth knowing. Everything else comes over the API (`service.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Mode = Literal["text", "voice"]


class JobError(Exception):
    """The metadata is not what the widget service writes; the message says what is wrong with it."""


@dataclass(frozen=True)
class Job:
    """One conversation to take part in."""

    conversation_id: str
    agent_version_id: str
    """The version that the widget pins, so that one worker can serve several."""
    mode: Mode
    """How the visitor starts; may change at any time by RPC `set_mode`."""
    resumed: bool
    """Whether the conversation has gone on in an earlier room."""

    @classmethod
    def parse(cls, metadata: str) -> Job:
        """Read the metadata of a job.

        Raises:
            JobError: it is not JSON, or a field is missing or of another type.
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
    """A UUID in its hyphenated form; it becomes part of a path, so nothing else may pass."""
    value = document.get(name)
    try:
        return str(UUID(value)) if isinstance(value, str) else str(UUID(""))
    except ValueError:
        raise JobError(f"`{name}` must be a UUID") from None


def _mode(value: object) -> Mode:
    if value == "text" or value == "voice":
        return value
    raise JobError('`mode` must be "text" or "voice"')
