"""A `scope` parameter: which of the API's scopes a client asks for, and which of OpenID's."""

from dataclasses import dataclass
from typing import Self

from dev.tenant import refusals
from dev.tenant.directory import Directory
from dev.tenant.identities import API_SCOPES, Person

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
DEFAULT = ".default"


@dataclass(frozen=True, slots=True)
class Scopes:
    """`named` are the API's scopes as the client wrote them; `short` leave the resource out."""

    named: tuple[str, ...]
    short: frozenset[str]
    openid: frozenset[str]

    @classmethod
    def parse(cls, scope: str, directory: Directory) -> Self:
        """Raises `Refused` unless each is one of the API's or of OpenID's, and one is the API's."""
        parts = scope.split()
        named = tuple(part for part in parts if part not in OPENID_SCOPES)
        short = frozenset(_short(part, directory) for part in named)
        if not short or (DEFAULT in short and len(short) > 1):
            raise refusals.scope_malformed(scope)
        for unknown in sorted(short - API_SCOPES - {DEFAULT}):
            raise refusals.scope_unknown(unknown)
        return cls(named, short, OPENID_SCOPES.intersection(parts))

    def granted_to(self, person: Person) -> tuple[str, ...]:
        """Short names in the person's order; raises `Refused` when one is not theirs."""
        if DEFAULT in self.short:
            return person.scopes
        if not self.short.issubset(person.scopes):
            raise refusals.consent_missing()
        return tuple(name for name in person.scopes if name in self.short)

    def answered(self, person: Person) -> str:
        """An answer's `scope`: as asked, and what `.default` stands for. MSAL caches by it."""
        scopes = [*sorted(self.openid - {"offline_access"}), *self.named]
        if DEFAULT in self.short:
            resource = self.named[0].removesuffix(DEFAULT)
            scopes += [f"{resource}{name}" for name in person.scopes]
        return " ".join(scopes)


def require_default(scope: str, directory: Directory) -> None:
    """An application asks for all that it was assigned; raises `Refused` for another scope."""
    if len(scope.split()) != 1:
        raise refusals.scope_malformed(scope)
    if not scope.endswith(f"/{DEFAULT}"):
        raise refusals.scope_not_default(scope)
    _short(scope, directory)


def _short(scope: str, directory: Directory) -> str:
    resource, _, name = scope.rpartition("/")
    audience = directory.audience
    if resource not in {audience, f"api://{audience}"}:
        raise refusals.resource_unknown(resource, directory.tenant_id)
    return name
