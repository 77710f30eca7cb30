"""Speech without any outside service: pocketsphinx and espeak-ng behind the framework's interfaces.

Recognition knows only the sentences of `rules.spoken_phrases`. The small language model made from
them makes it fast and accurate on a synthetic voice, where the stock model fails. A real deployment
uses a speech service instead; see the README.
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
from livekit.agents.types import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
)
from livekit.agents.utils import AudioBuffer
from pocketsphinx import Decoder, get_model_path
from pocketsphinx.lm import ArpaBoLM

from espeak import SynthesisError, synthesizer
from rules import normalized, spoken_phrases

RECOGNITION_RATE = 16_000
"""Samples per second of the acoustic model."""

MIN_AMPLITUDE = 200
"""Below this amplitude, of 32,768, nothing was said; the decoder finds words even in silence."""
NOISE_AMPLITUDE = 30
"""Amplitude of the noise added to all input. The acoustic model was trained on recordings of rooms;
after the complete silence of a muted or synthetic microphone it misrecognizes known words."""
MIN_SIMILARITY = 0.65
"""The share of words in common above which a known sentence is assumed: four of five correct words
are enough, a sentence about another subject is not."""


class PhraseRecognizer:
    """Recognizes a fixed set of sentences. All conversations share one decoder."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._turn = threading.Lock()
        self._written = {normalized(phrase): phrase for phrase in phrases}
        with tempfile.TemporaryDirectory(prefix="concierge-") as directory:
            self._decoder = Decoder(
                hmm=get_model_path("en-us/en-us"),
                lm=str(_language_model(self._written, Path(directory))),
                dict=str(_dictionary(self._written, Path(directory))),
                samprate=float(RECOGNITION_RATE),
                # Each utterance is normalized by itself, independent of earlier speakers.
                cmn="batch",
                # The small search space is searched completely: 50 ms slower and far more accurate.
                beam=1e-100,
                wbeam=1e-60,
                pbeam=1e-100,
                maxwpf=-1,
                maxhmmpf=-1,
                loglevel="FATAL",
            )

    def recognize(self, samples: bytes) -> str:
        """The words in 16-bit mono samples at `RECOGNITION_RATE`, or an empty text."""
        heard = np.frombuffer(samples, dtype=np.int16).astype(int)
        if np.abs(heard).max(initial=0) < MIN_AMPLITUDE:
            return ""
        samples = _add_noise(heard)
        with self._turn:
            # Independent of what was heard before.
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
        """The known sentence that has the most words in common, in order, with what was heard."""
        heard = words.split()
        likeness, nearest = max(
            (difflib.SequenceMatcher(a=heard, b=known.split()).ratio(), known)
            for known in self._written
        )
        return nearest if likeness >= MIN_SIMILARITY else None


_first_use = threading.Lock()


def recognizer() -> PhraseRecognizer:
    """The shared recognizer, created at first use; thread-safe."""
    with _first_use:
        return _recognizer()


@cache
def _recognizer() -> PhraseRecognizer:
    return PhraseRecognizer(spoken_phrases())


class LocalSpeechToText(stt.STT[Never]):
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
        samples = _convert_samples(rtc.combine_audio_frames(buffer))
        text = await asyncio.to_thread(recognizer().recognize, samples)
        return stt.SpeechEvent(
            type=stt.SpeechEventType.FINAL_TRANSCRIPT,
            request_id=uuid4().hex,
            alternatives=[stt.SpeechData(language=LanguageCode("en"), text=text)],
        )


class LocalTextToSpeech(tts.TTS[Never]):
    """espeak-ng as the framework's text-to-speech; gets one sentence at a time."""

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
    """Speaks one sentence."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice = synthesizer()
        output_emitter.initialize(
            request_id=uuid4().hex,
            sample_rate=voice.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
        )
        try:
            samples = await asyncio.to_thread(voice.speak, self.input_text)
        except SynthesisError as error:
            raise APIError(str(error), retryable=False) from error
        # Punctuation alone has no sound, and the framework reports no samples as a failure.
        output_emitter.push(samples or bytes(voice.sample_rate // 50 * 2))
        output_emitter.flush()


def _convert_samples(frame: rtc.AudioFrame) -> bytes:
    """The samples of a frame as mono at `RECOGNITION_RATE`."""
    if frame.sample_rate == RECOGNITION_RATE and frame.num_channels == 1:
        return frame.data.tobytes()
    resampler = rtc.AudioResampler(
        frame.sample_rate, RECOGNITION_RATE, num_channels=frame.num_channels
    )
    parts = [*resampler.push(frame), *resampler.flush()]
    mono = b"".join(part.data[:: part.num_channels].tobytes() for part in parts)
    return mono


def _add_noise(samples: np.ndarray) -> bytes:
    """Add faint noise to the samples; always the same, so that recognition is reproducible."""
    noise = np.random.default_rng(1).integers(
        -NOISE_AMPLITUDE, NOISE_AMPLITUDE, len(samples), endpoint=True
    )
    return (samples + noise).clip(-32_768, 32_767).astype(np.int16).tobytes()


def _language_model(phrases: Collection[str], directory: Path) -> Path:
    """Write a language model in which the phrases are likely and nothing else is."""
    path = directory / "phrases.lm"
    # Words in another order are made unlikely: only the phrases are to be recognized.
    model = ArpaBoLM(text="\n".join(phrases), add_start=True, discount_mass=0.1)
    model.compute()
    if not model.write_file(str(path)):
        raise RuntimeError("the language model cannot be written to the temporary directory")
    return path


def _dictionary(phrases: Collection[str], directory: Path) -> Path:
    """Write the part of the dictionary that the phrases use; all of it loads ten times slower.

    Raises:
        RuntimeError: a word of a phrase has no known pronunciation.
    """
    words = {word for phrase in phrases for word in phrase.split()}
    found: set[str] = set()
    path = directory / "phrases.dict"
    with (
        open(get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as source,
        path.open("w") as target,
    ):
        for line in source:
            # Further pronunciations are listed as `word(2)`.
            word = line.split(maxsplit=1)[0].split("(")[0]
            if word in words:
                target.write(line)
                found.add(word)
    if missing := words - found:
        raise RuntimeError(f"no pronunciation is known for: {', '.join(sorted(missing))}")
    return path
