"""A browser for `webbrowser`, in this process and without a screen."""

import webbrowser
from concurrent.futures import Future, ThreadPoolExecutor

import requests

from dev.tenant.browser import visit


class Visiting(webbrowser.BaseBrowser):
    """Visits each link in a thread: MSAL begins to listen when its browser was started."""

    def __init__(self, session: requests.Session, threads: ThreadPoolExecutor) -> None:
        super().__init__("visiting")
        self._session = session
        self._threads = threads
        self.visits: list[Future[requests.Response]] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.visits.append(self._threads.submit(visit, url, self._session))
        return True
