"""The worker: registers with LiveKit, takes the conversations dispatched to it, talks by text and by voice.

Run `python agent.py start`. It prints `agent ready` on standard output once LiveKit may dispatch to it;
everything else it has to say goes to standard error, without tokens and without transcripts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

# The turn detector is not used; without this its weights would be loaded all the same.
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")

from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobExecutorType, JobProcess, RunContext
from livekit.agents import function_tool, inference, llm, room_io, stt

import rules
from job import Job, JobError, Mode, parse_mode
from model import RulesModel, words_of
from service import ServiceError, WidgetService
from settings import Settings, SettingsError
from speech import HEARING_RATE, Hearing, Voice, recognizer
from transcript import TranscriptWriter

logger = logging.getLogger("concierge")

MOST_CONVERSATIONS = 25
"""Conversations that one worker takes at a time; LiveKit sends further ones to another worker."""
FLUSH_SECONDS = 3.0
"""How long the end of a conversation waits for its last turns to be stored."""
FORM_SECONDS = 15 * 60.0
"""How long a visitor may take to fill in a form."""
QUICK_REFUSAL_SECONDS = 1.5
"""Within this time a window that cannot show a form has said so."""


class Concierge(Agent):
    """The agent of Harbour Coffee in one room."""

    def __init__(self, conversation: Conversation, earlier: llm.ChatContext) -> None:
        super().__init__(
            # Read by a real model; the rules know it already.
            instructions="You are the friendly concierge of Harbour Coffee. Answer in one to three short sentences.",
            chat_ctx=earlier,
        )
        self._conversation = conversation

    async def on_enter(self) -> None:
        """Greet, or show that the earlier part of the conversation is known."""
        conversation = self._conversation
        text = rules.welcome_back(conversation.earlier) if conversation.job.resumed else rules.greeting()
        self.session.say(conversation.in_words(text))

    @function_tool
    async def show_form(self, context: RunContext, form_id: str) -> str:
        """Open a form of the widget in the visitor's window.

        Args:
            form_id: the id of the form in the widget's configuration.
        """
        return await self._conversation.show_form(form_id)

    @function_tool
    async def end_conversation(self, context: RunContext) -> str:
        """End the conversation, once the visitor has said goodbye."""
        context.speech_handle.add_done_callback(lambda _: self._conversation.end_soon())
        return "ending"


class Conversation:
    """One conversation in one room: the session, the visitor's window and the service kept in step."""

    def __init__(self, context: JobContext, job: Job, service: WidgetService, earlier: list[rules.Turn]) -> None:
        self.job = job
        self.earlier = earlier
        self._context = context
        self._service = service
        self._mode: Mode = job.mode
        self._page: dict[str, object] = {}
        self._transcript = TranscriptWriter(job.conversation_id, service.append)
        self._tasks: set[asyncio.Task[None]] = set()
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
        chat = llm.ChatContext.empty()
        for turn in self.earlier:
            chat.add_message(role="user" if turn.role == "visitor" else "assistant", content=turn.text)
        await self.session.start(
            Concierge(self, chat),
            room=room,
            room_options=room_io.RoomOptions(audio_input=room_io.AudioInputOptions(sample_rate=HEARING_RATE)),
            # Nothing is recorded or uploaded, and the visitor cannot steer the session from outside.
            record=False,
            session_host=False,
        )

    async def close(self) -> None:
        """Store the last turns; called when the job ends, however it ends."""
        for task in self._tasks:
            task.cancel()
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
        self._apply(mode)
        return json.dumps({"mode": mode})

    def _on_item(self, event: object) -> None:
        item = getattr(event, "item", None)
        if isinstance(item, llm.ChatMessage) and item.role in ("user", "assistant"):
            role: rules.Role = "visitor" if item.role == "user" else "agent"
            self._transcript.add(item.id, role, item.text_content or "", item.created_at)

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

    def _spawn(self, work: object) -> None:
        task = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def prepare(_process: JobProcess) -> None:
    """Load the speech models before the first visitor comes."""
    recognizer()
    Voice()


async def take(context: JobContext, settings: Settings) -> None:
    """Take one job: ask the service first, since LiveKit dispatches anew when an old room is made again."""
    try:
        job = Job.parse(context.job.metadata)
    except JobError as error:
        logger.error("the job was not dispatched by the widget service: %s", error)
        return context.shutdown("unusable metadata")
    context.log_context_fields = {"conversation.id": job.conversation_id}
    service = WidgetService(settings.widgets_url, settings.widgets_api_key)
    try:
        on = await service.is_on(job.conversation_id)
        earlier = list(await service.transcript(job.conversation_id)) if on and job.resumed else []
    except ServiceError as error:
        logger.error("the conversation is not started: %s", error)
        on = False
    if not on:
        await service.close()
        return context.shutdown("the conversation is over, or the service could not say that it is on")
    await Conversation(context, job, service, earlier).start()


def server_for(settings: Settings) -> AgentServer:
    """The worker as the framework wants it."""
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret,
        host="127.0.0.1",
        port=settings.port,
        # Threads share the speech models: half the memory of a process for each conversation.
        job_executor_type=JobExecutorType.THREAD,
        num_idle_processes=4,
        setup_fnc=prepare,
        # The framework's own measure is the processor's load, by which a busy laptop takes no job at all.
        load_fnc=lambda server: len(server.active_jobs) / MOST_CONVERSATIONS,
        load_threshold=0.95,
        drain_timeout=1,
        shutdown_process_timeout=5.0,
        # A LiveKit server on this machine is not behind the proxy that the environment may name.
        **({"http_proxy": None} if urlsplit(settings.livekit_url).hostname in ("127.0.0.1", "localhost") else {}),
    )

    async def entrypoint(context: JobContext) -> None:
        await take(context, settings)

    server.rtc_session(entrypoint, agent_name=settings.agent_name)
    server.on("worker_registered", lambda *_: print("agent ready", flush=True))
    return server


async def serve(server: AgentServer) -> None:
    """Run until SIGINT or SIGTERM, then let conversations end for a moment and stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(server.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if running.done():
        return running.result()
    try:
        await server.drain()
    except TimeoutError:
        logger.info("conversations were cut off")
    await server.aclose()
    await running


def main() -> int:
    parser = argparse.ArgumentParser(description="The example agent of Web Widgets. Its settings come from the environment.")
    parser.add_argument("command", choices=["start"], help="run the worker until it is stopped")
    parser.add_argument("--log-level", default="INFO", choices=["INFO", "WARNING", "ERROR"])
    arguments = parser.parse_args()
    logging.basicConfig(
        level=arguments.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(serve(server_for(settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
