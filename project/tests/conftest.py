"""What the tests share: a Facebook that answers at once."""

import threading
from http.server import ThreadingHTTPServer

import pytest

import slow_server
from photos.tasks import timeline


@pytest.fixture(scope="session")
def facebook_url():
    """The address of the stand-in, on a free port; the tasks of this process use it."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ThreadingHTTPServer(("127.0.0.1", 0), slow_server.Edge) as server,
    ):
        url = f"http://127.0.0.1:{server.server_port}"
        patch.setattr(slow_server, "LATENCY", 0)
        patch.setattr(timeline, "FACEBOOK_URL", url)
        threading.Thread(target=server.serve_forever).start()
        yield url
        server.shutdown()
