"""eSpeak NG, called by ctypes: its library and its data come in the wheel of espeakng-loader."""

import ctypes
from functools import cache
from threading import Lock

import espeakng_loader  # type: ignore[import-untyped]

_SYNCHRONOUS = 2
_UTF8 = 1
_RATE, _VOLUME = 1, 2  # parameters: words a minute, and 100 is the loudest without clipping
_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
_ONE_AT_A_TIME = Lock()


def sample_rate() -> int:
    """Of what `speak` returns."""
    return _engine()[1]


def speak(text: str) -> bytes:
    """The text as speech, in 16 bit mono audio."""
    chunks: list[bytes] = []

    def keep(wave: "ctypes._Pointer[ctypes.c_short]", samples: int, _: int | None) -> int:
        if wave and samples:
            chunks.append(ctypes.string_at(wave, 2 * samples))
        return 0

    library, _ = _engine()
    encoded = text.encode() + b"\0"
    with _ONE_AT_A_TIME:  # the library has one voice
        callback = _SYNTH_CALLBACK(keep)  # named, because it has to live until the end
        library.espeak_SetSynthCallback(callback)
        _require(library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None))
    return b"".join(chunks)


@cache
def _engine() -> tuple[ctypes.CDLL, int]:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    folder = espeakng_loader.get_data_path().encode()
    sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, folder, 0)
    if sample_rate <= 0:
        raise RuntimeError("eSpeak NG cannot read its data")
    _require(library.espeak_SetVoiceByName(b"en-us"))
    _require(library.espeak_SetParameter(_RATE, 140, 0))
    _require(library.espeak_SetParameter(_VOLUME, 60, 0))
    return library, sample_rate


def _require(status: int) -> None:
    if status != 0:
        raise RuntimeError(f"eSpeak NG failed with {status}")
