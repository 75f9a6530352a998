"""How a client is answered: by a redirect of the browser, or by a form that the browser posts.

RFC 6749 section 4.1.2; OAuth 2.0 Multiple Response Types; OAuth 2.0 Form Post Response Mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from aiohttp import web

from dev.tenant import pages, sign_in_refusals
from dev.tenant.refusals import Refused

MODES = frozenset({"query", "fragment", "form_post"})


@dataclass(frozen=True, slots=True)
class Reply:
    """`state` goes back as it came; None when it did not."""

    redirect_uri: str
    mode: str
    state: str | None

    @classmethod
    def parse(cls, redirect_uri: str, query: Mapping[str, str]) -> Self:
        return cls(redirect_uri, query.get("response_mode", "query"), query.get("state"))

    def require_known_mode(self) -> None:
        if self.mode not in MODES:
            raise sign_in_refusals.response_mode_unsupported(self.mode)

    def code(self, code: str) -> web.Response:
        return self._send({"code": code})

    def refusal(self, refused: Refused, correlation_id: str) -> web.Response:
        # `invalid_grant` is the token endpoint's alone
        error = "access_denied" if refused.error == "invalid_grant" else refused.error
        description = str(refused.body(correlation_id)["error_description"])
        return self._send({"error": error, "error_description": description})

    def _send(self, answer: dict[str, str]) -> web.Response:
        if self.state is not None:
            answer["state"] = self.state
        if self.mode == "form_post":
            return pages.posting(self.redirect_uri, answer)
        location = f"{self.redirect_uri}{self._separator()}{urlencode(answer)}"
        return web.Response(status=302, headers=pages.HEADERS | {"Location": location})

    def _separator(self) -> str:
        if self.mode == "fragment":
            return "#"
        return "&" if "?" in self.redirect_uri else "?"
