"""Workloads that Entra ID trusts by the token of their own platform: nothing secret is kept.

Microsoft: "Workload identity federation".
"""

from dataclasses import dataclass, field
from pathlib import Path

import requests

from lkps.credentials.applications import Confidential
from lkps.credentials.http import Watched
from lkps.errors import ConfigurationError, CredentialError, Unavailable

AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class WorkloadIdentity(Confidential):
    """A pod of AKS, or of another Kubernetes with Azure's webhook.

    The platform replaces the token in the file within the hour: it is read whenever Entra ID is
    asked.
    """

    token_file: Path

    def _proof(self) -> object:
        return {"client_assertion": self._token}

    def _token(self) -> str:
        try:
            return self.token_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"AZURE_FEDERATED_TOKEN_FILE: {error}") from error


@dataclass(frozen=True)
class GitHubActions(Confidential):
    """A job of GitHub Actions with the permission `id-token: write`.

    GitHub: "OpenID Connect reference", "Methods for requesting the OIDC token".
    """

    request_url: str
    request_token: str = field(repr=False)

    def _proof(self) -> object:
        return {"client_assertion": self._token}

    def _token(self) -> str:
        with Watched() as github:
            try:
                answer = github.get(
                    self.request_url,
                    params={"audience": AUDIENCE},
                    headers={"Authorization": f"Bearer {self.request_token}"},
                    allow_redirects=False,
                )
                return str(answer.json()["value"])
            except (requests.exceptions.JSONDecodeError, KeyError, TypeError) as error:
                raise _refused(github) from error
            except requests.RequestException as error:
                detail = f"GitHub's token service cannot be reached: {type(error).__name__}"
                raise Unavailable(detail) from error


def _refused(github: Watched) -> Unavailable | CredentialError:
    if github.may_pass:
        detail = f"GitHub's token service answers {github.status}"
        return Unavailable(detail, retry_after=github.retry_after)
    return CredentialError(
        f"GitHub issues no token ({github.status}). The job needs `permissions: id-token: write`"
    )
