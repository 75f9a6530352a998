"""Signs: what speaks for a mode, and what it lacks."""

from collections.abc import Callable

from lkps.credentials.environment import Environment
from lkps.credentials.login import can_sign_in, is_signed_in

Sign = Callable[[Environment], str]
Needs = Callable[[Environment], list[str]]


def variables(*names: str) -> Sign:
    """All of them are set."""
    said = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} set"
    return lambda environment: "" if environment.missing(*names) else said


def needs(*names: str) -> Needs:
    return lambda environment: environment.missing(*names)


def never(_: Environment) -> str:
    """It wants a person beside the program, so somebody has to ask for it."""
    return ""


def login(environment: Environment) -> str:
    return "lkps login was done" if is_signed_in(environment.variables) else ""


def login_needs(environment: Environment) -> list[str]:
    if not can_sign_in():
        return ['pip install "lkps-sdk[cli]"', "lkps login"]
    return [] if login(environment) else ["lkps login"]


def azure_cli(environment: Environment) -> str:
    return "az login was done" if environment.is_signed_in_to_azure() else ""


def azure_cli_needs(environment: Environment) -> list[str]:
    return [] if azure_cli(environment) else ["az login"]
