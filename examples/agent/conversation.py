"""One conversation in one room: what is said, how it is said, and what the window and the service are told.

The pieces of a LiveKit agent are put together here. To use a real model, change what `AgentSession` is given.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Sequence

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    ConversationItemAddedEvent,
    JobContext,
    ModelSettings,
    RunContext,
    function_tool,
    inference,
    llm,
    room_io,
    stt,
)

import rules
from job import Job, JobError, Mode, parse_mode
from model import RulesModel, words_of
from service import ServiceError, WidgetService
from speech import HEARING_RATE, Hearing, Voice
from transcript import TranscriptWriter

logger = logging.getLogger("concierge")

FLUSH_SECONDS = 3.0
"""How long the end of a conversation waits for its last turns to be stored."""
FORM_SECONDS = 15 * 60.0
"""How long a visitor may take to fill in a form."""
QUICK_REFUSAL_SECONDS = 1.5
"""Within this time a window that cannot show a form has said so."""
SILENCE_SECONDS = 1.0
"""How long a change to text waits for the voice to stop; it takes some milliseconds."""


class Concierge(Agent):
    """The agent of Harbour Coffee in one room."""

    def __init__(self, conversation: Conversation, earlier: llm.ChatContext) -> None:
        super().__init__(
            # Read by a real model; the rules know it already.
            instructions="You are the friendly concierge of Harbour Coffee. Answer in one to three short sentences.",
            chat_ctx=earlier,
        )
        self._conversation = conversation
        self._composed = ""

    async def on_enter(self) -> None:
        """Greet, or show that the earlier part of the conversation is known."""
        conversation = self._conversation
        text = rules.welcome_back(conversation.earlier) if conversation.job.resumed else rules.greeting()
        # Whole, not word by word: a visitor who has typed already would see only its first words.
        self.session.say(text)

    async def transcription_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[str]:
        """Pass the words on, and keep them for `unsaid`: they are composed faster than they are spoken."""
        self._composed = ""
        async for words in text:
            self._composed += words
            yield words

    def unsaid(self, said: str) -> str:
        """What is left of the latest answer when only its beginning, `said`, has been heard."""
        composed = self._composed.strip()
        return composed[len(said.strip()) :].strip() if composed.startswith(said.strip()) else ""

    @function_tool
    async def show_form(self, context: RunContext[None], form_id: str) -> str:
        """Open a form of the widget in the visitor's window.

        Args:
            form_id: the id of the form in the widget's configuration.
        """
        return await self._conversation.show_form(form_id)

    @function_tool
    async def end_conversation(self, context: RunContext[None]) -> str:
        """End the conversation, once the visitor has said goodbye."""
        context.speech_handle.add_done_callback(lambda _: self._conversation.end_soon())
        return "ending"


class Conversation:
    """One conversation in one room: the session, the visitor's window and the service kept in step."""

    def __init__(self, context: JobContext, job: Job, service: WidgetService, earlier: Sequence[rules.Turn]) -> None:
        self.job = job
        self.earlier = earlier
        self._context = context
        self._service = service
        self._mode: Mode = job.mode
        self._page: dict[str, object] = {}
        self._said_last = ""
        self._transcript = TranscriptWriter(job.conversation_id, service.append)
        self._tasks: set[asyncio.Task[None]] = set()
        self._agent = Concierge(self, _chat_of(earlier))
        self._model = RulesModel(agent_version_id=job.agent_version_id, mode=lambda: self._mode, page=self._page)
        hearing = inference.VAD(model="silero")
        self.session: AgentSession[None] = AgentSession(
            vad=hearing,
            stt=stt.StreamAdapter(stt=Hearing(), vad=hearing),
            llm=self._model,
            tts=Voice(),
            # Left to its defaults the framework asks its cloud where a turn ends.
            turn_handling={"turn_detection": "vad", "interruption": {"enabled": True, "mode": "vad"}},
            user_away_timeout=None,
            aec_warmup_duration=None,
            session_close_transcript_timeout=0.5,
        )

    async def start(self) -> None:
        """Join the room and greet."""
        self._context.add_shutdown_callback(self.close)
        self.session.on("conversation_item_added", self._on_item)
        self.session.on("close", lambda event: self._context.shutdown(f"the session closed: {event.reason.value}"))
        await self._context.connect()
        room = self._context.room
        room.local_participant.register_rpc_method("set_mode", self._on_set_mode)
        room.register_text_stream_handler("web-widget.context", self._on_context)
        room.register_text_stream_handler("web-widget.form", self._on_late_form)
        # The greeting is spoken inside `start`, so the mode has to hold before it.
        self._apply(self._mode)
        await self.session.start(
            self._agent,
            room=room,
            room_options=room_io.RoomOptions(
                # Browsers level the microphone already; a second levelling would overdrive the first words.
                audio_input=room_io.AudioInputOptions(sample_rate=HEARING_RATE, auto_gain_control=False)
            ),
            # Nothing is recorded or uploaded, and the visitor cannot steer the session from outside.
            record=False,
            session_host=False,
        )

    async def close(self) -> None:
        """Store the last turns; called when the job ends, however it ends."""
        for task in self._tasks:
            task.cancel()
        # What was being said when it ended is a turn too, and is known once the session is closed.
        await self.session.aclose()
        await self._transcript.close(FLUSH_SECONDS)
        await self._service.close()

    async def in_words(self, text: str) -> AsyncIterator[str]:
        """The text word by word, at the pace of the model's answers."""
        for word in words_of(text):
            yield word
            await asyncio.sleep(self._model.seconds_between_words())

    async def show_form(self, form_id: str) -> str:
        """Ask the window for a form. The answer comes minutes later, and the dialogue goes on meanwhile."""
        visitor = next(iter(self._context.room.remote_participants.values()), None)
        if visitor is None:
            return "unavailable"
        request = asyncio.create_task(
            self._context.room.local_participant.perform_rpc(
                destination_identity=visitor.identity,
                method=f"show_form_{form_id}",
                payload=json.dumps({"form_id": form_id}),
                response_timeout=FORM_SECONDS,
            )
        )
        done, _ = await asyncio.wait({request}, timeout=QUICK_REFUSAL_SECONDS)
        if done and request.exception():
            return "unavailable"
        self._spawn(self._answer_form(request))
        return "shown"

    def end_soon(self) -> None:
        """End the conversation at the service, after the last words."""
        self._spawn(self._end())

    async def _end(self) -> None:
        await self._transcript.flush(FLUSH_SECONDS)
        try:
            await self._service.end(self.job.conversation_id)
        except ServiceError as error:
            logger.warning("the conversation was not ended: %s", error)
        self._context.shutdown("the visitor said goodbye")

    async def _answer_form(self, request: asyncio.Task[str]) -> None:
        try:
            self._thank(await request)
        except rtc.RpcError as error:
            # When time has run out the window sends the values as a text stream instead.
            logger.info("no answer to the form came in time: code %s", error.code)

    def _thank(self, answer_of_window: str) -> None:
        try:
            document = json.loads(answer_of_window)
        except ValueError:
            document = None
        if isinstance(document, dict):
            self.session.say(self.in_words(rules.after_form(document)))

    def _apply(self, mode: Mode) -> None:
        self._mode = mode
        for side in (self.session.input, self.session.output):
            if side.audio_enabled != (mode == "voice"):
                side.set_audio_enabled(mode == "voice")

    async def _on_set_mode(self, call: rtc.RpcInvocationData) -> str:
        try:
            mode = parse_mode(call.payload)
        except JobError as error:
            raise rtc.RpcError(1500, str(error)) from None
        unsaid = await self._silence() if mode == "text" and self._mode == "voice" else ""
        self._apply(mode)
        if unsaid:
            self.session.say(self.in_words(unsaid))
        return json.dumps({"mode": mode})

    async def _silence(self) -> str:
        """Stop the voice, and return what it had not said yet, so that it can be read instead."""
        if not (speech := self.session.current_speech):
            return ""
        self._said_last = ""
        try:
            await asyncio.wait_for(asyncio.shield(self.session.interrupt()), SILENCE_SECONDS)
        except (TimeoutError, RuntimeError):
            return ""
        return self._agent.unsaid(self._said_last) if speech.interrupted else ""

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, llm.ChatMessage) and item.role in ("user", "assistant"):
            role: rules.Role = "visitor" if item.role == "user" else "agent"
            text = item.text_content or ""
            if role == "agent":
                self._said_last = text
            self._transcript.add(item.id, role, text, item.created_at)

    def _on_context(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._spawn(self._read_context(reader))

    async def _read_context(self, reader: rtc.TextStreamReader) -> None:
        try:
            document = json.loads(await reader.read_all())
        except ValueError:
            return
        if isinstance(document, dict):
            self._page.clear()
            self._page.update(document)

    def _on_late_form(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._spawn(self._read_late_form(reader))

    async def _read_late_form(self, reader: rtc.TextStreamReader) -> None:
        self._thank(await reader.read_all())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _chat_of(turns: Sequence[rules.Turn]) -> llm.ChatContext:
    """The earlier transcript as a model reads it."""
    chat = llm.ChatContext.empty()
    for turn in turns:
        chat.add_message(role="user" if turn.role == "visitor" else "assistant", content=turn.text)
    return chat
