"""The refusals of the device code flow: what a client is told until somebody has signed in."""

from dev.tenant.refusals import Refused


def pending() -> Refused:
    sentence = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return Refused("authorization_pending", 70016, sentence)


def too_often() -> Refused:
    """RFC 8628's. Microsoft lists neither the error nor a code: it has that of a pending one."""
    sentence = "The device asks more often than its interval allows. Poll less often."
    return Refused("slow_down", 70016, sentence)


def declined() -> Refused:
    """Microsoft lists no code for it: it has that of a consent that was declined."""
    sentence = "The end user denied the authorization request."
    return Refused("authorization_declined", 65004, sentence)


def code_unknown() -> Refused:
    return Refused("bad_verification_code", 70018, "The verification code is not valid.")


def code_expired() -> Refused:
    sentence = (
        "The provided value for the input parameter 'device_code' is not valid. This device code "
        "has expired."
    )
    return Refused("expired_token", 70020, sentence)
