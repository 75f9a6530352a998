"""Ways to tamper with an export: each changes it once, where and how chance picks."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lkps_trail.canonical import canonical
from tests.trail.parts.files import File, Members, Part, encoded, hashes_json
from tests.trail.parts.keys import Signer


@dataclass
class Desk:
    """What a forger has: the file, two more trails (the same key's, another key's), another key."""

    chance: Random
    file: File
    second: File
    foreign: File
    forger: Signer

    def part(self, first: int = 0) -> tuple[int, Part]:
        at = self.chance.randrange(first, len(self.file.parts))
        return at, self.file.parts[at]

    def perhaps(self, action: Callable[[], None]) -> None:
        if self.chance.random() < 0.5:
            action()


type Mutation = Callable[[Desk], bytes]
MUTATIONS: dict[str, Mutation] = {}


def mutation(change: Callable[[Desk], object]) -> Callable[[Desk], object]:
    """It changes the file; the end may be counted anew, for that needs no key."""

    def changed(desk: Desk) -> bytes:
        change(desk)
        desk.perhaps(desk.file.recount)
        return desk.file.content()

    MUTATIONS[change.__name__] = changed
    return change


def of_content(change: Mutation) -> Mutation:
    MUTATIONS[change.__name__] = change
    return change


@mutation
def change_a_member(desk: Desk) -> None:
    _, part = desk.part()
    at = desk.chance.randrange(len(part.rows))
    part.rows[at] = forged(desk.chance, part.rows[at])


@mutation
def flip_a_bit_of_a_row(desk: Desk) -> None:
    _, part = desk.part()
    at = desk.chance.randrange(len(part.rows))
    part.rows[at] = flipped(desk.chance, part.rows[at])


@mutation
def spell_a_row_differently(desk: Desk) -> None:
    _, part = desk.part()
    at = desk.chance.randrange(len(part.rows))
    row = part.rows[at]
    members = json.loads(row)
    backwards = json.dumps(dict(reversed(members.items())), separators=(",", ":"))
    spellings = [json.dumps(members), backwards, f"{row.decode()} ", f"{row.decode()}\r"]
    part.rows[at] = desk.chance.choice(spellings).encode()


@mutation
def take_rows_out(desk: Desk) -> None:
    _, part = desk.part()
    first = desk.chance.randrange(len(part.rows))
    del part.rows[first : first + desk.chance.randint(1, 3)]


@mutation
def put_a_row_in(desk: Desk) -> None:
    _, part = desk.part()
    strange = desk.chance.choice([*desk.second.parts[0].rows, *desk.file.waiting])
    row = desk.chance.choice([strange, forged(desk.chance, strange), b"", b"{}", b"no JSON"])
    part.rows.insert(desk.chance.randint(0, len(part.rows)), row)


@mutation
def repeat_a_row(desk: Desk) -> None:
    _, part = desk.part()
    _, other = desk.part()
    row = desk.chance.choice(part.rows)
    other.rows.insert(desk.chance.randint(0, len(other.rows)), row)


@mutation
def swap_two_rows(desk: Desk) -> None:
    (_, one), (_, two) = desk.part(), desk.part()
    at, there = desk.chance.randrange(len(one.rows)), desk.chance.randrange(len(two.rows))
    one.rows[at], two.rows[there] = two.rows[there], one.rows[at]


@mutation
def move_a_row(desk: Desk) -> None:
    (_, one), (_, two) = desk.part(), desk.part()
    row = one.rows.pop(desk.chance.randrange(len(one.rows)))
    two.rows.insert(desk.chance.randint(0, len(two.rows)), row)


@mutation
def take_rows_of_another_trail(desk: Desk) -> None:
    at, part = desk.part()
    other = desk.chance.choice([desk.second, desk.foreign]).parts[at]
    first = desk.chance.randrange(len(part.rows))
    end = first + desk.chance.randint(1, 3)
    part.rows[first:end] = other.rows[first:end]


@mutation
def take_a_batch_of_another_trail(desk: Desk) -> None:
    at, _ = desk.part()
    desk.file.parts[at] = desk.chance.choice([desk.second, desk.foreign]).parts[at]


@mutation
def take_the_rest_of_another_trail(desk: Desk) -> None:
    at, _ = desk.part(1)
    desk.file.parts[at:] = desk.chance.choice([desk.second, desk.foreign]).parts[at:]
    desk.perhaps(lambda: desk.file.chain(at))


@mutation
def take_the_beginning_of_another_trail(desk: Desk) -> None:
    at, _ = desk.part(1)
    desk.file.parts[:at] = desk.chance.choice([desk.second, desk.foreign]).parts[:at]
    desk.perhaps(lambda: desk.file.chain(at))


@mutation
def make_covered_rows_uncovered(desk: Desk) -> None:
    _, part = desk.part()
    first = desk.chance.randrange(len(part.rows))
    taken = part.rows[first : first + desk.chance.randint(1, 3)]
    del part.rows[first : first + len(taken)]
    members = json.loads(taken[0])
    desk.file.waiting[:0] = taken
    desk.perhaps(
        lambda: desk.file.segments.insert(0, [members["stream"], members["number"], len(taken)])
    )


@mutation
def make_uncovered_rows_covered(desk: Desk) -> None:
    row = desk.file.waiting.pop(desk.chance.randrange(len(desk.file.waiting)))
    desk.file.parts[-1].rows.append(row)
    desk.perhaps(lambda: desk.file.parts[-1].rehash())


@mutation
def forge_a_row_and_its_hash(desk: Desk) -> None:
    _, part = desk.part()
    forge(desk, part)


@mutation
def forge_a_row_and_all_that_follows_from_it(desk: Desk) -> None:
    at, part = desk.part()
    forge(desk, part)
    desk.file.chain(at + 1)


@mutation
def forge_a_row_and_sign_with_another_key(desk: Desk) -> None:
    at, part = desk.part()
    forge(desk, part)
    desk.file.chain(at + 1)
    last = len(desk.file.parts) if desk.chance.random() < 0.5 else at + 1
    for one in desk.file.parts[at:last]:
        sign(desk.forger, one)
    desk.perhaps(lambda: desk.file.header.update(key=desk.forger.key.text))


@mutation
def take_a_row_out_and_all_traces_of_it(desk: Desk) -> None:
    at, part = desk.part()
    part.rows.pop(desk.chance.randrange(len(part.rows)))
    part.rehash()
    desk.perhaps(lambda: desk.file.chain(at + 1))


@mutation
def say_that_rows_were_before_the_batch(desk: Desk) -> None:
    """The tree stays as it was signed; only the rows are not there any more."""
    _, part = desk.part(1)
    taken = desk.chance.randint(1, part.members["segments"][0][2] - 1)
    part.say_before(part.batch.before.extended(part.batch.leaves[:taken]))
    part.members["segments"][0][1] += taken
    part.members["segments"][0][2] -= taken
    del part.rows[:taken]
    part.members["leaves"] = hashes_json(part.rows)


@mutation
def change_the_note(desk: Desk) -> None:
    at, part = desk.part()
    note = part.members["note"]
    others = [one.members["note"] for one in desk.file.parts if one is not part]
    part.members["note"] = desk.chance.choice(
        [
            flipped(desk.chance, note.encode()).decode(errors="replace"),
            desk.chance.choice(others),
            desk.second.parts[at].members["note"],
            desk.foreign.parts[at].members["note"],
            note.partition("\n\n")[0] + "\n",
            note.replace("time 2026", "time 2025"),
            note + "\ud800",
            "",
        ]
    )


@mutation
def add_an_unknown_signature(desk: Desk) -> None:
    _, part = desk.part()
    text = part.members["note"].partition("\n\n")[0] + "\n"
    part.members["note"] += desk.forger.note(text).rpartition("\n\n")[2]


@mutation
def change_the_segments(desk: Desk) -> None:
    _, part = desk.part()
    segments = part.members["segments"]
    segment = desk.chance.choice(segments)
    place = desk.chance.randrange(3)
    segment[place] = desk.chance.choice(
        ["2026-11-24_zz", 0, 1, 99, -1, 2**53, 10**4299, None, segment[0], segment[1] + 1]
    )
    desk.perhaps(lambda: desk.chance.shuffle(segments))


@mutation
def change_the_number(desk: Desk) -> None:
    _, part = desk.part()
    part.members["number"] = desk.chance.choice([0, 1, 2, 3, 4, 5, 99, -1, 2**53, "1", None])


@mutation
def change_the_hashes(desk: Desk) -> None:
    _, part = desk.part()
    part.members["leaves"] = changed_text(desk.chance, part.members["leaves"])


@mutation
def change_what_was_before(desk: Desk) -> None:
    _, part = desk.part()
    before = part.members["before"]
    name = desk.chance.choice(["size", "hashes"])
    if name == "size":
        before["size"] = desk.chance.choice([0, 1, 4, 6, 11, 18, -1, 2**53, None])
    else:
        before["hashes"] = changed_text(desk.chance, before["hashes"])


@mutation
def drop_a_member_of_a_batch(desk: Desk) -> None:
    _, part = desk.part()
    del part.members[desk.chance.choice(list(part.members))]


@mutation
def drop_a_batch(desk: Desk) -> None:
    at, _ = desk.part()
    del desk.file.parts[at]
    desk.perhaps(lambda: desk.file.chain(at))
    desk.perhaps(lambda: renumber(desk.file))


@mutation
def repeat_a_batch(desk: Desk) -> None:
    _, part = desk.part()
    desk.file.parts.insert(desk.chance.randint(0, len(desk.file.parts)), part)


@mutation
def swap_two_batches(desk: Desk) -> None:
    parts = desk.file.parts
    at, there = desk.chance.sample(range(len(parts)), 2)
    parts[at], parts[there] = parts[there], parts[at]


@mutation
def change_the_end(desk: Desk) -> None:
    name = desk.chance.choice([*desk.file.end, "more"])
    desk.file.end[name] = desk.chance.choice([0, 1, -1, 10**4299, None, "4"])


@mutation
def change_the_header(desk: Desk) -> None:
    name = desk.chance.choice(list(desk.file.header))
    desk.file.header[name] = desk.chance.choice(["", 2, None, "another"])


@mutation
def change_uncovered_rows(desk: Desk) -> None:
    waiting = desk.file.waiting
    at = desk.chance.randrange(len(waiting))
    waiting[at] = forged(desk.chance, waiting[at])


@mutation
def take_uncovered_rows_out(desk: Desk) -> None:
    desk.file.waiting.pop()
    desk.perhaps(lambda: desk.file.segments[-1].__setitem__(2, desk.file.segments[-1][2] - 1))


@mutation
def change_what_is_said_of_uncovered_rows(desk: Desk) -> None:
    segment = desk.chance.choice(desk.file.segments)
    segment[desk.chance.randrange(3)] = desk.chance.choice([0, 7, 10**18, -1, None, "x", []])


@of_content
def cut_the_file(desk: Desk) -> bytes:
    content = desk.file.content()
    return content[: desk.chance.randrange(len(content))]


@of_content
def drop_lines(desk: Desk) -> bytes:
    lines = desk.file.content().splitlines(keepends=True)
    first = desk.chance.randrange(len(lines))
    del lines[first : first + desk.chance.randint(1, 12)]
    return b"".join(lines)


@of_content
def put_a_line_in(desk: Desk) -> bytes:
    lines = desk.file.content().splitlines(keepends=True)
    strange = [b"\n", b"{}\n", b"[]\n", b"\xff\n", b'{"batch":{}}\n', b'{"end":{}}\n', lines[0]]
    lines.insert(desk.chance.randint(0, len(lines)), desk.chance.choice([*strange, *lines]))
    return b"".join(lines)


@of_content
def swap_two_lines(desk: Desk) -> bytes:
    lines = desk.file.content().splitlines(keepends=True)
    at, there = desk.chance.sample(range(len(lines)), 2)
    lines[at], lines[there] = lines[there], lines[at]
    return b"".join(lines)


@of_content
def join_two_files(desk: Desk) -> bytes:
    lines = desk.file.content().splitlines(keepends=True)
    other = desk.chance.choice([desk.second, desk.foreign]).content().splitlines(keepends=True)
    at, there = desk.chance.randrange(1, len(lines)), desk.chance.randrange(1, len(other))
    return b"".join([*lines[:at], *other[there:]])


@of_content
def flip_any_bit(desk: Desk) -> bytes:
    return flipped(desk.chance, desk.file.content())


def forge(desk: Desk, part: Part) -> None:
    at = desk.chance.randrange(len(part.rows))
    part.rows[at] = forged(desk.chance, part.rows[at])
    part.members["leaves"] = hashes_json(part.rows)


def sign(signer: Signer, part: Part) -> None:
    """The checkpoint that the rows would have."""
    origin, _, _, _, at, *_ = part.members["note"].split("\n")
    before, after = part.batch.before, part.batch.after
    head = f"{origin}\n{after.size}\n{encoded(after.root)}"
    part.members["note"] = signer.note(f"{head}\nsince {before.size}\n{at}\n")


def renumber(file: File) -> None:
    for number, part in enumerate(file.parts, file.parts[0].members["number"]):
        part.members["number"] = number


def forged(chance: Random, row: bytes) -> bytes:
    """Another row, in the canonical form of rows."""
    members: Members = json.loads(row)
    changes: list[Members] = [
        {"outcome": "failed"},
        {"agent_name": "other"},
        {"before": {"max_sessions": -1}},
        {"comment": "added"},
        {"at": "2026-11-24T09:59:59.000000Z"},
        {"number": members["number"] + 1},
        {"stream": "2026-11-24_zz"},
    ]
    if chance.random() < 0.2:
        del members["session_id"]
        return canonical(members)
    return canonical({**members, **chance.choice(changes)})


def flipped(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def changed_text(chance: Random, text: str) -> str:
    at = chance.randint(0, max(len(text) - 3, 0))
    return text[:at] + chance.choice(["A", "/", "!", "", text[at : at + 44]]) + text[at + 1 :]
