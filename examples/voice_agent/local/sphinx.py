"""pocketsphinx: which of some known sentences was spoken; its models come in its wheel."""

from collections.abc import Iterable

from pocketsphinx import Decoder  # type: ignore[import-untyped]

SAMPLE_RATE = 16_000

_SILENCE = bytes(2 * SAMPLE_RATE // 2)


class Listener:
    """Knows `sentences`, of lower-case English words; nothing else is heard. For one thread."""

    def __init__(self, sentences: Iterable[str]) -> None:
        # dither, because what a machine speaks has silences of zeros, which it cannot take
        self._decoder = Decoder(samprate=SAMPLE_RATE, lm=None, dither=True, loglevel="FATAL")
        self._decoder.add_jsgf_string("known", _grammar(sentences))
        self._decoder.activate_search("known")

    def hear(self, pcm: bytes) -> str:
        """The sentence in 16 bit mono audio, or an empty string."""
        self._decoder.start_utt()
        # silence around it, because a sentence that is cut off at its edges is not recognised
        self._decoder.process_raw(_SILENCE + pcm + _SILENCE, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)


def _grammar(sentences: Iterable[str]) -> str:
    return f"#JSGF V1.0; grammar known; public <known> = {' | '.join(sentences)};"
