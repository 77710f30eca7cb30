"""One conversation in one room: the agent session, the mode, forms, and the transcript.

To use a real model, change the arguments of `AgentSession` here. What the agent answers is in
`rules.py`.
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
from livekit.agents.voice import SpeechHandle

import rules
from job import Job, JobError, Mode, parse_mode
from model import RulesModel, split_words
from service import ServiceError, WidgetService
from speech import RECOGNITION_RATE, LocalSpeechToText, LocalTextToSpeech
from transcript import TranscriptWriter

logger = logging.getLogger("concierge")

FLUSH_TIMEOUT_SECONDS = 3.0
"""How long the end of a conversation waits until its last turns are stored."""
FORM_TIMEOUT_SECONDS = 15 * 60.0
"""How long a visitor has to fill in a form."""
FORM_REJECTION_SECONDS = 1.5
"""A window that cannot show a form answers within this time."""
WAITING_MESSAGE_SECONDS = 10.0
"""How long the greeting waits for a message that the visitor sent before the agent arrived."""
STOP_SPEAKING_TIMEOUT_SECONDS = 10.0
"""How long a change to text mode waits for the voice to stop: milliseconds, unless the machine is
overloaded. What was not spoken is lost when it takes longer."""
COMPOSE_TIMEOUT_SECONDS = 5.0
"""How long a change to text mode waits for the rest of the answer that the voice speaks. What comes
later is lost."""


class Concierge(Agent):
    """The agent of Harbour Coffee in one room."""

    def __init__(self, conversation: Conversation, earlier: llm.ChatContext) -> None:
        super().__init__(
            # For a real model; `RulesModel` ignores it.
            instructions="You are the friendly concierge of Harbour Coffee. "
            "Answer in one to three short sentences.",
            chat_ctx=earlier,
        )
        self._conversation = conversation
        self._composed = ""
        self._composed_for: SpeechHandle | None = None
        self._composing_ended = asyncio.Event()

    async def on_enter(self) -> None:
        """Greet, or refer to the earlier part of a resumed conversation."""
        conversation = self._conversation
        if conversation.is_new_page and conversation.has_greeted:
            # The visitor was never away.
            return
        if conversation.message_waits:
            # The answer comes first; that to the first question begins with the greeting.
            return conversation.greet_later()
        # Not word by word: a visitor who types meanwhile would see only the first words.
        conversation.say(conversation.first_words())

    async def transcription_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[str]:
        """Pass the words on and keep them for `unspoken`: text is ready before it is spoken."""
        speech = self._conversation.session.current_speech
        self._composed, self._composed_for = "", speech
        self._composing_ended.clear()
        try:
            async for words in text:
                self._composed += words
                yield words
        finally:
            if self._composed_for is speech:
                self._composing_ended.set()

    async def compose(self, speech: SpeechHandle) -> None:
        """Wait until all of an answer is known, or its time is over.

        The model may still write what the voice has begun to speak, and stops with the voice.
        """
        if self._composed_for is not speech:
            self._composing_ended.clear()
        waiting = {
            asyncio.ensure_future(self._composing_ended.wait()),
            asyncio.ensure_future(speech.wait_for_playout()),
        }
        _, pending = await asyncio.wait(
            waiting, timeout=COMPOSE_TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()

    def unspoken(self, speech: SpeechHandle, said: str) -> str:
        """The rest of an answer, of which only the beginning `said` was spoken."""
        composed = self._composed.strip() if self._composed_for is speech else ""
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
    """One conversation in one room; keeps session, window and service in sync."""

    def __init__(
        self,
        context: JobContext,
        job: Job,
        service: WidgetService,
        earlier: Sequence[rules.Turn],
        *,
        message_waits: bool = False,
        is_new_page: bool = False,
    ) -> None:
        """`is_new_page`: it continues on another page of the site, without an interruption."""
        self.job = job
        self.earlier = earlier
        self.message_waits = message_waits
        self.is_new_page = is_new_page
        self._context = context
        self._service = service
        self._mode: Mode = job.mode
        self._page_context: dict[str, object] = {}
        self._page_state: dict[str, object] = {}
        self._last_spoken = ""
        self._has_turns = asyncio.Event()
        self._is_stopping = False
        self._mode_lock = asyncio.Lock()
        """A change of the mode takes a moment, in which the visitor may change it again."""
        self._cut: llm.ChatMessage | None = None
        """The spoken part of an answer whose rest is being written; stored together with it."""
        self._transcript = TranscriptWriter(job.conversation_id, service.append)
        self._tasks: set[asyncio.Task[None]] = set()
        self._typed: asyncio.Queue[rtc.TextStreamReader] = asyncio.Queue()
        self._agent = Concierge(self, _build_chat(earlier))
        self._model = RulesModel(
            agent_version_id=job.agent_version_id,
            mode=lambda: self._mode,
            page_context=self._page_context,
            page_state=self._page_state,
        )
        hearing = inference.VAD(model="silero")
        self.session: AgentSession[None] = AgentSession(
            vad=hearing,
            stt=stt.StreamAdapter(stt=LocalSpeechToText(), vad=hearing),
            llm=self._model,
            tts=LocalTextToSpeech(),
            # By default the framework asks its cloud where a turn ends.
            turn_handling={
                "turn_detection": "vad",
                "interruption": {"enabled": True, "mode": "vad"},
            },
            user_away_timeout=None,
            aec_warmup_duration=None,
            session_close_transcript_timeout=0.5,
        )

    async def start(self) -> None:
        """Join the room and greet."""
        self._context.add_shutdown_callback(self.close)
        self.session.on("conversation_item_added", self._on_item)
        self.session.on(
            "close",
            lambda event: self._context.shutdown(f"the session closed: {event.reason.value}"),
        )
        await self._context.connect()
        room = self._context.room
        room.local_participant.register_rpc_method("set_mode", self._on_set_mode)
        room.register_text_stream_handler("lk.chat", self._on_typed)
        room.register_text_stream_handler("web-widget.context", self._on_context)
        room.register_text_stream_handler("web-widget.page", self._on_page)
        room.register_text_stream_handler("web-widget.form", self._on_late_form)
        # The greeting is spoken inside `start`, so the mode is set before.
        self._apply(self._mode)
        await self.session.start(
            self._agent,
            room=room,
            room_options=room_io.RoomOptions(
                # Browsers control the gain already; doing it twice distorts the first words.
                audio_input=room_io.AudioInputOptions(
                    sample_rate=RECOGNITION_RATE, auto_gain_control=False
                ),
                # `_answer_typed` reads it.
                text_input=False,
            ),
            # Nothing is recorded or uploaded, and the visitor cannot control the session.
            record=False,
            session_host=False,
        )
        self._spawn(self._answer_typed())

    async def close(self) -> None:
        """Store the last turns; called whenever the job ends."""
        for task in self._tasks:
            task.cancel()
        # Closing the session completes the turn that was being spoken.
        await self.session.aclose()
        self._store_cut()
        await self._transcript.close(FLUSH_TIMEOUT_SECONDS)
        await self._service.close()

    @property
    def has_greeted(self) -> bool:
        """Whether an agent has said something in an earlier room."""
        return any(turn.role == "agent" for turn in self.earlier)

    def first_words(self) -> str:
        """The words of an agent that has not been asked anything."""
        # The visitor may have left the first page before the agent of its room could speak.
        is_back = self.job.resumed and not self.is_new_page
        return rules.welcome_back(self.earlier) if is_back else rules.greeting()

    def say(self, text: str | AsyncIterable[str]) -> None:
        """Say it, in the present mode."""
        self.session.say(text, allow_interruptions=self._can_be_interrupted())

    def _on_typed(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._typed.put_nowait(reader)

    async def _answer_typed(self) -> None:
        """Answer what the visitor types, message by message.

        They begin to arrive in the order in which they were sent, and can be complete in another.
        """
        while True:
            reader = await self._typed.get()
            try:
                await self.answer(await reader.read_all())
            except rtc.StreamError as error:
                logger.warning("a message did not arrive whole: %s", error)

    async def answer(self, text: str) -> None:
        """Answer a message.

        A voice stops for it. In writing, the answer to the message before is completed first.
        """
        if self._mode == "voice":
            await self.session.interrupt(force=True)
        reply = self.session.generate_reply(
            user_input=text, allow_interruptions=self._can_be_interrupted()
        )
        if self._mode == "text":
            await reply

    def _can_be_interrupted(self) -> bool:
        """Whether a voice may interrupt what the agent says next.

        What can be interrupted waits until the visitor is silent, and a call that ends in the
        middle of a sentence can leave the framework waiting for the end of that sentence.
        """
        return self._mode == "voice"

    def greet_later(self) -> None:
        """Greet if the message that the service announced does not come."""
        self._spawn(self._greet_later())

    async def _greet_later(self) -> None:
        try:
            await asyncio.wait_for(self._has_turns.wait(), WAITING_MESSAGE_SECONDS)
        except TimeoutError:
            self.say(self.first_words())

    async def stream_words(self, text: str) -> AsyncIterator[str]:
        """Yield the text word by word, at the pace of the model's answers."""
        for word in split_words(text):
            yield word
            await asyncio.sleep(self._model.seconds_between_words())

    async def show_form(self, form_id: str) -> str:
        """Ask the window to show a form.

        The visitor may answer minutes later; the dialogue continues meanwhile.
        """
        visitor = next(iter(self._context.room.remote_participants.values()), None)
        if visitor is None:
            return "unavailable"
        request = asyncio.create_task(
            self._context.room.local_participant.perform_rpc(
                destination_identity=visitor.identity,
                method=f"show_form_{form_id}",
                payload=json.dumps({"form_id": form_id}),
                response_timeout=FORM_TIMEOUT_SECONDS,
            )
        )
        done, _ = await asyncio.wait({request}, timeout=FORM_REJECTION_SECONDS)
        if done and request.exception():
            return "unavailable"
        self._spawn(self._answer_form(request))
        return "shown"

    def end_soon(self) -> None:
        """End the conversation at the service, after the last words."""
        self._spawn(self._end())

    async def _end(self) -> None:
        await self._transcript.flush(FLUSH_TIMEOUT_SECONDS)
        try:
            await self._service.end(self.job.conversation_id)
        except ServiceError as error:
            logger.warning("the conversation could not be ended: %s", error)
        self._context.shutdown("the visitor said goodbye")

    async def _answer_form(self, request: asyncio.Task[str]) -> None:
        try:
            self._confirm_form(await request)
        except rtc.RpcError as error:
            # After the timeout the window sends the values as a text stream instead.
            logger.info("the form was not answered in time: code %s", error.code)

    def _confirm_form(self, form_answer: str) -> None:
        try:
            document = json.loads(form_answer)
        except ValueError:
            document = None
        if isinstance(document, dict):
            self.say(self.stream_words(rules.after_form(document)))

    def _apply(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "voice" and (speech := self.session.current_speech) and not speech.interrupted:
            speech.allow_interruptions = True
        for side in (self.session.input, self.session.output):
            if side.audio_enabled != (mode == "voice"):
                side.set_audio_enabled(mode == "voice")

    async def _on_set_mode(self, call: rtc.RpcInvocationData) -> str:
        try:
            mode = parse_mode(call.payload)
        except JobError as error:
            raise rtc.RpcError(1500, str(error)) from None
        # To its end, also if the window no longer waits for the answer.
        await asyncio.shield(self._spawn(self.set_mode(mode)))
        return json.dumps({"mode": mode})

    async def set_mode(self, mode: Mode) -> None:
        """Change the mode; what the voice has not said yet is written."""
        async with self._mode_lock:
            is_call_over = mode == "text" and self._mode == "voice"
            unspoken = await self._stop_speaking() if is_call_over else ""
            self._apply(mode)
            if unspoken:
                self.say(self.stream_words(unspoken))
            else:
                self._store_cut()

    async def _stop_speaking(self) -> str:
        """Stop the voice and return what it had not spoken yet, to be sent as text."""
        if not (speech := self.session.current_speech):
            return ""
        await self._agent.compose(speech)
        self._last_spoken = ""
        self._is_stopping = True
        try:
            await asyncio.wait_for(
                asyncio.shield(self.session.interrupt(force=True)), STOP_SPEAKING_TIMEOUT_SECONDS
            )
        except TimeoutError:
            return ""
        finally:
            self._is_stopping = False
        return self._agent.unspoken(speech, self._last_spoken) if speech.interrupted else ""

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, llm.ChatMessage) and item.role in ("user", "assistant"):
            self._has_turns.set()
            role: rules.Role = "visitor" if item.role == "user" else "agent"
            text = item.text_content or ""
            if role == "agent":
                self._last_spoken = text
                if self._is_stopping:
                    self._cut = item
                    return
                if cut := self._cut:
                    self._cut = None
                    text = f"{(cut.text_content or '').rstrip()} {text}"
                    return self._transcript.add(cut.id, role, text, cut.created_at)
            self._store_cut()
            self._transcript.add(item.id, role, text, item.created_at)

    def _store_cut(self) -> None:
        """Store the part of an answer that was spoken: its rest does not come."""
        if cut := self._cut:
            self._cut = None
            self._transcript.add(cut.id, "agent", cut.text_content or "", cut.created_at)

    def _on_context(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._spawn(self._read_context(reader))

    async def _read_context(self, reader: rtc.TextStreamReader) -> None:
        await _read_into(self._page_context, reader)

    def _on_page(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._spawn(_read_into(self._page_state, reader))

    def _on_late_form(self, reader: rtc.TextStreamReader, _sender: str) -> None:
        self._spawn(self._read_late_form(reader))

    async def _read_late_form(self, reader: rtc.TextStreamReader) -> None:
        self._confirm_form(await reader.read_all())

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _read_into(known: dict[str, object], reader: rtc.TextStreamReader) -> None:
    """Replace what is known by the object on the stream; anything else is ignored."""
    try:
        document = json.loads(await reader.read_all())
    except ValueError:
        return
    if isinstance(document, dict):
        known.clear()
        known.update(document)


def _build_chat(turns: Sequence[rules.Turn]) -> llm.ChatContext:
    """The earlier transcript in the form that a model reads."""
    chat = llm.ChatContext.empty()
    for turn in turns:
        chat.add_message(role="user" if turn.role == "visitor" else "assistant", content=turn.text)
    return chat
