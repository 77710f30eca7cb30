"""The worker: registers with LiveKit, takes the conversations dispatched to it, talks by text and by voice.

Run `python agent.py start`. It prints `agent ready` on standard output once LiveKit may dispatch to it;
everything else it has to say goes to standard error, without tokens and without transcripts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from urllib.parse import urlsplit

# The turn detector is not used; without this its weights would be loaded all the same.
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")

from livekit.agents import NOT_GIVEN, AgentServer, JobContext, JobExecutorType, JobProcess

from conversation import Conversation
from job import Job, JobError
from service import ServiceError, WidgetService
from settings import Settings, SettingsError
from speech import Voice, recognizer

logger = logging.getLogger("concierge")

MOST_CONVERSATIONS = 25
"""Conversations that one worker takes at a time; LiveKit sends further ones to another worker."""


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
        known = await service.conversation(job.conversation_id)
    except ServiceError as error:
        logger.error("conversation %s is not started: %s", job.conversation_id, error)
        known = None
    if known is None or not known.goes_on_in(context.job.room.name):
        if known is not None:
            where = "goes on in another room" if known.on else "is over"
            logger.info("conversation %s %s, so it is not started here", job.conversation_id, where)
        await service.close()
        return context.shutdown("the conversation does not go on here, or the service could not say that it does")
    await Conversation(context, job, service, known.turns if job.resumed else ()).start()


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
        http_proxy=None if urlsplit(settings.livekit_url).hostname in ("127.0.0.1", "localhost") else NOT_GIVEN,
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
    parser = argparse.ArgumentParser(
        description="The example agent of Web Widgets. Its settings come from the environment."
    )
    parser.add_argument("command", choices=["start"], help="run the worker until it is stopped")
    parser.add_argument("--log-level", default="INFO", choices=["INFO", "WARNING", "ERROR"])
    arguments = parser.parse_args()
    logging.basicConfig(
        level=arguments.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # Said of every conversation by text, where turning the voice off is meant.
    logging.getLogger("livekit.agents").addFilter(
        lambda record: not record.getMessage().startswith("TranscriptSynchronizer audio output was detached")
    )
    # What the imports made lives as long as the process; leaving it out of every collection spares the dialogue
    # pauses of a tenth of a second.
    gc.freeze()
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(serve(server_for(settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
