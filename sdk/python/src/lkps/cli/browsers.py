"""Browsers: for a machine on which none can be opened, an announcement in its place."""

import os
import webbrowser
from collections.abc import Callable


def without_browser(announce: Callable[[str], None]) -> None:
    """Whatever opens a browser in this process from now on announces the address instead."""
    os.environ["BROWSER"] = _Announcing.name  # or MSAL prefers Edge, where there is one
    webbrowser.register(_Announcing.name, None, _Announcing(announce), preferred=True)


class _Announcing(webbrowser.BaseBrowser):
    name = "lkps-announces-the-address"

    def __init__(self, announce: Callable[[str], None]) -> None:
        super().__init__(self.name)
        self._announce = announce

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self._announce(url)
        return True
