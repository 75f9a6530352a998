"""Azure Table Storage: the rows and the trail, by managed identity, or Azurite's key locally."""

from lkps_core.adapters.tables.account import TablesAccount
from lkps_core.adapters.tables.index import TableIndex
from lkps_core.adapters.tables.registrations import TableRegistrations
from lkps_core.adapters.tables.rows import TableRows
from lkps_core.adapters.tables.sessions import TableSessions
from lkps_core.adapters.tables.trail import TableTrailRows

__all__ = [
    "TableIndex",
    "TableRegistrations",
    "TableRows",
    "TableSessions",
    "TableTrailRows",
    "TablesAccount",
]
