"""A table's query, with as many requests as it takes."""

from functools import partial

from azure.data.tables import TableEntity
from azure.data.tables.aio import TableClient

from lkps_core.adapters.tables.account import TablesAccount

PAGE = 1000
"""Entities that the service gives at once, at the most."""


async def first(
    account: TablesAccount,
    table: TableClient,
    most: int | None,
    query: str,
    parameters: dict[str, str],
    seconds: float,
) -> list[TableEntity]:
    """The first `most` entities, or all of them; `seconds` are for each request.

    The service may end a page early, and even send an empty one: it says whether more come.
    """
    found: list[TableEntity] = []
    continuation: str | None = None
    while most is None or len(found) < most:
        wanted = PAGE if most is None else min(PAGE, most - len(found))
        entities, continuation = await account.call(
            partial(_page, table, query, parameters, wanted, continuation), seconds
        )
        found += entities
        if not continuation:
            break
    return found


async def _page(
    table: TableClient, query: str, parameters: dict[str, str], most: int, continuation: str | None
) -> tuple[list[TableEntity], str | None]:
    pages = table.query_entities(query, parameters=parameters, results_per_page=most).by_page(
        continuation
    )
    async for page in pages:
        entities = [entity async for entity in page]
        return entities, pages.continuation_token  # type: ignore[attr-defined]
    return [], None
