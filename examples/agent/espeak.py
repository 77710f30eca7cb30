"""Speech synthesis with the espeak-ng library of the wheel `espeakng-loader`, through ctypes.

Nothing is installed on the system and no process is started. Used by the worker (`speech.py`) and
by the script that makes spoken test recordings (`say.py`).
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache

import espeakng_loader

_RETRIEVE = 1
"""`AUDIO_OUTPUT_RETRIEVAL`: samples go to a callback, not to a sound device."""
_DO_NOT_EXIT = 0x8000
"""`espeakINITIALIZE_DONT_EXIT`: a missing voice returns an error and does not end the process."""
_UTF_8 = 1
_BY_CHARACTER = 1
_RATE = 1

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SynthesisError(Exception):
    """The library could not be set up, or it rejected the text."""


class Synthesizer:
    """The one instance of the library, which has global state: calls are serialized."""

    def __init__(self, voice: str, words_per_minute: int) -> None:
        self._turn = threading.Lock()
        self._pieces: list[bytes] = []
        # The library keeps the pointer, so the callback must live as long as the library.
        self._callback = _CALLBACK(self._collect)
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate: int = self._library.espeak_Initialize(_RETRIEVE, 0, data, _DO_NOT_EXIT)
        if self.sample_rate <= 0:
            raise SynthesisError(
                "espeak-ng did not start; install the package espeakng-loader again"
            )
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SynthesisError(f"espeak-ng has no voice `{voice}`")
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        # The default seed is the clock; a fixed one makes the same words sound the same every time.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))

    def speak(self, text: str) -> bytes:
        """Convert the text to 16-bit mono samples at `sample_rate`. Blocks for some milliseconds.

        Raises:
            SynthesisError: the library rejected the text.
        """
        encoded = text.replace("\0", " ").encode()
        with self._turn:
            self._pieces.clear()
            failed = self._library.espeak_Synth(
                encoded, ctypes.c_size_t(len(encoded) + 1), 0, _BY_CHARACTER, 0, _UTF_8, None, None
            )
            if failed or self._library.espeak_Synchronize():
                raise SynthesisError("espeak-ng could not speak the text")
            return b"".join(self._pieces)

    def _collect(
        self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object
    ) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0


_first_use = threading.Lock()


def synthesizer() -> Synthesizer:
    """The shared synthesizer, created at first use; thread-safe."""
    with _first_use:
        return _synthesizer()


@cache
def _synthesizer() -> Synthesizer:
    return Synthesizer("en-us+f3", 165)
