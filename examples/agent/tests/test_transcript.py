"""The transcript: every turn arrives once and in order, and the dialogue never waits for it."""

from collections.abc import Sequence

from service import Message, ServiceError
from transcript import LONGEST_TEXT_BYTES, TranscriptWriter, message_id

CONVERSATION = "0197b2c4-5d6e-7f80-8912-3456789abcde"


class Shelf:
    """A place for turns that first fails in the ways it is told."""

    def __init__(self, *failures: ServiceError, refuses: str = "") -> None:
        self.kept: list[Message] = []
        self.pauses: list[float] = []
        self._failures = list(failures)
        self._refuses = refuses

    async def append(self, conversation_id: str, messages: Sequence[Message]) -> None:
        assert conversation_id == CONVERSATION
        if self._failures:
            raise self._failures.pop(0)
        if self._refuses and any(message.text == self._refuses for message in messages):
            raise ServiceError("refused", passing=False)
        self.kept.extend(messages)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def writer(self) -> TranscriptWriter:
        return TranscriptWriter(CONVERSATION, self.append, pause=self.pause)


async def test_turns_are_kept_in_order_with_times_in_utc() -> None:
    shelf = Shelf()
    writer = shelf.writer()
    writer.add("item_1", "visitor", "Hello", 0.0)
    writer.add("item_2", "agent", "Welcome", 1_764_000_000.25)
    writer.add("item_3", "agent", "  ", 3.0)
    await writer.close(5)
    assert [(turn.role, turn.text, turn.created_at) for turn in shelf.kept] == [
        ("visitor", "Hello", "1970-01-01T00:00:00Z"),
        ("agent", "Welcome", "2025-11-24T16:00:00.250000Z"),
    ]


async def test_an_outage_is_waited_out_with_growing_pauses() -> None:
    shelf = Shelf(*[ServiceError("away", passing=True)] * 8)
    writer = shelf.writer()
    writer.add("item_1", "visitor", "Hello", 0.0)
    await writer.close(5)
    assert [turn.text for turn in shelf.kept] == ["Hello"]
    assert len(shelf.pauses) == 8
    assert 0.1 <= shelf.pauses[0] <= 0.2
    assert 2.5 <= shelf.pauses[-1] <= 5.0


async def test_a_refused_turn_does_not_take_the_others_with_it() -> None:
    shelf = Shelf(refuses="no")
    writer = shelf.writer()
    for number, text in enumerate(["first", "no", "last"]):
        writer.add(f"item_{number}", "visitor", text, 0.0)
    await writer.close(5)
    assert [turn.text for turn in shelf.kept] == ["first", "last"]
    assert shelf.pauses == []


async def test_a_text_is_cut_where_the_service_would_refuse_it() -> None:
    shelf = Shelf()
    writer = shelf.writer()
    writer.add("item_1", "visitor", "é" * LONGEST_TEXT_BYTES, 0.0)
    await writer.close(5)
    assert shelf.kept[0].text == "é" * (LONGEST_TEXT_BYTES // 2)


def test_an_item_has_the_same_id_however_often_it_is_sent() -> None:
    other = "0197b2c4-5d6e-7f80-8912-3456789abcdf"
    assert message_id(CONVERSATION, "item_1") == message_id(CONVERSATION, "item_1")
    assert len({message_id(c, i) for c in (CONVERSATION, other) for i in ("item_1", "item_2")}) == 4
