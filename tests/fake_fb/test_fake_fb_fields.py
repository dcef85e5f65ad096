"""The parameter ``fields``: what is asked for comes, and what can't be is refused in clear words."""

import time

import pytest

from fake_fb import fields, shapes
from fake_fb.data import EDGES, timeline
from fake_fb.errors import GraphError


def items(fb, edge: str, wish: str) -> list[dict]:
    answer = fb.edge(edge=edge, fields=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def refusal(fb, wish: str, edge: str = "posts") -> tuple[int, str]:
    """Code and message of the error."""
    answer = fb.edge(edge=edge, fields=wish)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "code", "fbtrace_id"} and len(error["message"]) < 300
    return error["code"], error["message"]


@pytest.mark.parametrize(
    ("edge", "wish", "names"),
    [
        ("photos", "id,name", ["id", "name"]),
        ("photos", "name", ["name", "id"]),
        ("photos", "source,picture,width", ["source", "picture", "width", "id"]),
        ("posts", "id", ["id"]),
        ("posts", " message , from ", ["message", "from", "id"]),
        ("likes", "category", ["category", "id"]),
        ("friends", "name,picture", ["name", "picture", "id"]),
        ("events", "rsvp_status,start_time", ["rsvp_status", "start_time", "id"]),
    ],
)
def test_the_fields_that_are_asked_for_and_the_id(fb, edge, wish, names):
    whole = fb.edge(edge=edge).json()["data"]
    assert items(fb, edge, wish) == [{name: item[name] for name in names} for item in whole]
    assert [list(item) for item in items(fb, edge, wish)] == [names] * len(whole)


@pytest.mark.parametrize("edge", EDGES)
def test_every_field_of_an_edge_can_be_asked_for(fb, edge):
    everything = fb.edge(edge=edge).json()["data"]
    names = list(everything[0])[::-1]
    shown = items(fb, edge, ",".join(name + ".summary(true)" * (name == "likes") for name in names))
    assert shown == everything and list(shown[0]) == names


@pytest.mark.parametrize("edge", EDGES)
def test_the_types_know_every_field_there_is(edge):
    item = shapes.shaped(timeline("alice", edge)[0], edge, "http://x")

    def check(value, type_name: str | None) -> None:
        match value:
            case {"data": inner}:
                check(inner, type_name)
            case list():
                for each in value:
                    check(each, type_name)
            case dict():
                for name, inner in value.items():
                    check(inner, fields.TYPES[type_name][name].type_name)
            case _:
                assert type_name is None

    check(item, shapes.NODE_TYPES[edge])


@pytest.mark.parametrize(
    ("edge", "wish", "shown"),
    [
        ("events", "place{name}", lambda item: {"place": item["place"]}),
        ("events", "place { name }", lambda item: {"place": item["place"]}),
        ("posts", "from{name}", lambda item: {"from": item["from"]}),
        ("posts", "from{id}", lambda item: {"from": {"id": item["from"]["id"]}}),
        ("friends", "picture{url}", lambda item: {"picture": {"data": {"url": item["picture"]["data"]["url"]}}}),
        ("friends", "picture.type(large)", lambda item: {"picture": item["picture"]}),
        ("friends", "picture.width(50).height(50)", lambda item: {"picture": item["picture"]}),
        (
            "friends",
            "picture.width(50).height(50){url,is_silhouette}",
            lambda item: {"picture": {"data": {k: item["picture"]["data"][k] for k in ("url", "is_silhouette")}}},
        ),
        ("photos", "images", lambda item: {"images": item["images"]}),
        ("photos", "images{source}", lambda item: {"images": [{"source": item["source"]}]}),
        ("photos", "likes", lambda item: {"likes": {"data": []}}),
        ("photos", "likes.limit(0)", lambda item: {"likes": {"data": []}}),
        ("photos", "likes.summary(false)", lambda item: {"likes": {"data": []}}),
        ("photos", "likes.summary(true)", lambda item: {"likes": item["likes"]}),
        ("posts", "likes.limit(0).summary(true)", lambda item: {"likes": item["likes"]}),
        ("posts", "likes.summary(1).limit(100){id,name}", lambda item: {"likes": item["likes"]}),
    ],
)
def test_expansion(fb, edge, wish, shown):
    whole = fb.edge(edge=edge).json()["data"]
    assert items(fb, edge, wish) == [shown(item) | {"id": item["id"]} for item in whole]


def test_limit_cuts_a_nested_list():
    item = {"id": "1", "likes": {"data": [{"id": str(n), "name": "x"} for n in range(5)], "summary": {}}}
    wish = fields.parse("likes.limit(2){id}")
    assert fields.pick(item, wish) == {"likes": {"data": [{"id": "0"}, {"id": "1"}]}, "id": "1"}


def test_a_field_that_an_item_has_not_got_is_left_out(fb):
    assert set(items(fb, "events", "place{id}")[0]["place"]) == set()


@pytest.mark.parametrize(
    ("edge", "wish", "name", "type_name"),
    [
        ("posts", "xyz", "xyz", "Post"),
        ("posts", "id,Message", "Message", "Post"),
        ("photos", "message", "message", "Photo"),
        ("likes", "likes", "likes", "Page"),
        ("friends", "id,source", "source", "User"),
        ("events", "created_time", "created_time", "Event"),
        ("events", "place{xyz}", "xyz", "Place"),
        ("posts", "from{xyz}", "xyz", "User"),
        ("posts", "likes.limit(0){message}", "message", "User"),
        ("friends", "picture{id}", "id", "ProfilePictureSource"),
        ("photos", "images{url}", "url", "PlatformImageSource"),
        ("posts", "x" * 2000, "x" * 100, "Post"),
    ],
)
def test_an_unknown_field(fb, edge, wish, name, type_name):
    message = f"(#100) Tried accessing nonexisting field ({name}) on node type ({type_name})"
    assert refusal(fb, wish, edge) == (100, message)


@pytest.mark.parametrize(
    ("edge", "wish", "words"),
    [
        ("posts", "likes.order(ranked)", ["'order'", "likes", "limit, summary"]),
        ("posts", "likes.width(1)", ["'width'", "limit, summary"]),
        ("friends", "picture.limit(1)", ["'limit'", "height, type, width"]),
        ("posts", "message.limit(1)", ["'limit'", "message", "none"]),
        ("posts", "likes.limit(101)", ["limit", "from 0 to 100", "'101'"]),
        ("posts", "likes.limit(x)", ["limit", "from 0 to 100"]),
        ("posts", "likes.summary(maybe)", ["summary", "true or false"]),
        ("friends", "picture.width(0)", ["width", "pixels", "1 to 9999"]),
        ("friends", "picture.height(99999)", ["height", "pixels"]),
        ("friends", "picture.type(huge)", ["type", "small, normal, album, large, square"]),
        ("posts", f"likes.{'x' * 1900}(1)", ["limit, summary"]),
        ("posts", f"likes.limit({'9' * 1900})", ["from 0 to 100"]),
        ("posts", "message{id}", ["Subfields are not supported by message"]),
    ],
)
def test_what_a_field_does_not_take(fb, edge, wish, words):
    code, message = refusal(fb, wish, edge)
    assert code == 100
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("wish", "complaint", "place"),
    [
        ("", "Expected name.", 0),
        (" ", "Expected name.", 1),
        (",", "Expected name.", 0),
        ("id,", "Expected name.", 3),
        ("id,,message", "Expected name.", 3),
        ("{id}", "Expected name.", 0),
        ("from{}", "Expected name.", 5),
        ("from{id", "Expected }.", 7),
        ("from{id,", "Expected name.", 8),
        ("from{id}}", "Expected end of string.", 8),
        ("from{id}{id}", "Expected end of string.", 8),
        ("id message", "Expected end of string.", 3),
        ("id?x", "Expected end of string.", 2),
        ("id)", "Expected end of string.", 2),
        ("likes.", "Expected name of a modifier.", 6),
        ("likes.(1)", "Expected name of a modifier.", 6),
        ("likes.limit", "Expected (.", 11),
        ("likes.limit(", "Expected value.", 12),
        ("likes.limit()", "Expected value.", 12),
        ("likes.limit(-1)", "Expected value.", 12),
        ("likes.limit(1", "Expected ).", 13),
        ("likes.limit(1,2)", "Expected ).", 13),
        ("likes.limit(1).limit(2)", "Modifier specified more than once.", 20),
        ("id,id", "Field specified more than once.", 5),
        ("ü", "Expected name.", 0),
        ("\x00", "Expected name.", 0),
        ("😀" * 50, "Expected name.", 0),
        ("from{" * 6 + "id" + "}" * 6, "At most 5 braces inside each other.", 30),
        ("from{" * 300, "At most 5 braces inside each other.", 30),
    ],
)
def test_malformed(fb, wish, complaint, place):
    code, message = refusal(fb, wish)
    assert code == 2500
    assert message.startswith(f'Syntax error "{complaint}" at character {place}: ')


def test_too_long(fb):
    assert refusal(fb, "id," * 10_000) == (100, "fields must have at most 2000 characters, not 30000")


@pytest.mark.parametrize("piece", ["{", "a{", "a.b(c)", "a,", "(", ".", " ", "a{a{a{a{a},", "a.a", "\t\n", "}", "🙂"])
def test_no_text_takes_long(piece):
    began = time.process_time()
    with pytest.raises(GraphError):
        fields.wished((piece * fields.MOST_CHARACTERS)[: fields.MOST_CHARACTERS], "Post")
    assert time.process_time() - began < 0.5


def test_a_malformed_wish_is_witnessed_and_uses_up_no_fault(fb):
    fb.call("PUT", "/control/faults/posts", json={"status": 503, "times": 1})
    assert [fb.edge(fields="{").status_code, fb.edge(fields="id").status_code] == [400, 503]
    assert fb.stats()["by_edge"] == {"posts": {"400": 1, "503": 1}}
