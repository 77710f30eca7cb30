"""The transcript: every turn arrives once and in order, also after an outage."""

from collections.abc import Sequence

from service import Message, ServiceError
from transcript import MAX_TEXT_BYTES, TranscriptWriter, message_id

CONVERSATION = "0197b2c4-5d6e-7f80-8912-3456789abcde"


class FakeService:
    """Stores turns after failing as configured."""

    def __init__(self, *failures: ServiceError, rejected: str = "") -> None:
        self.stored: list[Message] = []
        self.pauses: list[float] = []
        self._failures = list(failures)
        self._rejected = rejected

    async def append(self, conversation_id: str, messages: Sequence[Message]) -> None:
        assert conversation_id == CONVERSATION
        if self._failures:
            raise self._failures.pop(0)
        if self._rejected and any(message.text == self._rejected for message in messages):
            raise ServiceError("rejected", is_temporary=False)
        self.stored.extend(messages)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def writer(self) -> TranscriptWriter:
        return TranscriptWriter(CONVERSATION, self.append, pause=self.pause)


async def test_turns_are_stored_in_order_with_times_in_utc() -> None:
    fake = FakeService()
    writer = fake.writer()
    writer.add("item_1", "visitor", "Hello", 0.0)
    writer.add("item_2", "agent", "Welcome", 1_764_000_000.25)
    writer.add("item_3", "agent", "  ", 3.0)
    await writer.close(5)
    assert [(turn.role, turn.text, turn.created_at) for turn in fake.stored] == [
        ("visitor", "Hello", "1970-01-01T00:00:00Z"),
        ("agent", "Welcome", "2025-11-24T16:00:00.250000Z"),
    ]


async def test_an_outage_is_retried_with_backoff() -> None:
    fake = FakeService(*[ServiceError("away", is_temporary=True)] * 8)
    writer = fake.writer()
    writer.add("item_1", "visitor", "Hello", 0.0)
    await writer.close(5)
    assert [turn.text for turn in fake.stored] == ["Hello"]
    assert len(fake.pauses) == 8
    assert 0.1 <= fake.pauses[0] <= 0.2
    assert 2.5 <= fake.pauses[-1] <= 5.0


async def test_a_rejected_turn_does_not_lose_the_others() -> None:
    fake = FakeService(rejected="no")
    writer = fake.writer()
    for number, text in enumerate(["first", "no", "last"]):
        writer.add(f"item_{number}", "visitor", text, 0.0)
    await writer.close(5)
    assert [turn.text for turn in fake.stored] == ["first", "last"]
    assert fake.pauses == []


async def test_a_text_is_cut_at_the_limit_of_the_service() -> None:
    fake = FakeService()
    writer = fake.writer()
    writer.add("item_1", "visitor", "é" * MAX_TEXT_BYTES, 0.0)
    await writer.close(5)
    assert fake.stored[0].text == "é" * (MAX_TEXT_BYTES // 2)


def test_an_item_always_has_the_same_id() -> None:
    other = "0197b2c4-5d6e-7f80-8912-3456789abcdf"
    assert message_id(CONVERSATION, "item_1") == message_id(CONVERSATION, "item_1")
    assert len({message_id(c, i) for c in (CONVERSATION, other) for i in ("item_1", "item_2")}) == 4
