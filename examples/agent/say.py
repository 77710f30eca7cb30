"""Make a spoken recording for tests: `python say.py "What are your opening hours?" question.wav`.

The recording is 48 kHz mono with silence around the words. Chromium's fake microphone plays a file
in a loop; the silence separates the sentences. The silence before them also covers the start of a
call, when a busy browser distorts what is said.
"""

from __future__ import annotations

import argparse
import sys
import wave

import numpy as np

from espeak import SynthesisError, synthesizer

SAMPLE_RATE = 48_000
"""The rate at which browsers capture, so that nothing is resampled."""
LEVEL = 0.3
"""The synthesizer speaks at full scale, unlike a person; a browser's gain control would distort the
first words."""


def recording(text: str, *, lead: float, tail: float) -> np.ndarray:
    """The text as 16-bit samples at `SAMPLE_RATE`, with seconds of silence before and after."""
    voice = synthesizer()
    spoken = np.frombuffer(voice.speak(text), dtype=np.int16)
    length = round(len(spoken) * SAMPLE_RATE / voice.sample_rate)
    times = np.linspace(0, max(len(spoken) - 1, 0), num=length)
    resampled = (LEVEL * np.interp(times, np.arange(len(spoken)), spoken)).astype(np.int16)
    silence = [np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16) for seconds in (lead, tail)]
    return np.concatenate([silence[0], resampled, silence[1]])


def write(path: str, samples: np.ndarray) -> None:
    """Write the samples as a WAV file."""
    # Opened here because `wave` prints a stack trace when it cannot open a path.
    with open(path, "wb") as target, wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())


def main() -> int:
    parser = argparse.ArgumentParser(description="Speak a text into a WAV file (48 kHz, mono).")
    parser.add_argument("text")
    parser.add_argument("file", metavar="OUT.wav")
    parser.add_argument(
        "--lead", type=float, default=4.0, metavar="SECONDS", help="silence before (default 4)"
    )
    parser.add_argument(
        "--tail", type=float, default=8.0, metavar="SECONDS", help="silence after (default 8)"
    )
    arguments = parser.parse_args()
    if (
        not arguments.text.strip()
        or not 0 <= arguments.lead <= 600
        or not 0 <= arguments.tail <= 600
    ):
        parser.error("give a text, and 0 to 600 seconds of silence")
    try:
        write(arguments.file, recording(arguments.text, lead=arguments.lead, tail=arguments.tail))
    except (SynthesisError, OSError) as error:
        print(f"say.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
