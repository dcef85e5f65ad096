"""Errors as the Graph API shapes them.

Shape and codes: https://developers.facebook.com/docs/graph-api/guides/error-handling (2 service, 4 too
many calls, 10 permission, 190 access token; 100 is an invalid parameter, 2500 an unknown path as well as a
syntax error in ``fields``). The HTTP statuses are the ones the meaning calls for, where Facebook itself
answers nearly everything with 400.
"""

import reprlib
import secrets
from typing import Any

from tornado.web import HTTPError

INVALID_PARAMETER, UNKNOWN_PATH, SYNTAX_ERROR = 100, 2500, 2500
UNEXPECTED = (2, "An unexpected error has occurred. Please retry your request later.")
BY_STATUS = {
    401: (190, "Error validating access token: The session has expired."),
    403: (10, "Application does not have permission for this action"),
    404: (UNKNOWN_PATH, "Unknown path components"),
    429: (4, "Application request limit reached"),
}


class GraphError(HTTPError):
    """A failure the client is told about: an HTTP status, a sentence, and the Graph API's code."""

    def __init__(self, status: int, message: str, code: int = INVALID_PARAMETER) -> None:
        super().__init__(status)
        self.message, self.code = message, code


def usual(status: int) -> GraphError:
    """The error a client would expect with this status (400 to 599)."""
    invalid = (INVALID_PARAMETER, "Invalid parameter")
    code, message = BY_STATUS.get(status, UNEXPECTED if status >= 500 else invalid)
    return GraphError(status, message, code)


def body(error: GraphError) -> dict[str, Any]:
    """The answer's JSON. The trace id is new for every answer, as Facebook's is."""
    return {
        "error": {
            "message": error.message,
            "type": "OAuthException",
            "code": error.code,
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
    }


def shown(value: object) -> str:
    """A client's input, shortened so that a message can repeat it."""
    return reprlib.repr(value)
