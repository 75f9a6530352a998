"""The canonical form is the one of RFC 8785, and what has none is refused."""

import json
from enum import StrEnum

import pytest

from lkps_trail.canonical import LARGEST, canonical


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        ({"a": {"d": 1, "c": [3, {"f": 1, "e": 2}]}}, b'{"a":{"c":[3,{"e":2,"f":1}],"d":1}}'),
        ({"10": 1, "9": 2, "": 3}, b'{"":3,"10":1,"9":2}'),
        ({"a": 1, "A": 2, "_": 3}, b'{"A":2,"_":3,"a":1}'),
        ([True, False, None], b"[true,false,null]"),
        ((1, 2), b"[1,2]"),
        ({}, b"{}"),
        ([], b"[]"),
        (0, b"0"),
        (-0, b"0"),
        (-7, b"-7"),
        (LARGEST, b"9007199254740991"),
        (-LARGEST, b"-9007199254740991"),
        ("", b'""'),
    ],
)
def test_members_are_sorted_and_nothing_is_between_them(value: object, form: bytes) -> None:
    assert canonical(value) == form


def test_names_are_sorted_by_code_units_as_the_rfc_shows() -> None:
    """Its example (section 3.2.3) without the two names that are refused here."""
    names = {"\u20ac": "Euro Sign", "\r": "Carriage Return", "1": "One", "\u0080": "Control",
             "\u00f6": "Latin Small Letter O With Diaeresis"}  # fmt: skip
    assert list(json.loads(canonical(names))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('"\\/', '"\\"\\\\/"'),
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ("\x00\x0b\x1f", '"\\u0000\\u000b\\u001f"'),
        ("\x7f\x80", '"\x7f\x80"'),
        ("\u2028\u2029", '"\u2028\u2029"'),
        ("ü€\U0001f600", '"ü€\U0001f600"'),
        ("<&>'", '"<&>\'"'),
    ],
)
def test_text_is_escaped_where_json_demands_it_and_nowhere_else(text: str, form: str) -> None:
    assert canonical(text) == form.encode()


def test_the_text_of_an_enumeration_is_its_value() -> None:
    class Kind(StrEnum):
        USER = "user"

    assert canonical({"kind": Kind.USER}) == b'{"kind":"user"}'


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        0.5,
        float("nan"),
        LARGEST + 1,
        -LARGEST - 1,
        b"bytes",
        {1, 2},
        object(),
        {1: "a number for a name"},
        {None: 1},
        {"\ue000": 1},
        {"\U0001f600": 1},
        {"\ud800": 1},
        "\ud800",
        ["\udfff"],
        {"a": [{"b": 0.1}]},
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the class is all that is promised
        canonical(value)


def test_the_canonical_form_of_what_was_read_is_what_was_read() -> None:
    form = canonical({"z": ["ü\n", -1, {"y": None, "x": True}], "a": {}})
    assert canonical(json.loads(form)) == form
