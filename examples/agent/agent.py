"""The worker: registers with LiveKit and starts a `Conversation` for each job dispatched to it.

Run `python agent.py start`. It prints `agent ready` on standard output once LiveKit can dispatch
jobs to it. Logs go to standard error; they contain no tokens and no transcripts.
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

# The turn detector is not used; without this line its weights are loaded anyway.
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
# The framework watches the event loop of each conversation from a thread, which looks at the stacks
# of all threads when the loop is late. In Python 3.11 two of these can stop the process for good
# (python/cpython#106883): the worker stays registered with LiveKit and answers no job.
os.environ.setdefault("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "0")

from livekit.agents import NOT_GIVEN, AgentServer, JobContext, JobExecutorType, JobProcess
from livekit.rtc._ffi_client import FfiClient

from conversation import Conversation
from job import Job, JobError
from service import ServiceError, WidgetService
from settings import Settings, SettingsError
from speech import LocalTextToSpeech, recognizer

logger = logging.getLogger("concierge")

MAX_CONVERSATIONS = 25
"""Conversations that one worker accepts at a time; LiveKit sends the next to another worker."""


def load_speech_models(_process: JobProcess) -> None:
    """Load the speech models before the first conversation."""
    recognizer()
    LocalTextToSpeech()


async def run_job(context: JobContext, settings: Settings) -> None:
    """Start the conversation of one job if it is still open in this room.

    LiveKit dispatches again when somebody joins an old room, so the service is asked first.
    """
    try:
        job = Job.parse(context.job.metadata)
    except JobError as error:
        logger.error("the job does not come from the widget service: %s", error)
        return context.shutdown("invalid metadata")
    context.log_context_fields = {"conversation.id": job.conversation_id}
    service = WidgetService(settings.widgets_url, settings.widgets_api_key)
    try:
        known = await service.find_conversation(job.conversation_id)
    except ServiceError as error:
        logger.error("conversation %s is not started: %s", job.conversation_id, error)
        known = None
    if known is None or not known.continues_in(context.job.room.name):
        if known is not None:
            where = "continues in another room" if known.is_open else "is over"
            logger.info("conversation %s %s; it is not started here", job.conversation_id, where)
        await service.close()
        return context.shutdown(
            "the conversation does not continue here, or the service did not confirm it"
        )
    conversation = Conversation(
        context,
        job,
        service,
        known.turns if job.resumed else (),
        message_waits=known.message_waits_here if job.resumed else known.message_waits,
        is_new_page=known.page_changed and job.resumed,
    )
    await conversation.start()


def build_server(settings: Settings) -> AgentServer:
    """Configure the framework's server, which registers with LiveKit and runs the jobs."""
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret,
        host="127.0.0.1",
        port=settings.port,
        # Threads share the speech models: half the memory of one process for each conversation.
        job_executor_type=JobExecutorType.THREAD,
        num_idle_processes=4,
        setup_fnc=load_speech_models,
        # The default measures the load of the processor: a busy laptop would accept no job at all.
        load_fnc=lambda server: len(server.active_jobs) / MAX_CONVERSATIONS,
        # Full with the last of them, not before.
        load_threshold=1.0,
        drain_timeout=1,
        shutdown_process_timeout=5.0,
        # A proxy of the environment does not apply to a LiveKit server on this machine.
        http_proxy=None
        if urlsplit(settings.livekit_url).hostname in ("127.0.0.1", "localhost")
        else NOT_GIVEN,
    )

    async def entrypoint(context: JobContext) -> None:
        await run_job(context, settings)

    server.rtc_session(entrypoint, agent_name=settings.agent_name)
    server.on("worker_registered", lambda *_: print("agent ready", flush=True))
    return server


async def serve(server: AgentServer) -> None:
    """Run until SIGINT or SIGTERM, give open conversations a moment to end, then stop."""
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
        logger.info("some conversations did not end in time")
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
        level=arguments.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Logged for every text conversation, where the voice is turned off on purpose.
    logging.getLogger("livekit.agents").addFilter(
        lambda record: (
            not record.getMessage().startswith("TranscriptSynchronizer audio output was detached")
        )
    )
    # Objects created by the imports live as long as the process. Excluding them from garbage
    # collection avoids pauses of a tenth of a second in the dialogue.
    gc.freeze()
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    # Two conversations that are the first at the same moment would each make a client of the native
    # library, and the events of one of them would go nowhere: it would never join its room, and the
    # library would end the process. Not before the settings are right: the library may have
    # something to say of a process that ends at once.
    _ = FfiClient.instance
    asyncio.run(serve(build_server(settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
