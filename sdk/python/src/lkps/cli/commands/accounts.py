"""`login`, `logout` and `whoami`: as whom LKPS is called."""

import os
from typing import Annotated

import typer

from lkps.cli import settings
from lkps.cli.options import AsJson, examples
from lkps.cli.printing import show, show_answer, tell, unbroken
from lkps.cli.views import callers
from lkps.profile import PROFILE, VARIABLES, Profile, profile_folder

app = typer.Typer()


@app.command(
    epilog=examples(
        "lkps login --url https://gateway.example/lkps --tenant 1111… --client-id 2222… \\",
        "           --api-client-id 3333…",
        "lkps login",
    )
)
def login(
    *,
    url: Annotated[
        str,
        typer.Option(envvar=VARIABLES["url"], help="Where LKPS is: https://gateway.example/lkps."),
    ] = "",
    tenant: Annotated[
        str, typer.Option(envvar=VARIABLES["tenant"], help="The Entra ID tenant's id.")
    ] = "",
    client_id: Annotated[
        str,
        typer.Option(
            envvar=VARIABLES["client_id"],
            help="The public client application that people sign in through.",
        ),
    ] = "",
    api_client_id: Annotated[
        str,
        typer.Option(envvar=VARIABLES["api_client_id"], help="The client id of LKPS's API."),
    ] = "",
    authority: Annotated[
        str,
        typer.Option(envvar=VARIABLES["authority"], help="Another cloud's sign-in address."),
    ] = "",
    login_hint: Annotated[
        str | None, typer.Option(help="Who signs in: skips the choice of an account.")
    ] = None,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser", help="Open a browser, or print the address to open in one."
        ),
    ] = True,
    device_code: Annotated[
        bool,
        typer.Option("--device-code", help="Sign in on another device, with a code to type there."),
    ] = False,
) -> None:
    """Sign in with the browser, and keep where LKPS is.

    What is given is kept for the other commands; the environment's variables win over it. A
    program needs no login: with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or
    AZURE_CLIENT_CERTIFICATE_PATH) in the environment, every command is called as that application.
    """
    said = Profile(url, tenant, client_id, api_client_id, authority)
    profile = said.over(settings.current_profile())
    if settings.is_by_environment():
        tell("The environment says who calls (AZURE_*, LKPS_CREDENTIAL): it needs no login.")
        api = settings.connect_by_environment(profile)
    else:
        api = settings.connect_person(profile)
        if device_code:
            _sign_in_elsewhere(profile)
        else:
            _sign_in(profile, login_hint, browser=browser)
    profile.save(profile_folder(os.environ) / PROFILE)
    show(*callers.caller(api.get("whoami").body))


@app.command(epilog=examples("lkps logout"))
def logout() -> None:
    """Forget who signed in on this machine; where LKPS is stays known."""
    from lkps.credentials.token_cache import TokenCache

    TokenCache(profile_folder(os.environ)).clear()
    tell("Nobody is signed in any more.")


@app.command(epilog=examples("lkps whoami", "lkps whoami --json"))
def whoami(*, as_json: AsJson = False) -> None:
    """Show whom LKPS takes you for, and what you may do."""
    body = settings.connect().get("whoami").body
    show_answer(body, callers.caller, as_json=as_json)


def _sign_in(profile: Profile, login_hint: str | None, *, browser: bool) -> None:
    from lkps.cli.browsers import without_browser
    from lkps.credentials import by_browser

    person = settings.person(profile)
    if browser:
        tell("Sign in in the browser. lkps login --no-browser prints the address instead.")
    else:
        without_browser(_announce)
    person.sign_in(by_browser(_announce, login_hint))


def _sign_in_elsewhere(profile: Profile) -> None:
    from lkps.credentials import by_device_code

    settings.person(profile).sign_in(by_device_code(tell))


def _announce(address: str) -> None:
    tell("Open this address in a browser on this machine:", unbroken(address))
