"""Fitting: the releases of livekit-agents that this SDK works with."""

FITTING = ((1, 6), (1, 9))
"""From the first, and below the second."""

NEEDED = ">={}.{},<{}.{}".format(*FITTING[0], *FITTING[1])
"""As pip writes it; `pyproject.toml` has the same."""


def is_fitting(release: str) -> bool:
    major, _, rest = release.partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdecimal() and minor.isdecimal()):
        return False
    return FITTING[0] <= (int(major), int(minor)) < FITTING[1]
