"""What every body in and out has in common."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from lkps_core.agents.names import is_agent_name
from lkps_core.errors import BodyInvalid, BodyMalformed
from lkps_core.strict_json import NotStrictJson, parse_object

_POINTER_LIMIT = 120
_ERRORS_LIMIT = 20
_INSTANT_LIMIT = 40


class Body(BaseModel):
    """A request's body: exact types, no member that is not named here."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Raise BodyMalformed for what is no JSON object, BodyInvalid for its members."""
        try:
            members = parse_object(raw)
        except NotStrictJson as error:
            raise BodyMalformed(f"{error}.") from error
        try:
            return cls.model_validate(members)
        except ValidationError as error:
            raise BodyInvalid(
                [
                    _member_error(one)
                    for one in error.errors(
                        include_url=False, include_context=False, include_input=False
                    )[:_ERRORS_LIMIT]
                ]
            ) from None  # the cause holds the input


def changes(
    body: Body, *, clearable: Collection[str], apart_from: Collection[str] = ()
) -> dict[str, Any]:
    """The members that a change names; null clears those that can be, and leaves the others."""
    sent = {name: getattr(body, name) for name in body.model_fields_set if name not in apart_from}
    return {name: value for name, value in sent.items() if value is not None or name in clearable}


class Answer(BaseModel):
    """An answer's body; members that are None are left out."""

    model_config = ConfigDict(frozen=True, defer_build=True)


def _member_error(error: Any) -> dict[str, str]:  # noqa: ANN401  pydantic's ErrorDetails
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"])
    pointer = "".join(f"/{part}" for part in escaped)[:_POINTER_LIMIT]
    return {"pointer": pointer, "code": error["type"], "detail": error["msg"]}


def _agent_name(text: str) -> str:
    if not is_agent_name(text):
        raise ValueError("must be a-z, 0-9 and single inner hyphens, at most 63")
    return text


def instant_in(value: object) -> datetime:
    """ValueError unless it is a time with its offset; in UTC. Strict mode would not take text."""
    wrong = ValueError("must be an RFC 3339 time with an offset")
    if not isinstance(value, str) or len(value) > _INSTANT_LIMIT:
        raise wrong
    try:
        at = datetime.fromisoformat(value)
        utc = at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        raise wrong from None
    if at.tzinfo is None:
        raise wrong
    return utc


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must have no control characters")
    return text


def at_most_bytes(limit: int) -> AfterValidator:
    """UTF-8 bytes, which is what LiveKit and the tables count."""

    def check(text: str) -> str:
        if len(text.encode()) > limit:
            raise ValueError(f"must be at most {limit} bytes")
        return text

    return AfterValidator(check)


_GUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Guid = Annotated[str, StringConstraints(pattern=_GUID)]
AgentName = Annotated[str, AfterValidator(_agent_name)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(printable)]
InstantIn = Annotated[AwareDatetime, BeforeValidator(instant_in)]
Instant = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
