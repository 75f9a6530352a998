"""ID tokens and `client_info`: what a client learns of who signed in.

Microsoft: "ID token claims reference". MSAL makes its accounts of the two.
"""

import json

from dev.tenant.directory import RegisteredPerson
from dev.tenant.keys import base64url
from dev.tenant.sign_ins import SignIn
from dev.tenant.tokens import Claims, Issuer


def id_claims(issuer: Issuer, sign_in: SignIn) -> Claims:
    """Entra tells name, username and object id to a client that asked for `profile`."""
    claims = issuer.common_claims(sign_in.client_id)
    claims["sub"] = issuer.pairwise_subject(sign_in.user, sign_in.client_id)
    if "profile" in sign_in.scopes.openid:
        claims["name"] = sign_in.user.person.display_name
        claims["oid"] = sign_in.user.object_id
        claims["preferred_username"] = sign_in.user.person.username
    if sign_in.nonce is not None:
        claims["nonce"] = sign_in.nonce
    return claims


def client_info(user: RegisteredPerson, tenant_id: str) -> str:
    return base64url(json.dumps({"uid": user.object_id, "utid": tenant_id}).encode())
