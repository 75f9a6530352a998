"""A browser without a screen: `python -m dev.tenant.browser URL` follows a sign-in link to its end.

It follows redirects and posts the form of a page that would post itself, as MSAL's
`response_mode=form_post` needs. It chooses no account, so the link must have a `login_hint`. Where
a program opens `$BROWSER`, set it to `{python} -m dev.tenant.browser %s &`; the "&" is needed
because MSAL listens only after the browser was started. `$REQUESTS_CA_BUNDLE` names the CA.
"""

import sys
from html.parser import HTMLParser

import requests

TIMEOUT_SECONDS = 30


class ChoiceNeeded(Exception):  # noqa: N818  it is no defect
    """The link leads to a page that wants a person to choose."""


def visit(url: str, session: requests.Session) -> requests.Response:
    """The last page. Raises `ChoiceNeeded`, and `requests.RequestException` for a failure."""
    page = session.get(url, timeout=TIMEOUT_SECONDS)
    page.raise_for_status()
    form = _Form()
    form.feed(page.text)
    if form.action is None:
        return page
    if not form.fields:
        raise ChoiceNeeded("the sign-in link names nobody in `login_hint`")
    last = session.post(form.action, form.fields, timeout=TIMEOUT_SECONDS)
    last.raise_for_status()
    return last


class _Form(HTMLParser):
    """A page's form; `action` is None without one, and only one that posts itself has `fields`."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]


if __name__ == "__main__":
    with requests.Session() as session:
        visit(sys.argv[1], session)
