"""The pages that a person sees, or that a browser posts on their behalf."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape

from aiohttp import web

from dev.tenant.identities import Person

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 28rem; margin: 4rem auto; padding: 0 1rem; }
ul { list-style: none; padding: 0; }
button { font: inherit; text-align: start; width: 100%; margin: .25rem 0; padding: .75rem 1rem; }
"""
SUBMIT = "document.forms[0].submit();"


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src {_source(STYLE)}",
            f"script-src {_source(SUBMIT)}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
}


def sign_in(client: str, people: Iterable[Person]) -> web.Response:
    """Its form goes to the address that it came from, so the query is sent again with a choice."""
    return page(
        "Choose an account",
        f"""<p>to sign in to <strong>{escape(client)}</strong></p>
<p>This is a development stand-in for Microsoft Entra ID. There is no password: choose who you
are.</p>
<form method="post"><ul>
{accounts(people)}
</ul></form>""",
    )


def accounts(people: Iterable[Person]) -> str:
    """A list's items, each a button that sends its person's `username`."""
    return "\n".join(_account(person) for person in people)


def posting(address: str, answer: Mapping[str, str]) -> web.Response:
    """A form that posts itself; a person without scripts presses its button."""
    members = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in answer.items()
    )
    return page(
        "Back to the application",
        f"""<form method="post" action="{escape(address)}">
{members}
<noscript><button>Continue</button></noscript>
</form>
<script>{SUBMIT}</script>""",
    )


def problem(description: str) -> web.Response:
    """For the person alone: the client that asked is not one to be told."""
    return page("Sign-in is not possible", f"<p>{escape(description)}</p>", status=400)


def page(title: str, content: str, status: int = 200) -> web.Response:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body><main>
<h1>{title}</h1>
{content}
</main></body>
</html>
"""
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def _account(person: Person) -> str:
    return (
        f'<li><button name="username" value="{escape(person.username)}">'
        f"{escape(person.display_name)}<br><small>{escape(person.username)}</small></button></li>"
    )
