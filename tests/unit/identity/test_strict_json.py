"""One strict JSON object, or none at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkps_core.strict_json import NotStrictJson, parse_object

LOOSE = {
    "empty": b"",
    "array": b"[]",
    "string": b'"text"',
    "null": b"null",
    "two objects": b"{}{}",
    "trailing comma": b'{"a":1,}',
    "comment": b'{"a":1}//',
    "single quotes": b"{'a':1}",
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without mark": '{"a":1}'.encode("utf-16-le"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "not UTF-8": b'{"a":"\xff"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "control character": b'{"a":"\x00"}',
    "member twice": b'{"a":1,"a":1}',
    "member twice, once escaped": b'{"a":1,"\\u0061":2}',
    "member twice, deeper": b'{"a":[{"b":1,"b":2}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "float beyond range": b'{"a":1e999}',
    "negative float beyond range": b'{"a":-1e999}',
    "integer of 5000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "full-width digits": '{"a":\uff11}'.encode(),
    "leading zero": b'{"a":01}',
    "high surrogate": b'{"a":"\\ud800"}',
    "low surrogate": b'{"a":"\\udc00"}',
    "surrogates in the wrong order": b'{"a":"\\udc00\\ud800"}',
    "surrogate in a name": b'{"\\ud800":1}',
    "surrogate in an array": b'{"a":["b",{"c":"\\udfff"}]}',
    "nested too deep": b'{"a":' * 17 + b"1" + b"}" * 17,
    "arrays nested too deep": b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    "nested beyond the parser": b'{"a":' + b"[" * 200_000,
    "complete and nested beyond the parser": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("raw", LOOSE.values(), ids=LOOSE.keys())
def test_what_is_not_one_strict_object_is_refused(raw: bytes) -> None:
    with pytest.raises(NotStrictJson) as refused:
        parse_object(raw)
    assert str(refused.value) == "not one strict JSON object"
    assert refused.value.__context__ is None, "a chained error would carry the input"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' \r\n\t{"a" : [1, -0, 1.5, true, null, "b"]} ', {"a": [1, 0, 1.5, True, None, "b"]}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"\u00e9":"\U0001f600\u0000"}'.replace("\0", "\\u0000").encode(), {"é": "\U0001f600\0"}),
        (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
    ],
)
def test_a_strict_object_is_read(raw: bytes, value: object) -> None:
    assert parse_object(raw) == value


def test_depth_counts_objects_and_arrays() -> None:
    assert parse_object(b'{"a":[{"b":1}]}', max_depth=3)
    with pytest.raises(NotStrictJson):
        parse_object(b'{"a":[{"b":1}]}', max_depth=2)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode()))
def test_random_bytes_are_refused_in_one_way_only(raw: bytes) -> None:
    try:
        value = parse_object(raw)
    except NotStrictJson:
        return
    assert value == json.loads(raw)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_whatever_is_written_strictly_is_read_back(value: dict[str, object]) -> None:
    assert parse_object(json.dumps(value).encode(), max_depth=64) == value
    assert parse_object(json.dumps(value, ensure_ascii=False).encode(), max_depth=64) == value
