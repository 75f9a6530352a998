"""An export: lines of JSON, batch by batch the rows that it covers, then those not covered yet.

```
{"export": {"format": 1, "origin": …, "key": …, "from": …, "to": …}}
{"batch": {…}}            a Batch; as many lines as it has leaves follow, each a row's own bytes
…
{"uncovered": [[stream, first, count], …]}      rows follow
{"end": {"batches": …, "rows": …, "uncovered": …}}
```
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from lkps_trail.batch import Batch, Segment, segments_json

FORMAT = 1

CONTROLS = (b'{"export":', b'{"batch":', b'{"uncovered":', b'{"more":', b'{"end":')
"""How the lines begin that are no rows; a row begins with its first member, `action`."""


def header(origin: str, key: str, period: tuple[str, str]) -> str:
    start, end = period
    members = {"format": FORMAT, "origin": origin, "key": key, "from": start, "to": end}
    return _line({"export": members})


def batch_lines(batch: Batch, rows: Iterable[bytes]) -> Iterator[str]:
    yield _line({"batch": batch.as_json()})
    yield from (row.decode() for row in rows)


def uncovered_lines(segments: Sequence[Segment], rows: Iterable[bytes]) -> Iterator[str]:
    yield _line({"uncovered": segments_json(segments)})
    yield from (row.decode() for row in rows)


def end(*, batches: int, rows: int, uncovered: int) -> str:
    return _line({"end": {"batches": batches, "rows": rows, "uncovered": uncovered}})


def more(after: str) -> str:
    """Instead of the end: the export goes on, and `after` says where."""
    return _line({"more": {"after": after}})


def _line(members: object) -> str:
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False)
