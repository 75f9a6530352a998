"""Admitting a request by its caller's quota, before anything is read for it.

The limits are those that this process saw last; one that has seen none yet goes by the defaults.
"""

from lkps_core.errors import RateLimited
from lkps_core.identity.principal import Principal
from lkps_core.policy.evidence import Evidences
from lkps_core.policy.quotas import Quotas


class Admitting:
    def __init__(self, quotas: Quotas, evidences: Evidences) -> None:
        self._quotas = quotas
        self._evidences = evidences

    def admit(self, caller: Principal) -> None:
        """Raise RateLimited; then the limits are read anew, for they may have been raised."""
        try:
            self._quotas.admit(caller, self._evidences.last_limits())
        except RateLimited:
            self._evidences.renew_limits()
            raise
