"""The groups claim, which the API's registration asks for: a person's groups, or where to look.

Microsoft: "Configure group claims for applications by using Microsoft Entra ID", with its overage.
"""

from dev.tenant.directory import Directory, RegisteredPerson

GRAPH = "https://graph.microsoft.com/v1.0"


def group_claims(user: RegisteredPerson, directory: Directory) -> dict[str, object]:
    """Empty for a person who is in no group."""
    if user.person.too_many_groups:
        endpoint = f"{GRAPH}/users/{user.object_id}/getMemberObjects"
        return {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": endpoint}},
        }
    groups = [directory.groups[name] for name in user.person.groups]
    return {"groups": groups} if groups else {}
