"""Speech synthesis with the espeak-ng library of the wheel `espeakng-loader`, by ctypes.

Nothing is installed on the system and no process is started. Used by the worker (`speech.py`) and by the
script that makes spoken test recordings (`say.py`).
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache

import espeakng_loader

_RETRIEVE = 1
"""`AUDIO_OUTPUT_RETRIEVAL`: samples go to a callback, no sound device is touched."""
_DO_NOT_EXIT = 0x8000
"""`espeakINITIALIZE_DONT_EXIT`: a missing voice is an error for us, not the end of the process."""
_UTF_8 = 1
_BY_CHARACTER = 1
_RATE = 1

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class SynthesisError(Exception):
    """The library could not be set up or refused the text."""


class Synthesizer:
    """The one instance of the library in this process; it holds global state, so calls take turns."""

    def __init__(self, voice: str, words_per_minute: int) -> None:
        self._turn = threading.Lock()
        self._pieces: list[bytes] = []
        # The library keeps the pointer: the callback must live as long as it does.
        self._callback = _CALLBACK(self._collect)
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate: int = self._library.espeak_Initialize(_RETRIEVE, 0, data, _DO_NOT_EXIT)
        if self.sample_rate <= 0:
            raise SynthesisError("espeak-ng did not start; install the package espeakng-loader again")
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SynthesisError(f"espeak-ng has no voice `{voice}`")
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        # Else it takes the clock: the same words in the same order sound the same in every process.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))

    def speak(self, text: str) -> bytes:
        """The text as 16-bit mono samples at `sample_rate`. Blocks for some milliseconds.

        Raises:
            SynthesisError: the library refused the text.
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

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0


_first_use = threading.Lock()


def synthesizer() -> Synthesizer:
    """The shared synthesizer, made at first use, from whichever thread that is."""
    with _first_use:
        return _synthesizer()


@cache
def _synthesizer() -> Synthesizer:
    return Synthesizer("en-us+f3", 165)
