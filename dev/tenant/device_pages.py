"""The pages on which a person signs in on a device that shows them a code."""

from collections.abc import Iterable
from html import escape

from aiohttp import web

from dev.tenant.identities import Person
from dev.tenant.pages import accounts, page


def code() -> web.Response:
    return page(
        "Enter the code",
        """<p>that your application or device shows.</p>
<form method="post">
<label>Code <input name="user_code" required autofocus autocomplete="off"></label>
<button>Next</button>
</form>""",
    )


def choice(client: str, user_code: str, people: Iterable[Person]) -> web.Response:
    return page(
        "Choose an account",
        f"""<p>to sign in to <strong>{escape(client)}</strong> on the device that shows the code.
Go on only if you asked for it.</p>
<form method="post">
<input type="hidden" name="user_code" value="{escape(user_code)}">
<ul>
{accounts(people)}
</ul>
<button name="declined" value="true">Cancel</button>
</form>""",
    )


def signed_in(client: str) -> web.Response:
    return page(
        "You have signed in", f"<p>to <strong>{escape(client)}</strong>. You may close this.</p>"
    )


def declined(client: str) -> web.Response:
    return page(
        "You have not signed in",
        f"<p>to <strong>{escape(client)}</strong>. You may close this.</p>",
    )
