import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.functions_host.routes import Match, Routes, Template, decoded
from dev.functions_host.worker import Function

GUID = "2C6F2FA0-3B0F-4A05-9E4C-0F4E1A3B5C7D"


def http_function(name: str, route: str | None, *methods: str) -> Function:
    trigger = {"type": "httpTrigger", "name": "req", "methods": list(methods)}
    return Function(name, name, trigger | ({"route": route} if route is not None else {}))


def chosen(match: Match | None) -> str | None:
    return match.function.name if match else None


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("api/hello", "/api/hello", {}),
        ("api/hello", "/API/Hello", {}),
        ("api/hello", "/api/hello/", {}),
        ("/api/hello/", "/api/hello", {}),
        ("", "/", {}),
        ("api/{id}", "/api/Ab-1.x", {"id": "Ab-1.x"}),
        ("api/{id}/end", "/api/1/end", {"id": "1"}),
        ("api/{id}/of/{name}", "/api/1/of/2", {"id": "1", "name": "2"}),
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest}", "/api/a/b", {"rest": "a/b"}),
        ("api/{**rest}", "/api/a/b", {"rest": "a/b"}),
        ("api/{id:int}", "/api/-12", {"id": "-12"}),
        ("api/{id:int?}", "/api", {}),
        ("api/{id:guid}", f"/api/{GUID}", {"id": GUID}),
        ("api/{id:length(3)}", "/api/abc", {"id": "abc"}),
        ("api/{id:length(2,3)}", "/api/ab", {"id": "ab"}),
        ("api/{id:alpha:maxlength(3)}", "/api/abc", {"id": "abc"}),
        ("api/{on:bool}", "/api/True", {"on": "True"}),
        ("api/{id:range(1,5)}", "/api/5", {"id": "5"}),
    ],
)
def test_a_template_matches_the_paths_that_asp_net_matches(
    template: str, path: str, params: dict[str, str]
) -> None:
    assert Template(template).match(path) == params


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("api/hello", "/api/hell"),
        ("api/hello", "/api/hello/there"),
        ("api/hello", "/api/hello//"),
        ("api/hello", "/api//hello"),
        ("api/a.b", "/api/axb"),
        ("api/{id}", "/api"),
        ("api/{id}", "/api/"),
        ("api/{id}", "/api/a/b"),
        ("api/{id:int}", "/api/x1"),
        ("api/{id:int}", "/api/2147483648"),
        ("api/{id:guid}", "/api/1234"),
        ("api/{id:length(3)}", "/api/abcd"),
        ("api/{id:alpha:maxlength(3)}", "/api/abcd"),
        ("api/{on:bool}", "/api/yes"),
        ("api/{id:range(1,5)}", "/api/6"),
    ],
)
def test_a_template_refuses_other_paths(template: str, path: str) -> None:
    assert Template(template).match(path) is None


@pytest.mark.parametrize(
    "template", ["api/{a}-{b}", "api/x{a}", "api/{a=1}", "api/{a:regex(^x$)}", "api/{a:int(3)}"]
)
def test_what_is_not_supported_is_refused_by_name(template: str) -> None:
    with pytest.raises(ValueError, match="not supported by this host"):
        Template(template)


@given(st.text(st.characters(exclude_characters="/"), min_size=1))
def test_a_parameter_takes_any_text_of_one_segment(text: str) -> None:
    assert Template("api/{id}/end").match(f"/api/{text}/end") == {"id": text}


def test_of_two_fitting_functions_the_first_by_name_answers_whatever_its_template() -> None:
    by_id = http_function("a_by_id", "things/{id}", "GET")
    today = http_function("B_today", "things/today", "GET")

    assert chosen(Routes([today, by_id], "api").match("GET", "/api/things/today")) == "a_by_id"


def test_a_wrong_method_leaves_the_request_to_the_next_function() -> None:
    by_id = http_function("a_by_id", "session/{id}", "GET")
    start = http_function("b_start", "session/start", "post")
    routes = Routes([by_id, start], "api")

    assert chosen(routes.match("POST", "/api/session/start")) == "b_start"
    assert routes.match("DELETE", "/api/session/start") is None


def test_a_function_without_a_route_is_found_by_its_name_and_without_methods_by_any() -> None:
    routes = Routes([http_function("Hello", None)], "")

    assert chosen(routes.match("PATCH", "/hello")) == "Hello"


def test_a_path_is_decoded_except_for_encoded_slashes() -> None:
    assert decoded("/api/a%20b%2Fc%2fd%25%C3%A9") == "/api/a b%2Fc%2fd%é"
