"""`lab.serve` and `lab.visit`: a site that is served for real, and visitors who wait for it."""

import re
import time

import pytest

from lab.draw.style import RUNNING, WAITING


def serve_and_visit():
    """Five visitors of each page of a site; sites side by side; what is refused; without `lab.start()`."""
    import asyncio
    import dataclasses
    import logging
    import sys
    import time

    import lab

    seen = {"imported": "tornado.web" in sys.modules}
    import tornado.web

    class Blocking(tornado.web.RequestHandler):
        def post(self):
            time.sleep(0.2)
            self.write("Welcome, " + self.get_argument("email"))

    class Together(tornado.web.RequestHandler):
        """Answers when five visitors are there at once."""

        inside, all_inside = 0, None

        async def post(self):
            Together.all_inside = Together.all_inside or asyncio.Event()
            Together.inside += 1
            if Together.inside == 5:
                Together.all_inside.set()
            await asyncio.wait_for(Together.all_inside.wait(), 40)

    class Prepared(tornado.web.RequestHandler):
        async def prepare(self):
            await asyncio.sleep(0)
            self.greeting = "prepared"

        def on_finish(self):
            Prepared.finished = True

        def post(self):
            self.write(self.greeting)

    class Broken(tornado.web.RequestHandler):
        def post(self):
            if self.get_argument("email").startswith("v3"):
                raise ValueError("no such mail box")
            self.redirect("/elsewhere")

    pages = {"blocking": Blocking, "together": Together, "prepared": Prepared, "broken": Broken}
    app = tornado.web.Application([(f"/{name}", page) for name, page in pages.items()])
    first = lab.serve(app)
    forms = [{"email": f"v{n}@lab.test"} for n in range(1, 6)]

    def visit(url):
        visits = lab.visit(url, forms, title="Five visitors")
        return [dataclasses.asdict(visit) | {"failed": visit.failed} for visit in visits]

    for page in [*pages, "nowhere"]:
        seen[page] = visit(f"{first.url}/{page}")
    seen["finished"] = Prepared.finished
    seen["known"] = len(first._handlings)

    ours = []
    handler = logging.Handler()
    handler.emit = lambda record: ours.append(record.getMessage())
    logging.getLogger("tornado.access").addHandler(handler)
    logging.getLogger("tornado.access").info("ours")
    second = lab.serve(app)
    visits = lab.visit(f"{second.url}/prepared", forms[:1], title="One visitor")
    seen["one"] = [repr(visits), visits.waits == [visits[0].wait], len(visits)]
    names = [{}, {"email": ""}, {"email": "two\n words"}, {"email": "a name that is too long to be shown"}, {"n": 5}]
    seen["labels"] = [visit.label for visit in lab.visit(second.url, names, title="Five names")]
    seen["logs"] = [first.log(), second.log(), ours]

    def log_late(handler):
        time.sleep(0.2)
        logging.getLogger("tornado.access").info("late")

    third = lab.serve(tornado.web.Application([("/", Prepared)], log_function=log_late))
    lab.visit(third.url, forms[:1], title="One visitor")
    seen["late"] = third.log()
    seen["reprs"] = [repr(first), repr(second)]
    first.stop()
    first.stop()
    seen["reprs"].append(repr(first))
    seen["after"] = visit(f"{second.url}/prepared")
    seen["other name"] = visit(f"{second.url.replace('127.0.0.1', 'localhost')}/prepared")

    def refused(call):
        try:
            call()
        except lab.LabError as error:
            return str(error)

    seen["refused"] = {
        "class": refused(lambda: lab.serve(Blocking)),
        "nothing": refused(lambda: lab.serve(None)),
        "stopped": refused(lambda: visit(first.url)),
        "no host": refused(lambda: visit("http://nobody.invalid/")),
        "no url": refused(lambda: visit("nonsense")),
        "no port": refused(lambda: visit("http://127.0.0.1:99999")),
        "url of nothing": refused(lambda: visit(None)),
        "one form": refused(lambda: lab.visit(second.url, forms[0], title="")),
        "no form": refused(lambda: lab.visit(second.url, [], title="")),
        "words": refused(lambda: lab.visit(second.url, ["ada@lab.test"], title="")),
        "too many": refused(lambda: lab.visit(second.url, forms * 11, title="")),
    }
    return seen


DEAD_PROXY = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def seen(shared_place):
    outcome = shared_place.run_lab(serve_and_visit, **DEAD_PROXY)
    assert outcome.returncode == 0, outcome.err
    # Nothing of what happened in the site, and no picture where there is no notebook.
    assert (outcome.out, outcome.err) == ("", "")
    return outcome.evidence


def test_tornado_is_imported_where_it_is_used(seen):
    assert not seen["imported"]


def in_turn(visits):
    return sorted(visits, key=lambda visit: visit["begin"])


def test_a_handler_that_blocks_makes_a_staircase(seen):
    visits = in_turn(seen["blocking"])
    assert {visit["status"] for visit in visits} == {200}
    for before, after in zip(visits, visits[1:], strict=False):
        assert before["end"] <= after["begin"]
    for step, visit in enumerate(visits):
        assert visit["end"] - visit["begin"] >= 0.2
        assert visit["begin"] >= 0.2 * step
        assert visit["wait"] >= 0.2 and 0 <= visit["start"] <= visit["begin"] < visit["end"]
        assert visit["end"] <= visit["start"] + visit["wait"] + 1e-6
    # They came together: the last one found others before it.
    assert visits[-1]["begin"] - visits[-1]["start"] >= 0.2


def test_visits_are_in_the_order_of_the_forms(seen):
    assert [visit["label"] for visit in seen["blocking"]] == [f"v{n}@lab.test" for n in range(1, 6)]
    assert [visit["text"] for visit in seen["blocking"]] == [f"Welcome, v{n}@lab.test" for n in range(1, 6)]
    text, waits_belong, length = seen["one"]
    assert re.fullmatch(r"1 visit, waits of \d+\.\d+ s to \d+\.\d+ s", text)
    assert (waits_belong, length) == (True, 1)
    assert seen["labels"] == ["visitor 1", "visitor 2", "two words", "a name that is too …", "5"]


def test_a_handler_that_awaits_has_all_of_them_at_once(seen):
    visits = in_turn(seen["together"])
    assert {visit["status"] for visit in visits} == {200}  # none was answered before all were inside
    assert visits[-1]["begin"] < min(visit["end"] for visit in visits)


def test_the_handlers_own_hooks_run(seen):
    assert [visit["text"] for visit in seen["prepared"]] == ["prepared"] * 5
    assert seen["finished"]


def test_an_error_is_the_outcome_of_one_visitor(seen):
    assert [visit["status"] for visit in seen["broken"]] == [302, 302, 500, 302, 302]
    assert [visit["failed"] for visit in seen["broken"]] == [False, False, True, False, False]
    assert [visit["status"] for visit in seen["nowhere"]] == [404] * 5
    assert all(visit["begin"] < visit["end"] for visit in seen["broken"] + seen["nowhere"])


def test_the_log_has_it_all_and_nothing_else(seen):
    first, second, ours = seen["logs"]
    assert first.count("ValueError: no such mail box") == 1
    assert "Traceback (most recent call last)" in first and "ERROR Uncaught exception POST /broken" in first
    for line, times in {
        "INFO 200 POST /blocking": 5, "INFO 302 POST /broken": 4,
        "ERROR 500 POST /broken": 1, "WARNING 404 POST /nowhere": 5,
    }.items():  # fmt: skip
        assert first.count(line) == times
    assert re.fullmatch(r"INFO 200 POST /prepared \(127\.0\.0\.1\) [\d.]+ms", second.splitlines()[0])
    assert ours == ["ours"]
    assert seen["late"] == "INFO late"  # the answer is there before it is logged, and the visit waits for both


def test_sites_go_on_side_by_side_until_they_are_stopped(seen):
    first, second, stopped = seen["reprs"]
    assert first != second and stopped == f"{first}, stopped"
    assert re.fullmatch(r"site at http://127\.0\.0\.1:\d+", first)
    assert [visit["status"] for visit in seen["after"]] == [200] * 5
    assert seen["known"] == 0


def test_of_another_site_only_the_wait_is_known(seen):
    for visit in seen["other name"]:
        assert (visit["status"], visit["begin"], visit["end"]) == (200, None, None)
        assert visit["wait"] > 0


SENTENCES = {
    "class": r"lab\.serve takes an application, .*, not the class Blocking\.",
    "nothing": r"lab\.serve takes an application, .*, not NoneType\.",
    "stopped": r"Nobody answers at http://127\.0\.0\.1:\d+ \(Connection refused\)\. lab\.serve.*",
    "no host": r"Nobody answers at http://nobody\.invalid/ .*",
    "no url": r"lab\.visit takes a url like .*, not 'nonsense'\.",
    "no port": r"lab\.visit takes a url like .*",
    "url of nothing": r"lab\.visit takes a url like .*, not None\.",
    "one form": r"lab\.visit takes a list of forms.*",
    "no form": r"lab\.visit takes a list of forms.*",
    "words": r"lab\.visit takes a list of forms.*",
    "too many": r"lab\.visit sends at most 50 visitors at once, and there are 55 forms\.",
}


@pytest.mark.parametrize("case", SENTENCES)
def test_what_it_can_not_use_is_refused_in_a_sentence(seen, case):
    assert re.fullmatch(SENTENCES[case], seen["refused"][case] or "it was taken")


def hold_up():
    """Visitors who are never answered, an interrupt, sites that do not stop or start, a server that hangs up."""
    import dataclasses
    import os
    import signal
    import socket
    import threading
    import time

    import tornado.web

    import lab
    from lab.web import site as sites
    from lab.web import visitors

    released = threading.Event()

    class Holding(tornado.web.RequestHandler):
        def post(self):
            released.wait(50)

    class Dripping(tornado.web.RequestHandler):
        async def post(self):
            import asyncio

            while not released.is_set():
                self.write("drip")
                await self.flush()
                await asyncio.sleep(0.02)

    def refused(call):
        try:
            call()
        except lab.LabError as error:
            return str(error)

    seen = {}
    forms = [{"email": "ada@lab.test"}, {"email": "eve@lab.test"}]
    site = lab.serve(tornado.web.Application([("/hold", Holding), ("/drip", Dripping)]))
    visitors.PATIENCE_SECONDS, visitors.GRACE_SECONDS = 2, 0  # seconds
    drips = lab.visit(f"{site.url}/drip", forms, title="")
    seen["drips"] = [dataclasses.asdict(visit) for visit in drips]

    visitors.GRACE_SECONDS = 30
    seen["held"] = [dataclasses.asdict(visit) for visit in lab.visit(f"{site.url}/hold", forms, title="")]

    # A background job of a shell ignores the interrupt, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    visitors.PATIENCE_SECONDS, begin = 50, time.monotonic()

    def interrupt():
        time.sleep(0.3)  # by then the visitors have long set out; earlier would be as good
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    try:
        lab.visit(f"{site.url}/hold", forms, title="")
    except KeyboardInterrupt:
        seen["interrupted"] = time.monotonic() - begin

    sites.START_STOP_SECONDS = 0.2
    seen["not stopped"] = refused(site.stop)
    released.set()
    sites.START_STOP_SECONDS = 30
    site.stop()
    seen["stopped"] = repr(site)
    left = [thread for thread in threading.enumerate() if thread.name.startswith("lab-")]
    for thread in left:
        thread.join(30)
    seen["left"] = [thread.name for thread in left if thread.is_alive()]

    asked = threading.Event()

    class Slow:
        def run(self, main):
            main.close()
            asked.wait(50)

    class Impossible:
        def run(self, main):
            main.close()
            raise OSError("not today")

    real, app = sites.asyncio, tornado.web.Application()
    sites.START_STOP_SECONDS, sites.asyncio = 0.2, Slow()
    seen["slow start"] = refused(lambda: lab.serve(app))
    asked.set()
    sites.START_STOP_SECONDS, sites.asyncio = 30, Impossible()
    seen["no start"] = refused(lambda: lab.serve(app))
    sites.asyncio = real

    def hang_up(server):
        server.accept()[0].close()  # the look whether anybody is there
        for _ in forms:
            connection = server.accept()[0]
            request = b""
            while b"lab.test" not in request:
                request += connection.recv(10_000)
            if b"ada" in request:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nHi")
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        forms = [{"email": f"{name}lab.test"} for name in ("ada", "eve")]
        seen["hung up"] = [dataclasses.asdict(visit) for visit in lab.visit(url, forms, title="")]
    return seen


def test_no_wait_is_for_ever(run_lab):
    outcome = run_lab(hold_up)
    assert (outcome.returncode, outcome.out, outcome.err) == (0, "", "")
    seen = outcome.evidence
    for visit in seen["drips"]:
        assert (visit["status"], visit["text"]) == (None, "no answer within 2 s")
        assert visit["wait"] >= 1 and visit["begin"]
    for visit in seen["held"]:
        assert visit["status"] is None and "ReadTimeout" in visit["text"]
        assert visit["wait"] >= 2
    assert [bool(visit["begin"]) for visit in seen["held"]].count(True) == 1  # the other one never got so far
    assert seen["interrupted"] < 25  # of the 50 that the visitors have
    assert re.fullmatch(r"The site at \S+ still handles requests\. .* restart the kernel\.", seen["not stopped"])
    assert seen["stopped"].endswith(", stopped")
    assert seen["left"] == []
    assert seen["slow start"].startswith("The site did not start within 0.2 s.")
    assert seen["no start"].startswith("The site can't be served: OSError('not today').")
    well, badly = seen["hung up"]
    assert (well["status"], well["text"]) == (200, "Hi")
    assert badly["status"] is None and badly["text"].startswith("ConnectionError: ")


SITE = """
import os, sys, time
sys.path.insert(0, "..")
import lab, tornado.web

class SignUp(tornado.web.RequestHandler):
    def post(self):
        time.sleep(1)
        1 / int(self.get_argument("number"))

site = lab.serve(tornado.web.Application([("/", SignUp)]))
forms = [{"number": n} for n in (1, 2, 0)]

from lab.web import visitors
turns, draw_visits = [], visitors.draw_visits

def draw(lanes, title):
    turns.extend(bar.begin for lane in lanes for bar in lane.running)
    return draw_visits(lanes, title=title)

visitors.draw_visits = draw
"""


def shown(kernel, code):
    """What a cell shows: kind of message and data, in order. It must not fail."""
    found = []

    def listen(message):
        if message["msg_type"] in ("display_data", "update_display_data", "stream", "execute_result"):
            found.append((message["msg_type"], message["content"].get("data", message["content"])))

    reply = kernel.client.execute_interactive(code, timeout=60, output_hook=listen)["content"]
    assert reply["status"] == "ok", reply
    return found


def test_in_a_notebook_the_lanes_grow_and_a_picture_stays(open_kernel):
    kernel = open_kernel()
    assert kernel.run(SITE) == ""
    words = "Three <b>visitors</b>\n3 lanes, one for each visitor; 1 without a good answer"

    [(kind, picture)] = shown(kernel, "visits = lab.visit(site.url, forms, title='Three <b>visitors</b>')")
    assert (kind, picture["text/plain"], "image/png" in picture) == ("display_data", words, True)
    assert kernel.run("print(len(turns), turns == sorted(turns))") == "3 True\n"

    kernel.run("os.environ['LAB_LIVE'] = '1'")
    first, *frames, last = shown(kernel, "visits = lab.visit(site.url, forms, title='Three <b>visitors</b>')")
    assert first[0] == "display_data" and {kind for kind, _ in [*frames, last]} == {"update_display_data"}
    pages = [data["text/html"] for _, data in frames]
    assert any(f"height: 14px; background: {WAITING}" in page and RUNNING in page for page in pages)
    assert all("Three &lt;b&gt;visitors&lt;/b&gt;: " in page for page in pages)
    assert last[1]["text/plain"] == words and "image/png" in last[1]
    assert kernel.run("print(site.log().count('ZeroDivisionError: '))") == "2\n"


def leave_in_the_middle():
    """End while a handler still blocks the site."""
    import socket
    import threading
    import time

    import tornado.web

    import lab

    begun = threading.Event()

    class Long(tornado.web.RequestHandler):
        def get(self):
            begun.set()
            time.sleep(50)

    site = lab.serve(tornado.web.Application([("/", Long)]))
    visitor = socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2])))
    visitor.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
    return begun.wait(30)


def test_the_site_ends_with_its_process(run_lab):
    begin = time.monotonic()
    outcome = run_lab(leave_in_the_middle)
    assert (outcome.returncode, outcome.out, outcome.err, outcome.evidence) == (0, "", "", True)
    assert time.monotonic() - begin < 45
