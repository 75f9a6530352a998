"""R3 to R13 from the header to the Principal: what is accepted, and a row for each refusal."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from lkps_core.errors import TokenInvalid
from lkps_core.identity import Principal, PrincipalId, Rules
from lkps_core.identity.claims import principal
from lkps_core.identity.permissions import ADMINISTER, RUN_AGENTS, START_SESSIONS
from lkps_core.identity.token import SignedClaims, read, verify
from tests.builders.tokens import (
    ABSENT,
    AUDIENCE,
    AUTHORITY,
    CLIENT_APP,
    ISSUER,
    NOW,
    RULES,
    SERVICE_PRINCIPAL,
    TENANT,
    USER,
    app_claims,
    authenticator,
    b64,
    bearer,
    header,
    signed,
    signing_key,
    user_claims,
)

HOUR = 3600
AT = int(NOW.timestamp())
OTHER_GUID = "99999999-9999-4999-8999-999999999999"


async def caller(authorization: str, rules: Rules = RULES) -> Principal:
    return await authenticator(rules=rules).authenticate(authorization, NOW)


async def reason(authorization: str, rules: Rules = RULES) -> str:
    with pytest.raises(TokenInvalid) as refused:
        await caller(authorization, rules)
    return refused.value.reason


async def test_an_application_is_known_by_its_tenant_object_and_client() -> None:
    known = await caller(bearer(app_claims()))
    assert known == Principal(
        kind="app",
        tid=TENANT,
        oid=SERVICE_PRINCIPAL,
        azp=CLIENT_APP,
        uti="eCZGvWgLBEqrh_nKvpsPAA",
        permissions=frozenset({"LKPS.Client"}),
    )
    assert known.id == PrincipalId(TENANT, SERVICE_PRINCIPAL)


async def test_a_user_of_a_public_client_is_known_likewise() -> None:
    known = await caller(bearer(user_claims()))
    assert (known.kind, known.oid, known.azp) == ("user", USER, CLIENT_APP)
    assert known.may(ADMINISTER, START_SESSIONS)
    assert not known.may(ADMINISTER, RUN_AGENTS)


async def test_names_that_people_can_change_decide_nothing() -> None:
    plain = await caller(bearer(user_claims()))
    renamed = user_claims(upn="b@x", email="b@x", name="B", preferred_username="b@x", sub="b")
    assert await caller(bearer(renamed)) == plain


HEADERS: dict[str, tuple[dict[str, object], str]] = {
    "alg none": ({"alg": "none"}, "header_alg"),
    "alg HS256": ({"alg": "HS256"}, "header_alg"),
    "alg RS384": ({"alg": "RS384"}, "header_alg"),
    "alg PS256": ({"alg": "PS256"}, "header_alg"),
    "alg in lower case": ({"alg": "rs256"}, "header_alg"),
    "alg list": ({"alg": ["RS256"]}, "header_alg"),
    "alg absent": ({"alg": ABSENT}, "header_alg"),
    "typ JWS": ({"typ": "JWS"}, "header_typ"),
    "typ in lower case": ({"typ": "jwt"}, "header_typ"),
    "typ of a logout token": ({"typ": "logout+jwt"}, "header_typ"),
    "typ null": ({"typ": None}, "header_typ"),
    "typ list": ({"typ": ["JWT"]}, "header_typ"),
    "kid absent": ({"kid": ABSENT}, "header_kid"),
    "kid number": ({"kid": 1}, "header_kid"),
    "kid empty": ({"kid": ""}, "header_kid"),
    "kid too long": ({"kid": "k" * 129}, "header_kid"),
    "kid path": ({"kid": "../key"}, "header_kid"),
    "kid with newline": ({"kid": "tenant-key-1\n"}, "header_kid"),
    "kid unknown": ({"kid": "k" * 128}, "key_unknown"),
    "crit": ({"crit": ["exp"]}, "header_member"),
    "b64": ({"b64": True}, "header_member"),
    "zip": ({"zip": "DEF"}, "header_member"),
    "enc": ({"enc": "A256GCM"}, "header_member"),
    "cty": ({"cty": "JWT"}, "header_member"),
    "jku": ({"jku": "https://evil.example"}, "header_member"),
    "jwk": ({"jwk": signing_key().jwk()}, "header_member"),
    "x5u": ({"x5u": "https://evil.example"}, "header_member"),
    "x5c": ({"x5c": ["MII"]}, "header_member"),
    "nonce": ({"nonce": None}, "header_member"),
}


@pytest.mark.parametrize(("changes", "why"), HEADERS.values(), ids=HEADERS.keys())
async def test_r3_a_header_out_of_order_is_refused(changes: dict[str, object], why: str) -> None:
    assert await reason(bearer(app_claims(), head=header(**changes))) == why


@pytest.mark.parametrize("changes", [{}, {"typ": ABSENT}, {"typ": "at+jwt"}, {"x5t": "thumb"}])
async def test_r3_a_header_in_order_is_accepted(changes: dict[str, object]) -> None:
    assert await caller(bearer(app_claims(), head=header(**changes)))


@pytest.mark.parametrize(
    "head",
    [
        b'{"alg":"none","alg":"RS256","kid":"tenant-key-1"}',
        b'\xef\xbb\xbf{"alg":"RS256","kid":"tenant-key-1"}',
        b'["RS256"]',
        b'{"alg":"RS256","kid":"tenant-key-1","x":"\\ud800"}',
        b"\xff",
    ],
)
async def test_r3_a_header_that_is_not_strict_json_is_refused(head: bytes) -> None:
    assert await reason(bearer(app_claims(), head=head)) == "header_not_json"


STRICT = json.dumps(app_claims())
PAYLOADS = {
    "member twice": STRICT[:-1].encode() + b',"oid":"' + USER.encode() + b'"}',
    "byte order mark": b"\xef\xbb\xbf" + STRICT.encode(),
    "UTF-16": STRICT.encode("utf-16"),
    "lone surrogate": STRICT[:-1].encode() + b',"name":"\\ud800"}',
    "NaN": STRICT[:-1].encode() + b',"x":NaN}',
    "array": b"[" + STRICT.encode() + b"]",
    "deep": STRICT[:-1].encode() + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "empty": b" ",
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
async def test_a_signed_payload_that_is_not_strict_json_is_refused(payload: bytes) -> None:
    assert await reason(bearer(payload)) == "payload_not_json"


async def test_a_payload_of_five_megabytes_is_refused_unread() -> None:
    assert await reason(bearer(app_claims(x="a" * (5 << 20)))) == "token_too_long"


async def test_r4_a_signature_of_another_key_under_the_same_name_is_refused() -> None:
    assert (
        await reason(bearer(app_claims(), key=signing_key("other"), head=header())) == "signature"
    )


async def test_r4_claims_changed_after_signing_are_refused() -> None:
    head, _, signature = signed(app_claims()).split(".")
    changed = b64(json.dumps(app_claims(roles=["LKPS.Admin"])).encode())
    assert await reason(f"Bearer {head}.{changed}.{signature}") == "signature"


@pytest.mark.parametrize("ending", ["=", "=="])
async def test_a_padded_signature_is_refused(ending: str) -> None:
    assert await reason(bearer(app_claims()) + ending) == "token_shape"


async def test_a_second_spelling_of_the_same_signature_is_refused() -> None:
    token = signed(app_claims())  # 256 bytes leave four bits of the last character unused
    assert token[-1] in "AQgw"
    assert await reason(f"Bearer {token[:-1]}{chr(ord(token[-1]) + 1)}") == "signature"


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_part_of_an_impossible_length_is_refused(part: int) -> None:
    parts = signed(app_claims()).split(".")
    parts[part] = parts[part][: len(parts[part]) // 4 * 4] + "A"
    assert await reason("Bearer " + ".".join(parts)) in ("token_shape", "signature")


CLAIMS: dict[str, tuple[dict[str, object], str]] = {
    "R5 version 1": ({"ver": "1.0"}, "claim_ver"),
    "R5 version number": ({"ver": 2.0}, "claim_ver"),
    "R5 version absent": ({"ver": ABSENT}, "claim_ver"),
    "R5 issuer of version 1": ({"iss": f"https://sts.windows.net/{TENANT}/"}, "claim_iss"),
    "R5 issuer of another tenant": ({"iss": f"{AUTHORITY}/{OTHER_GUID}/v2.0"}, "claim_iss"),
    "R5 issuer with a slash": ({"iss": ISSUER + "/"}, "claim_iss"),
    "R5 issuer in upper case": ({"iss": ISSUER.upper()}, "claim_iss"),
    "R5 issuer list": ({"iss": [ISSUER]}, "claim_iss"),
    "R5 issuer absent": ({"iss": ABSENT}, "claim_iss"),
    "R5 another tenant": ({"tid": OTHER_GUID}, "claim_tid"),
    "R5 tenant in upper case": ({"tid": TENANT.upper()}, "claim_tid"),
    "R5 tenant absent": ({"tid": ABSENT}, "claim_tid"),
    "R5 another audience": ({"aud": OTHER_GUID}, "claim_aud"),
    "R5 audience as address": ({"aud": f"api://{AUDIENCE}"}, "claim_aud"),
    "R5 audience array": ({"aud": [AUDIENCE]}, "claim_aud"),
    "R5 audience absent": ({"aud": ABSENT}, "claim_aud"),
    "R7 expired": ({"exp": AT - 60}, "claim_exp"),
    "R7 exp absent": ({"exp": ABSENT}, "claim_exp"),
    "R7 exp string": ({"exp": str(AT + HOUR)}, "claim_exp"),
    "R7 exp padded string": ({"exp": f" {AT + HOUR} "}, "claim_exp"),
    "R7 exp in full-width digits": (
        {"exp": str(AT + HOUR).translate({48 + n: 0xFF10 + n for n in range(10)})},
        "claim_exp",
    ),
    "R7 exp float": ({"exp": AT + HOUR + 0.5}, "claim_exp"),
    "R7 exp whole float": ({"exp": float(AT + HOUR)}, "claim_exp"),
    "R7 exp 1e300": ({"exp": 1e300}, "claim_exp"),
    "R7 exp true": ({"exp": True}, "claim_exp"),
    "R7 exp null": ({"exp": None}, "claim_exp"),
    "R7 exp of 400 digits": ({"exp": 10**400}, "lifetime"),
    "R7 exp negative": ({"exp": -(10**400)}, "claim_exp"),
    "R7 nbf absent": ({"nbf": ABSENT}, "claim_nbf"),
    "R7 nbf string": ({"nbf": str(AT)}, "claim_nbf"),
    "R7 nbf false": ({"nbf": False}, "claim_nbf"),
    "R7 nbf ahead": ({"nbf": AT + 61}, "claim_nbf"),
    "R7 iat absent": ({"iat": ABSENT}, "claim_iat"),
    "R7 iat float": ({"iat": AT - 0.5}, "claim_iat"),
    "R7 iat ahead": ({"iat": AT + 61}, "claim_iat"),
    "R7 life too long": ({"iat": AT, "nbf": AT, "exp": AT + 29 * HOUR + 1}, "lifetime"),
    "R7 life too long since nbf": (
        {"iat": AT, "nbf": AT - HOUR, "exp": AT + 29 * HOUR},
        "lifetime",
    ),
    "R8 kind absent": ({"idtyp": ABSENT}, "claim_idtyp"),
    "R8 kind unknown": ({"idtyp": "device"}, "claim_idtyp"),
    "R8 kind in upper case": ({"idtyp": "App"}, "claim_idtyp"),
    "R8 kind list": ({"idtyp": ["app"]}, "claim_idtyp"),
    "R9 scope on an application": ({"scp": "Session.Start"}, "claim_scp"),
    "R9 empty scope on an application": ({"scp": ""}, "claim_scp"),
    "R9 null scope on an application": ({"scp": None}, "claim_scp"),
    "R9 roles string": ({"roles": "LKPS.Client"}, "claim_roles"),
    "R9 roles object": ({"roles": {"LKPS.Client": 1}}, "claim_roles"),
    "R9 roles null": ({"roles": None}, "claim_roles"),
    "R9 roles with a number": ({"roles": ["LKPS.Client", 1]}, "claim_roles"),
    "R9 roles with a list": ({"roles": [["LKPS.Client"]]}, "claim_roles"),
    "R10 object absent": ({"oid": ABSENT}, "claim_oid"),
    "R10 object is no GUID": ({"oid": "../../x"}, "claim_oid"),
    "R10 object in upper case": ({"oid": USER.upper()}, "claim_oid"),
    "R10 object with newline": ({"oid": USER + "\n"}, "claim_oid"),
    "R10 object list": ({"oid": [USER]}, "claim_oid"),
    "R10 client absent": ({"azp": ABSENT}, "claim_azp"),
    "R10 client is no GUID": ({"azp": "app"}, "claim_azp"),
    "R10 version 1's client only": ({"azp": ABSENT, "appid": CLIENT_APP}, "claim_azp"),
    "R10 token id absent": ({"uti": ABSENT}, "claim_uti"),
    "R10 token id with a line": ({"uti": "a\nb"}, "claim_uti"),
    "R10 token id too long": ({"uti": "a" * 65}, "claim_uti"),
    "R11 public client": ({"azpacr": "0"}, "claim_azpacr"),
    "R11 client authentication absent": ({"azpacr": ABSENT}, "claim_azpacr"),
    "R11 client authentication number": ({"azpacr": 2}, "claim_azpacr"),
    "R11 client authentication list": ({"azpacr": ["2"]}, "claim_azpacr"),
    "R11 client authentication unknown": ({"azpacr": "3"}, "claim_azpacr"),
    "R13 bound to a key": ({"cnf": {"kid": "k"}}, "claim_cnf"),
    "R13 bound to nothing": ({"cnf": None}, "claim_cnf"),
}


@pytest.mark.parametrize(("changes", "why"), CLAIMS.values(), ids=CLAIMS.keys())
async def test_a_claim_out_of_order_is_refused(changes: dict[str, object], why: str) -> None:
    assert await reason(bearer(app_claims(**changes))) == why


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": AT - 59},
        {"nbf": AT + 60, "iat": AT + 60},
        {"iat": AT, "nbf": AT, "exp": AT + 29 * HOUR},
        {"azpacr": "1"},
        {"aio": "opaque", "rh": "1.AAA", "wids": [OTHER_GUID]},
    ],
)
async def test_claims_at_the_edge_are_accepted(changes: dict[str, object]) -> None:
    assert await caller(bearer(app_claims(**changes)))


@pytest.mark.parametrize("scopes", [["Session.Start"], 1, None, {"Session.Start": 1}])
async def test_r9_scopes_of_another_type_are_refused(scopes: object) -> None:
    assert await reason(bearer(user_claims(scp=scopes))) == "claim_scp"


async def test_r9_roles_of_another_type_are_refused_for_users_too() -> None:
    assert await reason(bearer(user_claims(roles="LKPS.Admin"))) == "claim_roles"


@pytest.mark.parametrize(
    "groups", [OTHER_GUID, {OTHER_GUID: 1}, None, 1, [OTHER_GUID, 1], [[OTHER_GUID]]]
)
async def test_r9_groups_of_another_type_are_refused(groups: object) -> None:
    assert await reason(bearer(user_claims(groups=groups))) == "claim_groups"


@pytest.mark.parametrize(
    ("changes", "groups", "overage"),
    [
        ({}, set(), False),
        ({"groups": []}, set(), False),
        ({"groups": [OTHER_GUID, OTHER_GUID, "Sales"]}, {OTHER_GUID, "Sales"}, False),
        ({"_claim_names": {"groups": "src1"}}, set(), True),
        ({"_claim_names": {"groups": "src1"}, "groups": [OTHER_GUID]}, {OTHER_GUID}, True),
        ({"_claim_names": {"address": "src1"}}, set(), False),
        ({"_claim_names": "groups"}, set(), True),
        ({"_claim_names": None}, set(), True),
        ({"hasgroups": True}, set(), True),
        ({"hasgroups": False}, set(), True),
        ({"hasgroups": "true"}, set(), True),
    ],
)
async def test_a_users_groups_are_those_of_the_token_which_says_when_it_names_too_few(
    changes: dict[str, object], groups: set[str], overage: bool
) -> None:
    user = await caller(bearer(user_claims(**changes)))
    assert user.groups == groups
    assert user.groups_overage == overage


async def test_an_application_has_no_groups() -> None:
    claims = app_claims(groups=[OTHER_GUID], hasgroups=True)
    application = await caller(bearer(claims))
    assert (application.groups, application.groups_overage) == (frozenset(), False)


@pytest.mark.parametrize(
    ("roles", "permissions"),
    [
        (ABSENT, set()),
        ([], set()),
        (["Session.Start", "Platform.Admin"], set()),
        (["LKPS.Root", "lkps.admin", "LKPS.Admin "], set()),
        (["LKPS.Agent", "LKPS.Agent", "Other"], {"LKPS.Agent"}),
        (
            ["LKPS.Agent", "LKPS.Client", "LKPS.Manage", "LKPS.Admin", "LKPS.Auditor"],
            {"LKPS.Agent", "LKPS.Client", "LKPS.Manage", "LKPS.Admin", "LKPS.Auditor"},
        ),
    ],
)
async def test_r9_an_application_may_what_its_roles_say(
    roles: object, permissions: set[str]
) -> None:
    assert (await caller(bearer(app_claims(roles=roles)))).permissions == permissions


@pytest.mark.parametrize(
    ("scopes", "roles", "permissions"),
    [
        (ABSENT, ["LKPS.Admin", "LKPS.Client"], set()),
        ("", ABSENT, set()),
        ("Session.Start", ["LKPS.Admin", "LKPS.Manage"], {"Session.Start"}),
        ("Agent.Register  Agent.Manage", ABSENT, {"Agent.Register", "Agent.Manage"}),
        ("Session.Start\tAgent.Manage", ABSENT, set()),
        ("Session.Start\u00a0Agent.Manage", ABSENT, set()),
        ("session.start User.Read LKPS.Admin", ["LKPS.Admin"], set()),
        ("Platform.Admin Audit.Read", ABSENT, set()),
        ("Platform.Admin Audit.Read", [], set()),
        ("Platform.Admin Audit.Read", ["LKPS.Auditor"], {"Audit.Read"}),
        ("Platform.Admin Audit.Read", ["LKPS.Admin"], {"Platform.Admin"}),
        ("Platform.Admin", ["LKPS.Auditor"], set()),
        ("Audit.Read", ["LKPS.Admin"], set()),
    ],
)
async def test_r9_a_user_may_what_scopes_say_and_their_roles_allow(
    scopes: object, roles: object, permissions: set[str]
) -> None:
    known = await caller(bearer(user_claims(scp=scopes, roles=roles)))
    assert known.permissions == permissions


async def test_r11_where_certificates_are_demanded_a_secret_is_refused() -> None:
    rules = Rules(ISSUER, TENANT, AUDIENCE, minimum_azpacr=2)
    assert await reason(bearer(app_claims(azpacr="1")), rules) == "claim_azpacr"
    assert await caller(bearer(app_claims(azpacr="2")), rules)


async def test_r11_where_certificates_are_demanded_users_keep_their_public_clients() -> None:
    rules = Rules(ISSUER, TENANT, AUDIENCE, minimum_azpacr=2)
    assert await caller(bearer(user_claims(azpacr="0")), rules)


async def test_only_expiry_is_told_to_the_caller() -> None:
    with pytest.raises(TokenInvalid) as expired:
        await authenticator().authenticate(bearer(app_claims()), NOW + timedelta(hours=2))
    with pytest.raises(TokenInvalid) as foreign:
        await caller(bearer(app_claims(aud=OTHER_GUID)))
    assert "expired" in expired.value.detail
    assert foreign.value.detail == "The token is not valid here."


async def test_a_forged_token_is_not_told_that_it_has_expired() -> None:
    token = bearer(app_claims(exp=AT - HOUR), key=signing_key("other"), head=header())
    with pytest.raises(TokenInvalid) as refused:
        await caller(token)
    assert "expired" not in refused.value.detail


def test_r5_is_asked_of_the_signed_claims_and_not_of_a_peek_alone() -> None:
    claims = verify(read(signed(app_claims())), signing_key().private.public_key())
    assert principal(claims, RULES, NOW)
    for rules in (
        replace(RULES, issuer=f"{AUTHORITY}/{OTHER_GUID}/v2.0"),
        replace(RULES, tenant_id=OTHER_GUID),
        replace(RULES, audience=OTHER_GUID),
    ):
        with pytest.raises(TokenInvalid):
            principal(claims, rules, NOW)


def test_signed_claims_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="verifier"):
        SignedClaims({"oid": USER}, object())
