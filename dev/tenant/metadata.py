"""The tenant's OpenID metadata, as one listener publishes it."""


def token_endpoint(authority: str, tenant_id: str) -> str:
    return f"{authority}/{tenant_id}/oauth2/v2.0/token"


def verification_uri(authority: str, tenant_id: str) -> str:
    """The page for the device code flow; Entra's has an address that is shorter to type."""
    return f"{authority}/{tenant_id}/oauth2/deviceauth"


def metadata(authority: str, tenant_id: str) -> dict[str, object]:
    """Of the listener itself, its issuer too: MSAL.js takes no other. Tokens have the http one."""
    base = f"{authority}/{tenant_id}"
    return {
        "token_endpoint": token_endpoint(authority, tenant_id),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "nonce", "name", "tid", "ver"),
            "preferred_username",
        ],
        "issuer": f"{base}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
    }
