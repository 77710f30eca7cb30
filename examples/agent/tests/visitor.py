"""A visitor in a room, who does what the widget's window does in a browser."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from livekit import rtc

import say

TIMEOUT_SECONDS = 30.0
"""How long a visitor waits for anything, which takes a second or less on an idle machine."""
MAX_ATTEMPTS = 3
"""How often a sentence is spoken until it is recognized; once is enough on an idle machine."""
FRAME = say.SAMPLE_RATE // 100
"""Samples in ten milliseconds."""
AUDIBLE = 0.02
"""Root mean square of a frame with speech, where 1 is full scale; silence is below 0.001."""


@dataclass
class Transcription:
    """One text stream of `lk.transcription`, complete."""

    identity: str
    text: str
    pieces: int
    final: bool


class Visitor:
    """One participant, with what it has received."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.loudest = 0.0
        self.audible = asyncio.Event()
        self.agent_left = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.agents_seen: set[str] = set()
        self._somebody_joined = asyncio.Event()
        self._attributes_changed = asyncio.Event()
        self._words: asyncio.Queue[Transcription] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._microphone: asyncio.Queue[np.ndarray] = asyncio.Queue()
        room.register_text_stream_handler("lk.transcription", self._on_transcription)
        room.on("track_subscribed", self._on_track)
        room.on("participant_connected", self._on_joined)
        room.on("participant_disconnected", lambda _: self.agent_left.set())
        room.on("participant_attributes_changed", lambda *_: self._attributes_changed.set())
        room.on("disconnected", self._on_disconnected)

    async def agent(self) -> rtc.RemoteParticipant:
        """The agent, the only other participant; waits for it."""
        while not self.room.remote_participants:
            self._somebody_joined.clear()
            await asyncio.wait_for(self._somebody_joined.wait(), TIMEOUT_SECONDS)
        return next(iter(self.room.remote_participants.values()))

    async def type(self, text: str) -> None:
        await self.room.local_participant.send_text(text, topic="lk.chat")

    async def send_context(self, context: object) -> None:
        await self.room.local_participant.send_text(json.dumps(context), topic="web-widget.context")

    async def set_mode(self, payload: str) -> str:
        return await self.room.local_participant.perform_rpc(
            destination_identity=(await self.agent()).identity, method="set_mode", payload=payload
        )

    def answer_forms(self, form_id: str, answer: Callable[[], str]) -> None:
        self.room.local_participant.register_rpc_method(f"show_form_{form_id}", lambda _: answer())

    async def agent_words(self) -> Transcription:
        """The next complete transcription of the agent."""
        # A transcription can arrive before the event that its speaker joined.
        own = self.room.local_participant.identity
        while (words := await asyncio.wait_for(self._words.get(), TIMEOUT_SECONDS)).identity == own:
            pass
        return words

    async def own_words(self) -> Transcription:
        """The next final transcription of this visitor's speech."""
        while not (words := await asyncio.wait_for(self._words.get(), TIMEOUT_SECONDS)).final or (
            words.identity != self.room.local_participant.identity
        ):
            pass
        return words

    async def open_microphone(self) -> None:
        """Publish a microphone, silent until `say`."""
        source = rtc.AudioSource(say.SAMPLE_RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._spawn(self._speak(source))

    def say(self, text: str) -> None:
        self._microphone.put_nowait(say.recording(text, lead=0.3, tail=0.0))

    async def make_understood(self, text: str) -> str:
        """Say something until the agent has recognized it, and return the recognized text.

        Audio is sent in real time, and a busy machine interrupts it.
        """
        for _ in range(MAX_ATTEMPTS - 1):
            self.say(text)
            try:
                heard = (await self.own_words()).text
            except TimeoutError:
                continue
            if heard == text:
                return heard
            # Wait for the end of its answer to the wrong words.
            await self.agent_words()
            await self.agent_is("listening")
        self.say(text)
        return (await self.own_words()).text

    async def agent_is(self, state: str) -> None:
        """Wait until the agent's state is `listening`, `thinking` or `speaking`."""
        while (await self.agent()).attributes.get("lk.agent.state") != state:
            self._attributes_changed.clear()
            await asyncio.wait_for(self._attributes_changed.wait(), TIMEOUT_SECONDS)

    async def hear_something(self) -> float:
        """Wait for the next sound from the agent and return its loudness."""
        self.audible.clear()
        await asyncio.wait_for(self.audible.wait(), TIMEOUT_SECONDS)
        return self.loudest

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    async def _speak(self, source: rtc.AudioSource) -> None:
        """Feed the microphone; `capture_frame` waits in real time."""
        silence = np.zeros(FRAME, dtype=np.int16)
        while True:
            samples = silence if self._microphone.empty() else self._microphone.get_nowait()
            for start in range(0, len(samples) - FRAME + 1, FRAME):
                data = samples[start : start + FRAME].tobytes()
                await source.capture_frame(rtc.AudioFrame(data, say.SAMPLE_RATE, 1, FRAME))

    def _on_joined(self, participant: rtc.RemoteParticipant) -> None:
        self.agents_seen.add(participant.identity)
        self._somebody_joined.set()

    def _on_disconnected(self, _reason: object) -> None:
        self.disconnected.set()
        # When a room is removed there is no separate event for the agent.
        self.agent_left.set()

    def _on_transcription(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._spawn(self._read(reader, identity))

    async def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        pieces = [piece async for piece in reader]
        final = (reader.info.attributes or {}).get("lk.transcription_final") == "true"
        self._words.put_nowait(Transcription(identity, "".join(pieces).strip(), len(pieces), final))

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._spawn(self._listen(track))

    async def _listen(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=say.SAMPLE_RATE, num_channels=1):
            samples = np.frombuffer(event.frame.data, dtype=np.int16).astype(float) / 32_768
            loudness = math.sqrt(float(np.mean(samples**2)))
            self.loudest = max(self.loudest, loudness)
            if loudness > AUDIBLE:
                self.audible.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def joined(server_url: str, token: str) -> AsyncIterator[Visitor]:
    """A visitor who joins the room of `token`, and leaves it at the end."""
    visitor = Visitor(rtc.Room())
    await asyncio.wait_for(visitor.room.connect(server_url, token), TIMEOUT_SECONDS)
    try:
        yield visitor
    finally:
        await visitor.leave()
