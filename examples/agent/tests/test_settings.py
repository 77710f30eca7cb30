"""The settings: everything missing is reported at once, and secrets are never shown."""

import pytest

from settings import DEFAULT_AGENT_NAME, Settings, SettingsError

COMPLETE = {
    "LIVEKIT_URL": "ws://127.0.0.1:7880/",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-livekit-secret",
    "WIDGETS_URL": "http://127.0.0.1:8080/",
    "WIDGETS_API_KEY": "ak_1.a-widgets-secret",
}


def test_a_complete_environment_is_read() -> None:
    settings = Settings.from_environment(COMPLETE)
    assert settings.livekit_url == "ws://127.0.0.1:7880"
    assert settings.widgets_url == "http://127.0.0.1:8080"
    assert (settings.agent_name, settings.port) == (DEFAULT_AGENT_NAME, 0)
    assert "secret" not in repr(settings)


def test_name_and_port_can_be_set() -> None:
    settings = Settings.from_environment(
        {**COMPLETE, "AGENT_NAME": "harbour", "AGENT_PORT": "8081"}
    )
    assert (settings.agent_name, settings.port) == ("harbour", 8081)


def test_every_missing_variable_has_a_sentence() -> None:
    with pytest.raises(SettingsError) as fault:
        Settings.from_environment({"LIVEKIT_API_KEY": " "})
    lines = str(fault.value).splitlines()
    assert [line.split(" is not set; set it to ")[0] for line in lines] == list(COMPLETE)
    assert all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIVEKIT_URL", "127.0.0.1:7880"),
        ("WIDGETS_URL", "ws://127.0.0.1"),
        ("WIDGETS_URL", "http://"),
        ("AGENT_PORT", "-1"),
        ("AGENT_PORT", "65536"),
        ("AGENT_PORT", "٣"),
    ],
)
def test_invalid_values_are_rejected(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} must be "):
        Settings.from_environment({**COMPLETE, name: value})
