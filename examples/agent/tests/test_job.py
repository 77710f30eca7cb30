"""The dispatch metadata: only what the widget service writes is accepted."""

import json

import pytest

from job import Job, JobError, parse_mode

IDS = {
    "conversation_id": "0197b2c4-5d6e-7f80-8912-3456789abcde",
    "agent_version_id": "0197b2c4-5d6e-7f80-8912-3456789abcdf",
}


def test_metadata_of_the_service_is_read() -> None:
    metadata = json.dumps({**IDS, "mode": "voice", "resumed": True})
    assert Job.parse(metadata) == Job(
        IDS["conversation_id"], IDS["agent_version_id"], "voice", True
    )


def test_mode_and_resumed_have_defaults() -> None:
    job = Job.parse(json.dumps(IDS))
    assert (job.mode, job.resumed) == ("text", False)


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ("", "must be JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "`conversation_id` must be a UUID"),
        (
            json.dumps({**IDS, "conversation_id": "../../agents"}),
            "`conversation_id` must be a UUID",
        ),
        (json.dumps({**IDS, "conversation_id": 7}), "`conversation_id` must be a UUID"),
        (json.dumps({**IDS, "agent_version_id": None}), "`agent_version_id` must be a UUID"),
        (json.dumps({**IDS, "mode": "video"}), "`mode` must be"),
        (json.dumps({**IDS, "resumed": 1}), "`resumed` must be"),
    ],
)
def test_anything_else_is_rejected_with_its_reason(metadata: str, fault: str) -> None:
    with pytest.raises(JobError, match=fault):
        Job.parse(metadata)


def test_set_mode_accepts_text_and_voice_only() -> None:
    assert parse_mode('{"mode":"text"}') == "text"
    assert parse_mode('{"mode":"voice"}') == "voice"
    for payload in ("", "null", "{}", '{"mode":"LocalTextToSpeech"}', '{"mode":["text"]}'):
        with pytest.raises(JobError):
            parse_mode(payload)
