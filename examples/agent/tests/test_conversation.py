"""Whole conversations against a real LiveKit server and the real service."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock, MagicMock

import pytest
from livekit import api, rtc
from livekit.agents import Agent, ConversationItemAddedEvent, JobContext, ModelSettings, llm

import rules
from conversation import Concierge, Conversation
from job import Job
from service import WidgetService
from stack import AGENT, AGENT_NAME, LIVEKIT_KEY, LIVEKIT_SECRET, Program, Stack, said, start_worker
from visitor import TIMEOUT_SECONDS, joined

QUESTION = "What are your opening hours?"
ANSWER = "We are open from 7 am to 6 pm on weekdays, and from 8 am to 5 pm at the weekend."


def token_for(stack: Stack, room: str, conversation_id: str, agent_name: str) -> str:
    """A token that lets LiveKit dispatch `agent_name`, as LiveKit's own refreshed tokens do."""
    metadata = {
        "conversation_id": conversation_id,
        "agent_version_id": stack.agent_version_id,
        "mode": "text",
    }
    dispatch = api.RoomAgentDispatch(agent_name=agent_name, metadata=json.dumps(metadata))
    return (
        api.AccessToken(LIVEKIT_KEY, LIVEKIT_SECRET)
        .with_identity("guest_test")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .with_room_config(api.RoomConfiguration(agents=[dispatch]))
        .to_jwt()
    )


async def test_text_is_streamed_stored_and_known_after_a_resume(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        assert (await visitor.agent_words()).text == rules.greeting()
        await visitor.type(QUESTION)
        answer = await visitor.agent_words()
        assert answer.text == ANSWER
        assert answer.pieces >= 10
        await visitor.type("Which version are you?")
        assert stack.agent_version_id in (await visitor.agent_words()).text
        assert visitor.loudest < 0.001

    resumed = await stack.resume(started)
    assert resumed["room_name"] != started["room_name"]
    async with joined(resumed["server_url"], resumed["participant_token"]) as visitor:
        assert "“Which version are you?”" in (await visitor.agent_words()).text
        await visitor.type("What did I ask before?")
        assert f"“{QUESTION}”" in (await visitor.agent_words()).text
        await visitor.type("Goodbye")
        assert "Goodbye" in (await visitor.agent_words()).text
        # The agent ends the conversation after its last turn; the service removes the room.
        await asyncio.wait_for(visitor.agent_left.wait(), TIMEOUT_SECONDS)

    conversation = f"/core/conversations/{started['conversation']['id']}"
    assert (await stack.service.owner("GET", conversation))["status"] == "completed"
    messages = (await stack.service.owner("GET", f"{conversation}/messages"))["messages"]
    assert said(messages)[:3] == [
        ("agent", rules.greeting()),
        ("visitor", QUESTION),
        ("agent", ANSWER),
    ]
    assert said(messages)[-2][1] == "Goodbye"
    assert {message["reported_by"] for message in messages} == {"agent"}


async def test_messages_are_answered_in_the_order_in_which_they_were_typed(stack: Stack) -> None:
    questions = [QUESTION, "How much is a bag?"]
    for _ in range(10):
        started = await stack.new_conversation("text")
        async with joined(started["server_url"], started["participant_token"]) as visitor:
            assert (await visitor.agent_words()).text == rules.greeting()
            for question in questions:
                await visitor.type(question)
            assert (await visitor.agent_words()).text == ANSWER
            assert "12 euros" in (await visitor.agent_words()).text


async def test_the_answer_to_a_waiting_message_begins_with_the_greeting(stack: Stack) -> None:
    started = await stack.new_conversation("text", {"message_waiting": True})
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        await visitor.agent_is("listening")
        await visitor.type(QUESTION)
        assert (await visitor.agent_words()).text == f"{rules.WELCOME} {ANSWER}"


async def test_a_message_that_waits_during_a_resume_is_answered_without_a_welcome(
    stack: Stack,
) -> None:
    started = await stack.new_conversation("text")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        assert (await visitor.agent_words()).text == rules.greeting()
    resumed = await stack.resume(started, message_waiting=True)
    async with joined(resumed["server_url"], resumed["participant_token"]) as visitor:
        await visitor.agent_is("listening")
        await visitor.type(QUESTION)
        assert (await visitor.agent_words()).text == ANSWER


async def test_speech_is_recognized_answered_aloud_and_stopped_by_text_mode(stack: Stack) -> None:
    started = await stack.new_conversation("voice")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        await visitor.open_microphone()
        await visitor.hear_something()
        assert (await visitor.agent_words()).text == rules.greeting()
        assert await visitor.make_understood(QUESTION) == QUESTION
        visitor.loudest = 0.0
        assert await visitor.hear_something() > 0.02
        assert (await visitor.agent_words()).text == ANSWER
        assert visitor.loudest > 0.1

        # What the voice has not spoken yet arrives as text.
        await visitor.agent_is("listening")
        await visitor.type("Tell me about your coffee.")
        await visitor.agent_is("speaking")
        await visitor.hear_something()
        assert json.loads(await visitor.set_mode('{"mode":"text"}')) == {"mode": "text"}
        said_aloud, in_writing = await visitor.agent_words(), await visitor.agent_words()
        whole = rules.answer("Tell me about your coffee.", rules.Situation(stack.agent_version_id))
        assert isinstance(whole, rules.Say)
        assert whole.text.startswith(said_aloud.text)
        assert whole.text.endswith(in_writing.text)
        assert len(said_aloud.text) + len(in_writing.text) >= len(whole.text) - 1
        await visitor.type(QUESTION)
        assert (await visitor.agent_words()).text == ANSWER

    # It is one turn of the transcript.
    conversation = f"/core/conversations/{started['conversation']['id']}/messages"
    messages = (await stack.service.owner("GET", conversation))["messages"]
    assert ("agent", whole.text) in said(messages)


async def test_a_typed_conversation_becomes_a_spoken_one_in_the_same_room(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        assert (await visitor.agent_words()).text == rules.greeting()
        for payload in ("", "{}", '{"mode":"video"}'):
            with pytest.raises(rtc.RpcError) as rejection:
                await visitor.set_mode(payload)
            assert rejection.value.code == 1500
        await visitor.open_microphone()
        await visitor.set_mode('{"mode":"voice"}')
        assert await visitor.make_understood("Where is my order?") == "Where is my order?"
        assert await visitor.hear_something() > 0.02
        assert "should reach you tomorrow" in (await visitor.agent_words()).text


async def test_a_call_that_ends_in_the_middle_of_a_sentence_holds_back_no_answer() -> None:
    service = AsyncMock(spec=WidgetService)
    job = Job(conversation_id="c", agent_version_id="v", mode="voice", resumed=False)
    conversation = Conversation(MagicMock(spec=JobContext), job, service, ())
    answered = asyncio.Event()

    def note(event: ConversationItemAddedEvent) -> None:
        if ANSWER in (getattr(event.item, "text_content", None) or ""):
            answered.set()

    conversation.session.on("conversation_item_added", note)
    try:
        await conversation.session.start(Agent(instructions=""), record=False)
        await conversation.set_mode("text")
        # The recognizer's last word of the call, which comes after its end.
        assert conversation.session._activity is not None
        conversation.session._activity._user_silence_event.clear()
        await conversation.answer(QUESTION)
        await asyncio.wait_for(answered.wait(), TIMEOUT_SECONDS)
    finally:
        await conversation.session.aclose()


async def test_an_answer_is_complete_before_its_voice_is_stopped() -> None:
    """The model stops with the voice, and what it had not written would be lost."""

    class Speech:
        async def wait_for_playout(self) -> None:
            await asyncio.Event().wait()

    begun = asyncio.Event()

    async def answer(beginning: str, rest: asyncio.Future[str]) -> AsyncIterator[str]:
        yield beginning
        begun.set()
        yield await rest

    async def read(words: AsyncIterator[str]) -> None:
        async for _ in words:
            pass

    conversation = MagicMock()
    concierge = Concierge(conversation, llm.ChatContext.empty())
    for beginning, end in (("One ", "two."), ("Three ", "four.")):
        conversation.session.current_speech = speech = Speech()
        rest = asyncio.get_running_loop().create_future()
        # Before its first word is known, too: the answer before is another one.
        composing = asyncio.create_task(concierge.compose(speech))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        words = concierge.transcription_node(answer(beginning, rest), ModelSettings())
        reading = asyncio.create_task(read(words))
        await begun.wait()
        begun.clear()
        assert concierge.unspoken(speech, "") == beginning.strip()  # type: ignore[arg-type]
        assert not composing.done()
        rest.set_result(end)
        await composing
        assert concierge.unspoken(speech, beginning) == end  # type: ignore[arg-type]
        await reading


async def test_the_newest_mode_counts_while_the_voice_is_stopped() -> None:
    job = Job(conversation_id="c", agent_version_id="v", mode="voice", resumed=False)
    service = AsyncMock(spec=WidgetService)
    conversation = Conversation(MagicMock(spec=JobContext), job, service, ())
    stopping, stopped = asyncio.Event(), asyncio.Event()

    async def stop_speaking() -> str:
        stopping.set()
        await stopped.wait()
        return ""

    conversation._stop_speaking = stop_speaking  # type: ignore[method-assign]
    hanging_up = asyncio.create_task(conversation.set_mode("text"))
    await stopping.wait()
    calling = asyncio.create_task(conversation.set_mode("voice"))
    await asyncio.sleep(0)
    stopped.set()
    await asyncio.gather(hanging_up, calling)
    assert conversation._mode == "voice"


@pytest.mark.parametrize(
    ("earlier", "is_new_page", "expected"),
    [
        ((), False, rules.welcome_back(())),
        ((), True, rules.greeting()),
        ((rules.Turn("visitor", "Hello"),), True, rules.greeting()),
        ((rules.Turn("agent", "Hello"),), True, None),
    ],
)
async def test_who_changes_the_page_is_greeted_unless_that_was_done(
    earlier: tuple[rules.Turn, ...], is_new_page: bool, expected: str | None
) -> None:
    job = Job(conversation_id="c", agent_version_id="v", mode="text", resumed=True)
    service = AsyncMock(spec=WidgetService)
    conversation = Conversation(
        MagicMock(spec=JobContext), job, service, earlier, is_new_page=is_new_page
    )
    said = MagicMock()
    conversation.say = said  # type: ignore[method-assign]
    await conversation._agent.on_enter()
    assert [call.args[0] for call in said.call_args_list] == ([expected] if expected else [])


async def test_a_form_is_shown_and_confirmed(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        await visitor.agent_words()
        await visitor.type("Can someone contact me?")
        assert "hello@harbour-coffee.example" in (await visitor.agent_words()).text
        answer = {"submitted": True, "values": {"name": "Ada", "email": "ada@example.com"}}
        visitor.answer_forms(rules.CONTACT_FORM, lambda: json.dumps(answer))
        await visitor.type("Can someone contact me?")
        texts = {(await visitor.agent_words()).text for _ in range(2)}
        assert any("short form" in text for text in texts)
        assert any(text.startswith("Thank you, Ada!") for text in texts)


async def test_the_agent_knows_the_context_of_the_page(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        await visitor.agent_words()
        await visitor.send_context({"product": "Sidamo"})
        await visitor.type("What is on this page?")
        assert (await visitor.agent_words()).text == "The page sent these details: product: Sidamo."


async def test_a_conversation_that_is_over_is_not_started_again(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    conversation_id = started["conversation"]["id"]
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        await visitor.agent_words()
        await stack.service.owner("POST", f"/core/conversations/{conversation_id}/end", {})
        await asyncio.wait_for(visitor.disconnected.wait(), TIMEOUT_SECONDS)
    # The service does not know this room and does not remove it; the worker has to ask.
    token = token_for(stack, f"elsewhere-{conversation_id}", conversation_id, AGENT_NAME)
    async with joined(stack.livekit_url, token) as visitor:
        await stack.worker.wait_for_line(f"conversation {conversation_id} is over")
        assert not visitor.agents_seen


async def test_an_earlier_room_is_left_at_once(stack: Stack) -> None:
    started = await stack.new_conversation("text")
    conversation_id = started["conversation"]["id"]
    # The service does not know this room and does not remove it; the worker has to ask.
    token = token_for(stack, f"elsewhere-{conversation_id}", conversation_id, AGENT_NAME)
    async with joined(stack.livekit_url, token) as visitor:
        await stack.worker.wait_for_line(
            f"conversation {conversation_id} continues in another room"
        )
        assert not visitor.agents_seen
    async with joined(started["server_url"], started["participant_token"]) as visitor:
        assert (await visitor.agent_words()).text == rules.greeting()


async def test_the_worker_stops_on_a_signal_during_a_conversation(stack: Stack) -> None:
    # Another dispatch name, so that the other tests keep their worker.
    name = "concierge-to-stop"
    worker = await start_worker({**stack.worker_environment, "AGENT_NAME": name})
    try:
        started = await stack.new_conversation("text")
        token = token_for(stack, started["room_name"], started["conversation"]["id"], name)
        async with joined(stack.livekit_url, token) as visitor:
            await visitor.agent_words()
            worker.process.terminate()
            # Each step has its own timeout; their sum is not tested here.
            await asyncio.wait_for(visitor.agent_left.wait(), TIMEOUT_SECONDS)
            assert await asyncio.wait_for(worker.process.wait(), TIMEOUT_SECONDS) == 0
    finally:
        await worker.stop()
    assert worker.output == ["agent ready"]


async def test_a_worker_without_settings_reports_what_is_missing() -> None:
    names = [
        "LIVEKIT_URL",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "WIDGETS_URL",
        "WIDGETS_API_KEY",
    ]
    worker = await Program.start(
        sys.executable, str(AGENT / "agent.py"), "start", environment=dict.fromkeys(names, "")
    )
    assert await asyncio.wait_for(worker.process.wait(), TIMEOUT_SECONDS) == 2
    await worker.stop()
    assert [line.split(" ")[0] for line in worker.errors] == names


async def test_logs_contain_no_secrets_and_no_transcripts(stack: Stack) -> None:
    log = "\n".join(stack.worker.errors)
    assert "registered worker" in log
    for secret in (
        LIVEKIT_SECRET,
        stack.worker_environment["WIDGETS_API_KEY"],
        "eyJ",
        QUESTION,
        ANSWER,
        "Ada",
    ):
        assert secret not in log
