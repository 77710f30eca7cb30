"""Hearing and speaking without any outside service: pocketsphinx and espeak-ng behind the framework's interfaces.

Recognition knows only the sentences of `rules.spoken_phrases`. The small language model made from them is
what makes it quick and right on a synthetic voice; with the stock model it hears nonsense. A real
deployment puts a speech service here instead (README).
"""

from __future__ import annotations

import asyncio
import difflib
import tempfile
import threading
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Never
from uuid import uuid4

import numpy as np
from livekit import rtc
from livekit.agents import APIError, LanguageCode, stt, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import AudioBuffer
from pocketsphinx import Decoder, get_model_path
from pocketsphinx.lm import ArpaBoLM

from espeak import SynthesisError, synthesizer
from rules import normalized, spoken_phrases

HEARING_RATE = 16_000
"""Samples a second of the acoustic model."""

QUIET = 200
"""The amplitude, of 32,768, below which nothing was said; the decoder would find a word even in silence."""
ROOM = 30
"""The amplitude of the noise laid under everything heard. The acoustic model was made from recordings of rooms;
after the perfect silence of a muted or synthetic microphone it mishears words that it knows."""
SURE_ENOUGH = 0.65
"""The share of words in common from which something heard is taken for a known sentence: four of five words
right pass, a sentence of another topic does not."""


class PhraseRecognizer:
    """Recognizes a fixed set of sentences. One decoder serves every conversation in turn."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._turn = threading.Lock()
        self._written = {normalized(phrase): phrase for phrase in phrases}
        with tempfile.TemporaryDirectory(prefix="concierge-") as directory:
            self._decoder = Decoder(
                hmm=get_model_path("en-us/en-us"),
                lm=str(_language_model(self._written, Path(directory))),
                dict=str(_dictionary(self._written, Path(directory))),
                samprate=float(HEARING_RATE),
                # Each utterance is normalized by itself, so that no visitor's voice colors the next one's.
                cmn="batch",
                # The search space is tiny, so it can be searched whole: slower by 50 ms, and much more often right.
                beam=1e-100,
                wbeam=1e-60,
                pbeam=1e-100,
                maxwpf=-1,
                maxhmmpf=-1,
                loglevel="FATAL",
            )

    def recognize(self, samples: bytes) -> str:
        """The words in 16-bit mono samples at `HEARING_RATE`, as written in a transcript; empty if none."""
        heard = np.frombuffer(samples, dtype=np.int16).astype(int)
        if np.abs(heard).max(initial=0) < QUIET:
            return ""
        samples = _in_a_room(heard)
        with self._turn:
            # The same sound gives the same words, whoever spoke before.
            self._decoder.reinit_feat()
            self._decoder.start_utt()
            try:
                self._decoder.process_raw(samples, no_search=False, full_utt=True)
            finally:
                self._decoder.end_utt()
            hypothesis = self._decoder.hyp()
        words = hypothesis.hypstr if hypothesis else ""
        return self._written[known] if (known := self._nearest(words)) else words.capitalize()

    def _nearest(self, words: str) -> str | None:
        """The known sentence that shares most of its words, in order, with what was heard."""
        heard = words.split()
        likeness, nearest = max(
            (difflib.SequenceMatcher(a=heard, b=known.split()).ratio(), known) for known in self._written
        )
        return nearest if likeness >= SURE_ENOUGH else None


_first_use = threading.Lock()


def recognizer() -> PhraseRecognizer:
    """The shared recognizer, made at first use, from whichever thread that is."""
    with _first_use:
        return _recognizer()


@cache
def _recognizer() -> PhraseRecognizer:
    return PhraseRecognizer(spoken_phrases())


class Hearing(stt.STT[Never]):
    """`PhraseRecognizer` as the framework's speech-to-text."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))

    @property
    def model(self) -> str:
        return "pocketsphinx"

    @property
    def provider(self) -> str:
        return "example"

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        samples = _samples_for_hearing(rtc.combine_audio_frames(buffer))
        text = await asyncio.to_thread(recognizer().recognize, samples)
        return stt.SpeechEvent(
            type=stt.SpeechEventType.FINAL_TRANSCRIPT,
            request_id=uuid4().hex,
            alternatives=[stt.SpeechData(language=LanguageCode("en"), text=text)],
        )


class Voice(tts.TTS[Never]):
    """espeak-ng as the framework's text-to-speech; the framework feeds it sentence by sentence."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=synthesizer().sample_rate,
            num_channels=1,
        )

    @property
    def model(self) -> str:
        return "espeak-ng"

    @property
    def provider(self) -> str:
        return "example"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Utterance(tts=self, input_text=text, conn_options=conn_options)


class _Utterance(tts.ChunkedStream):
    """One sentence being spoken."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice = synthesizer()
        output_emitter.initialize(
            request_id=uuid4().hex, sample_rate=voice.sample_rate, num_channels=1, mime_type="audio/pcm"
        )
        try:
            samples = await asyncio.to_thread(voice.speak, self.input_text)
        except SynthesisError as error:
            raise APIError(str(error), retryable=False) from error
        # A sentence of nothing but signs has no sound, and the framework takes silence for a failure.
        output_emitter.push(samples or bytes(voice.sample_rate // 50 * 2))
        output_emitter.flush()


def _samples_for_hearing(frame: rtc.AudioFrame) -> bytes:
    """The samples of a frame, mono and at `HEARING_RATE`."""
    if frame.sample_rate == HEARING_RATE and frame.num_channels == 1:
        return frame.data.tobytes()
    resampler = rtc.AudioResampler(frame.sample_rate, HEARING_RATE, num_channels=frame.num_channels)
    parts = [*resampler.push(frame), *resampler.flush()]
    mono = b"".join(part.data[:: part.num_channels].tobytes() for part in parts)
    return mono


def _in_a_room(samples: np.ndarray) -> bytes:
    """The samples with a faint noise under them: always the same one, so that the same sound gives the same words."""
    noise = np.random.default_rng(1).integers(-ROOM, ROOM, len(samples), endpoint=True)
    return (samples + noise).clip(-32_768, 32_767).astype(np.int16).tobytes()


def _language_model(phrases: Collection[str], directory: Path) -> Path:
    """A language model in which each of the phrases is likely and nothing else is."""
    path = directory / "phrases.lm"
    # Little is left over for words in another order: what is said is one of the phrases, or it is not known.
    model = ArpaBoLM(text="\n".join(phrases), add_start=True, discount_mass=0.1)
    model.compute()
    if not model.write_file(str(path)):
        raise RuntimeError("the language model could not be written to the temporary directory")
    return path


def _dictionary(phrases: Collection[str], directory: Path) -> Path:
    """The part of the pronouncing dictionary that the phrases use: loading all of it takes ten times as long.

    Raises:
        RuntimeError: a word of a phrase has no known pronunciation.
    """
    words = {word for phrase in phrases for word in phrase.split()}
    found: set[str] = set()
    path = directory / "phrases.dict"
    with open(get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as source, path.open("w") as target:
        for line in source:
            # Further pronunciations are listed as `word(2)`.
            word = line.split(maxsplit=1)[0].split("(")[0]
            if word in words:
                target.write(line)
                found.add(word)
    if missing := words - found:
        raise RuntimeError(f"no pronunciation is known for: {', '.join(sorted(missing))}")
    return path
