"""The settings of the worker, read from the environment and checked before anything starts.

A missing address or key is reported by name, instead of as an error of a library later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_AGENT_NAME = "concierge"
"""The `livekit_agent_name` of the agent versions that this worker serves."""


class SettingsError(Exception):
    """A setting is missing or invalid; the message has one sentence for each."""


@dataclass(frozen=True)
class Settings:
    """All settings of the worker. Its `repr` leaves out secrets."""

    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)
    widgets_url: str
    """The origin of the widget service, without a slash at its end."""
    widgets_api_key: str = field(repr=False)
    """An API key with the scopes `conversations:read_sensitive` and `conversations:write`."""
    agent_name: str = DEFAULT_AGENT_NAME
    port: int = 0
    """The port of the worker's health endpoint on loopback; 0 selects a free one."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            SettingsError: variables are missing or invalid; the message names all of them.
        """
        faults: list[str] = []

        def required(name: str, meaning: str) -> str:
            value = environment.get(name, "").strip()
            if not value:
                faults.append(f"{name} is not set; set it to {meaning}.")
            return value

        def address(name: str, meaning: str, schemes: tuple[str, ...]) -> str:
            value = required(name, meaning)
            if value and (urlsplit(value).scheme not in schemes or not urlsplit(value).netloc):
                faults.append(
                    f"{name} must be an address that starts with "
                    f"{' or '.join(f'{scheme}://' for scheme in schemes)}."
                )
            return value.rstrip("/")

        settings = cls(
            livekit_url=address(
                "LIVEKIT_URL",
                "the address of the LiveKit server, such as ws://127.0.0.1:7880",
                ("ws", "wss", "http", "https"),
            ),
            livekit_api_key=required("LIVEKIT_API_KEY", "the key of the LiveKit server"),
            livekit_api_secret=required("LIVEKIT_API_SECRET", "the secret of LIVEKIT_API_KEY"),
            widgets_url=address(
                "WIDGETS_URL",
                "the address of the widget service, such as http://127.0.0.1:8080",
                ("http", "https"),
            ),
            widgets_api_key=required(
                "WIDGETS_API_KEY",
                "a key of the widget service with the scopes conversations:read_sensitive and "
                "conversations:write",
            ),
            agent_name=environment.get("AGENT_NAME", "").strip() or DEFAULT_AGENT_NAME,
            port=_port(environment.get("AGENT_PORT", "").strip() or "0", faults),
        )
        if faults:
            raise SettingsError("\n".join(faults))
        return settings


def _port(value: str, faults: list[str]) -> int:
    """The number in `value`, or 0 with a fault added."""
    if value.isascii() and value.isdigit() and int(value) <= 65_535:
        return int(value)
    faults.append("AGENT_PORT must be a number from 0 to 65535.")
    return 0
