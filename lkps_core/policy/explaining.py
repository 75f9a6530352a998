"""What a rule means to whoever asks: what would have to change, and who can change it."""

from typing import Literal, NamedTuple

from lkps_core.policy.decision import Rule

type Who = Literal["you", "agent_owner", "platform_admin", "entra_admin"]


class Explanation(NamedTuple):
    detail: str
    change: str
    who: Who


EXPLANATIONS: dict[Rule, Explanation] = {
    "open": Explanation("The agent is open to every client.", "Nothing.", "agent_owner"),
    "granted": Explanation("This grant fits.", "Nothing.", "agent_owner"),
    "report_only_grant": Explanation(
        "A grant of your application is in report-only: it denies nobody.",
        "Once it is enforced, what is named before it denies.",
        "agent_owner",
    ),
    "report_only_mode": Explanation(
        "The agent is in report-only: it denies nobody.",
        "Once it is enforced, what is named before it denies.",
        "agent_owner",
    ),
    "permission_lacking": Explanation(
        "The access token has neither the app role LKPS.Client nor the scope Session.Start.",
        "Assign the role to the application, or ask for the scope when the user signs in.",
        "entra_admin",
    ),
    "application_blocked": Explanation(
        "The client application is blocked.", "Lift the block.", "platform_admin"
    ),
    "user_blocked": Explanation("The user is blocked.", "Lift the block.", "platform_admin"),
    "session_blocked": Explanation("The session is blocked.", "Start another.", "you"),
    "agent_unknown": Explanation(
        "There is no such agent.", "Assign the name, or register the agent.", "platform_admin"
    ),
    "agent_blocked": Explanation("The agent is blocked.", "Lift the block.", "platform_admin"),
    "agent_closed": Explanation("The agent is closed.", "Set another access mode.", "agent_owner"),
    "no_grant": Explanation(
        "No grant is for this client application.", "Grant the agent to it.", "agent_owner"
    ),
    "grant_expired": Explanation(
        "The grant has expired.", "Give it a later expiry.", "agent_owner"
    ),
    "grant_for_application": Explanation(
        "The grant is for the application itself, and this is a user's token.",
        "Grant the agent to the application's users, a group or the user.",
        "agent_owner",
    ),
    "grant_for_users": Explanation(
        "The grant is for users of the application, and this is the application's own token.",
        "Grant the agent to the application itself, or let the user sign in.",
        "agent_owner",
    ),
    "group_lacking": Explanation(
        "The access token does not name the grant's group.",
        "Put the user into the group, or have LKPS's API in Entra ID emit the groups claim.",
        "entra_admin",
    ),
    "groups_overage": Explanation(
        "The user is in too many groups for the access token to name them.",
        "Have LKPS's API in Entra ID emit only the groups that are assigned to the application, or"
        " grant the agent to the user.",
        "entra_admin",
    ),
    "user_lacking": Explanation(
        "The grant is for another user.", "Grant the agent to this user.", "agent_owner"
    ),
    "grant_sessions_limit": Explanation(
        "As many sessions as the grant allows are open.", "End some, or raise its limit.", "you"
    ),
    "agent_sessions_limit": Explanation(
        "As many sessions as the agent allows are open.",
        "Wait for some to end, or raise its limit.",
        "agent_owner",
    ),
    "platform_sessions_limit": Explanation(
        "As many sessions as the platform allows an agent are open.",
        "Wait for some to end, or raise the limit.",
        "platform_admin",
    ),
}

NOT_CALLABLE = Explanation(
    "You may not call that agent, or there is none of that name.",
    "If there is one, its owners can grant it to your client application.",
    "agent_owner",
)
"""All that somebody with no relation to an agent is told."""
