"""What a policy file may hold, and how one that holds something else is refused: with its line."""

from pathlib import Path

import pytest

from lkps.cli.policy_file import PolicyFile, PolicyFileError

DEEP = "[" * 200_000


def read(folder: Path, text: str | bytes) -> PolicyFile:
    path = folder / "policy.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return PolicyFile.read(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(PolicyFileError) as caught:
        read(folder, text)
    return str(caught.value).removeprefix(f"{folder}/")


def test_values_are_those_of_json(tmp_path: Path) -> None:
    text = """
version: 1
limits: {max_session_seconds: 600, max_sessions_per_agent: null}
agents:
  concierge:
    report_only: true
    contact: "2026-12-31"
    owners: &team [aaaaaaaa-0000-4000-8000-000000000001]
    runners: *team
    grants:
      - expires_at: 2026-12-31
      - expires_at: 2026-12-31T18:00:00+01:00
      - expires_at: "2026-12-31T18:00:00Z"
"""
    assert read(tmp_path, text).document == {
        "version": 1,
        "limits": {"max_session_seconds": 600, "max_sessions_per_agent": None},
        "agents": {
            "concierge": {
                "report_only": True,
                "contact": "2026-12-31",
                "owners": ["aaaaaaaa-0000-4000-8000-000000000001"],
                "runners": ["aaaaaaaa-0000-4000-8000-000000000001"],
                "grants": [
                    {"expires_at": "2026-12-31T23:59:59Z"},
                    {"expires_at": "2026-12-31T17:00:00Z"},
                    {"expires_at": "2026-12-31T18:00:00Z"},
                ],
            }
        },
    }


def test_json_is_taken_as_well(tmp_path: Path) -> None:
    assert read(tmp_path, '{"version": 1, "agents": {}}').document == {"version": 1, "agents": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "policy.yaml:1: must have members"),
        ("- 1", "policy.yaml:1: must have members"),
        ("version: 1\nversion: 1\n", "policy.yaml:2: `version` is there twice"),
        ("agents:\n  a: {}\n  'a': {}\n", "policy.yaml:3: `a` is there twice"),
        ("agents:\n  1: {}\n", "policy.yaml:2: a name must be a string"),
        ("agents:\n  on: {}\n", "policy.yaml:2: a name must be a string"),
        ("agents:\n  2026-12-31: {}\n", "policy.yaml:2: a name must be a string"),
        ("agents:\n  [a]: {}\n", "policy.yaml:2: a name must be a string"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", "policy.yaml:3: merge keys"),
        ("a:\n  contact: no\n", "policy.yaml:2: write true or false"),
        ("a:\n  n: 010\n", "policy.yaml:2: write the number in plain digits"),
        ("a:\n  n: 1:30\n", "policy.yaml:2: write the number in plain digits"),
        ("a:\n  n: 1_000\n", "policy.yaml:2: write the number in plain digits"),
        (f"a:\n  n: {'9' * 5000}\n", "policy.yaml:2: write the number in plain digits"),
        ("a:\n  n: 1:30.5\n", "policy.yaml:2: write the number in plain digits"),
        ("a:\n  n: .inf\n", "policy.yaml:2: write the number in plain digits"),
        ("a:\n  t: 2026-12-31T18:00:00\n", "policy.yaml:2: write a date (2026-12-31) or a time"),
        ("a:\n  t: !!binary aGVsbG8=\n", "policy.yaml:2: such a value has no place here"),
        ("a:\n  t: !!python/name:os.system x\n", "policy.yaml:2: such a value has no place here"),
        ("a: !!set {b}\n", "policy.yaml:1: such a value has no place here"),
        ("a: {b: 1\n", "policy.yaml:2: "),
        ("a:\n\tb: 1\n", "policy.yaml:2: "),
        ("a: 1\n---\nb: 1\n", "policy.yaml:2: "),
        ("a: *b\n", "policy.yaml:1: found undefined alias"),
        ("a: &a [*a]\n", "policy.yaml:1: an alias stands for what it is in"),
        (f"a: {DEEP}\n", "policy.yaml:1: too deep"),
        (b"a: \xff\n", "policy.yaml: must be UTF-8"),
        (b"a: \x00\n", "policy.yaml:1: not YAML"),
        ("a: " + "x" * 2**22, "policy.yaml: must be at most 4 MiB"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_people_and_yaml_read_differently_is_refused(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    assert refusal(tmp_path, text).startswith(said)


def test_aliases_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 30)]

    assert "once its aliases are replaced" in refusal(tmp_path, "\n".join(lines))


def test_aliases_that_would_fill_the_stack_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000))]

    assert "once its aliases are replaced" in refusal(tmp_path, "\n".join(lines))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"missing\.yaml: No such file"):
        PolicyFile.read(tmp_path / "missing.yaml")


def test_a_pointer_leads_to_the_line_of_its_member(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "version: 1\nagents:\n  a~b/c:\n    grants:\n      - reason: one\n      - reason: two\n",
    )

    def line(pointer: str) -> int:
        return int(file.place(pointer).rpartition(":")[2])

    assert line("") == 1
    assert line("/agents") == 2
    assert line("/agents/a~0b~1c") == 3
    assert line("/agents/a~0b~1c/grants/1") == 6
    assert line("/agents/a~0b~1c/grants/1/reason") == 6
    assert line("/agents/a~0b~1c/grants/7/reason") == 4
    assert line("/agents/a~0b~1c/nothing") == 3
