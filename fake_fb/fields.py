"""What a client wants to see of an item: the parameter ``fields``.

It is the Graph API's field expansion, https://developers.facebook.com/docs/graph-api/guides/field-expansion:
names between commas, each with modifiers and, in braces, with the fields of what it holds::

    id,name,picture.width(50).height(50){url},likes.limit(0).summary(true)
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeAlias

from .errors import SYNTAX_ERROR, GraphError, shown

MOST_CHARACTERS = 2000
DEEPEST_BRACES = 5  # inside each other; the types below need at most three
MOST_NESTED_ITEMS = 100  # of a nested list

TOKEN = re.compile(r"[A-Za-z0-9_]+|\S")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a field is to be shown: its modifiers, and the fields in its braces, or None without braces."""

    modifiers: dict[str, str]
    fields: "Fields | None"


Fields: TypeAlias = dict[str, Wish]

ID = {"id": Wish({}, None)}


def wished(text: str, type_name: str) -> Fields:
    """The fields that ``text`` asks for, of items of this type (a key of TYPES).

    GraphError, with status 400: the text is malformed, or there is no such field, modifier or value.
    """
    fields = parse(text)
    check(fields, type_name)
    return fields


def pick(item: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """The item with these fields alone, which ``check`` has passed. The id is always included; a field that
    the item does not have is left out, as in the Graph API."""
    return {name: _expanded(item[name], wish) for name, wish in (fields | ID).items() if name in item}


def _expanded(value: Any, wish: Wish) -> Any:
    match value:
        case {"data": list(nodes), "summary": summary}:  # an edge; its summary comes only if it is asked for
            nodes = nodes[: int(wish.modifiers.get("limit", MOST_NESTED_ITEMS))]
            edge = {"data": [_inside(node, wish) for node in nodes]}
            return edge | {"summary": summary} if wish.modifiers.get("summary") in YES else edge
        case {"data": dict(picture)}:
            return {"data": _inside(picture, wish)}
        case list():
            return [_inside(each, wish) for each in value]
    return _inside(value, wish)


def _inside(value: Any, wish: Wish) -> Any:
    return value if wish.fields is None else pick(value, wish.fields)


# Parsing


def parse(text: str) -> Fields:
    """The wishes, not yet checked against any type. GraphError, with status 400: the text is malformed.

    Code and words are the Graph API's own, as clients report them; for one see
    https://github.com/facebook/facebook-nodejs-business-sdk/issues/59.
    """
    if len(text) > MOST_CHARACTERS:
        raise GraphError(400, f"fields must have at most {MOST_CHARACTERS} characters, not {len(text)}")
    reader = _Reader(text)
    fields = reader.fields()
    reader.end()
    return fields


class _Reader:
    """Reads a text from left to right, each token once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(token[0], token.start()) for token in TOKEN.finditer(text)]
        self._tokens.append(("", len(text)))
        self._next = 0

    def fields(self, depth: int = 0) -> Fields:
        found: Fields = {}
        while True:
            name = self._word("name")
            if name in found:
                self._fail("Field specified more than once.")
            found[name] = Wish(self._modifiers(), self._braces(depth))
            if not self._found(","):
                return found

    def end(self) -> None:
        self._expect("", "end of string")

    def _modifiers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self._found("."):
            name = self._word("name of a modifier")
            if name in found:
                self._fail("Modifier specified more than once.")
            self._expect("(")
            found[name] = self._word("value")
            self._expect(")")
        return found

    def _braces(self, depth: int) -> Fields | None:
        if not self._found("{"):
            return None
        if depth == DEEPEST_BRACES:
            self._fail(f"At most {DEEPEST_BRACES} braces inside each other.")
        fields = self.fields(depth + 1)
        self._expect("}")
        return fields

    def _found(self, mark: str) -> bool:
        """Whether the mark is next; if so, go past it."""
        if self._tokens[self._next][0] != mark:
            return False
        self._next += 1
        return True

    def _expect(self, mark: str, words: str = "") -> None:
        if not self._found(mark):
            self._fail(f"Expected {words or mark}.")

    def _word(self, words: str) -> str:
        """A name or a value, and go past it."""
        word = self._tokens[self._next][0]
        if not re.match(r"\w", word, re.ASCII):
            self._fail(f"Expected {words}.")
        self._next += 1
        return word

    def _fail(self, complaint: str) -> NoReturn:
        place = self._tokens[self._next][1]
        raise GraphError(400, f'Syntax error "{complaint}" at character {place}: {shown(self._text)}', SYNTAX_ERROR)


# Checking


class Kind(NamedTuple):
    """What a field holds: a type whose fields may follow in braces, or None; and the modifiers it takes."""

    type_name: str | None = None
    modifiers: tuple[str, ...] = ()


def _plain(names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), Kind())


LIKES = {"likes": Kind("User", ("limit", "summary"))}
PICTURE = {"picture": Kind("ProfilePictureSource", ("height", "type", "width"))}

TYPES: dict[str, dict[str, Kind]] = {
    "Photo": _plain("id name created_time width height picture source")
    | {"images": Kind("PlatformImageSource")}
    | LIKES,
    "Post": _plain("id message created_time") | {"from": Kind("User")} | LIKES,
    "Page": _plain("id name category created_time"),
    "User": _plain("id name") | PICTURE,
    "Event": _plain("id name start_time rsvp_status") | {"place": Kind("Place")},
    "Place": _plain("id name"),
    "PlatformImageSource": _plain("height source width"),
    "ProfilePictureSource": _plain("height is_silhouette url width"),
}
"""The fields of each type that the mock knows, under the Graph API's names,
https://developers.facebook.com/docs/graph-api/reference."""

YES, NO = ("true", "1"), ("false", "0")


def check(fields: Fields, type_name: str) -> None:
    """GraphError, with status 400: this type has no such field, or the field no such modifier or value."""
    for name, wish in fields.items():
        kind = TYPES[type_name].get(name)
        if kind is None:
            message = f"(#100) Tried accessing nonexisting field ({name[:100]}) on node type ({type_name})"
            raise GraphError(400, message)
        for modifier, value in wish.modifiers.items():
            _check_modifier(name, kind, modifier, value)
        if wish.fields is not None:
            if kind.type_name is None:
                raise GraphError(400, f"(#100) Subfields are not supported by {name}")
            check(wish.fields, kind.type_name)


def _check_modifier(name: str, kind: Kind, modifier: str, value: str) -> None:
    if modifier not in kind.modifiers:
        known = f"the modifiers are {', '.join(kind.modifiers)}" if kind.modifiers else "it takes none"
        raise GraphError(400, f"(#100) Unknown modifier {shown(modifier)} of {name}; {known}")
    pattern, words = MODIFIERS[modifier]
    if not re.fullmatch(pattern, value):
        raise GraphError(400, f"(#100) {modifier} of {name} must be {words}, not {shown(value)}")


SIZES = ("small", "normal", "album", "large", "square")
PIXELS = ("[1-9][0-9]{0,3}", "a number of pixels from 1 to 9999")

MODIFIERS = {
    "limit": (f"[0-9]{{1,2}}|{MOST_NESTED_ITEMS}", f"a whole number from 0 to {MOST_NESTED_ITEMS}"),
    "summary": ("|".join(YES + NO), "true or false"),
    # Facebook sends the size that comes nearest to the one asked for. There is only one size here.
    # https://developers.facebook.com/docs/graph-api/reference/user/picture/
    "height": PIXELS,
    "width": PIXELS,
    "type": ("|".join(SIZES), f"one of {', '.join(SIZES)}"),
}
"""What the value of each modifier may be: a regular expression, and the same in words."""
