"""Speech: what is synthesized is recognized, and recordings have the format of browsers."""

import subprocess
import sys
import wave
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

import rules
import say
from espeak import SynthesisError, Synthesizer, synthesizer
from speech import RECOGNITION_RATE, LocalSpeechToText, LocalTextToSpeech, recognizer

AGENT = Path(__file__).parent.parent


def spoken(text: str) -> np.ndarray:
    return say.recording(text, lead=0.5, tail=0.3)


@pytest.fixture(scope="module")
def recordings() -> dict[str, np.ndarray]:
    """Every phrase, spoken by a new process: the sound depends a little on earlier sentences."""
    phrases = rules.spoken_phrases()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return dict(zip(phrases, pool.map(spoken, phrases), strict=True))


def frames(samples: np.ndarray, rate: int, channels: int = 1) -> list[rtc.AudioFrame]:
    """The recording as one frame of `rate`, as the framework passes it to recognition."""
    thinned = samples[:: say.SAMPLE_RATE // rate]
    interleaved = np.repeat(thinned, channels)
    return [rtc.AudioFrame(interleaved.tobytes(), rate, channels, len(thinned))]


@pytest.mark.parametrize("noise", [0, 40])
@pytest.mark.parametrize("phrase", rules.spoken_phrases())
async def test_every_phrase_is_heard_as_it_is_written(
    recordings: dict[str, np.ndarray], phrase: str, noise: int
) -> None:
    """In a silent room, and in one with a fan."""
    samples = recordings[phrase]
    samples = samples + np.random.default_rng(1).integers(
        -noise, noise, len(samples), np.int16, endpoint=True
    )
    event = await LocalSpeechToText().recognize(frames(samples, RECOGNITION_RATE))
    assert event.alternatives[0].text == phrase


@pytest.mark.parametrize(
    "sentence",
    ["The weather is nice today.", "My train leaves at nine.", "Please play some music."],
)
def test_other_sentences_are_not_recognized_as_phrases(sentence: str) -> None:
    [frame] = frames(spoken(sentence), RECOGNITION_RATE)
    assert recognizer().recognize(frame.data.tobytes()) not in rules.spoken_phrases()


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (24_000, 2)])
async def test_other_rates_and_channels_are_heard_too(
    recordings: dict[str, np.ndarray], rate: int, channels: int
) -> None:
    event = await LocalSpeechToText().recognize(
        frames(recordings["What are your opening hours?"], rate, channels)
    )
    assert event.alternatives[0].text == "What are your opening hours?"


def test_silence_has_no_words() -> None:
    assert recognizer().recognize(b"") == ""
    assert recognizer().recognize(bytes(RECOGNITION_RATE * 2)) == ""
    hiss = np.random.default_rng(1).integers(-150, 150, RECOGNITION_RATE, dtype=np.int16)
    assert recognizer().recognize(hiss.tobytes()) == ""


async def test_speech_is_audible_and_punctuation_alone_does_not_fail() -> None:
    spoken = await LocalTextToSpeech().synthesize("We are open.").collect()
    samples = np.frombuffer(spoken.data, dtype=np.int16).astype(float) / 32_768
    assert spoken.sample_rate == synthesizer().sample_rate
    assert 0.3 < spoken.duration < 3
    assert np.sqrt(np.mean(samples**2)) > 0.02
    assert (await LocalTextToSpeech().synthesize("…").collect()).duration > 0


def test_an_unknown_voice_is_an_error() -> None:
    with pytest.raises(SynthesisError, match="no voice"):
        Synthesizer("zz-nobody", 160)


def test_say_writes_a_recording_with_silence_around_the_words(tmp_path: Path) -> None:
    path = tmp_path / "question.wav"
    command = [
        sys.executable,
        str(AGENT / "say.py"),
        "Hello.",
        str(path),
        "--lead",
        "1",
        "--tail",
        "2",
    ]
    subprocess.run(command, check=True, timeout=60)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    assert not samples[:48_000].any()
    assert samples[48_000:-96_000].any()
    assert not samples[-96_000:].any()


def test_say_reports_what_fails(tmp_path: Path) -> None:
    command = [sys.executable, str(AGENT / "say.py"), "Hello.", str(tmp_path / "missing" / "x.wav")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert result.stderr.startswith("say.py: ")
    assert len(result.stderr.splitlines()) == 1
