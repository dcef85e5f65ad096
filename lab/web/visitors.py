"""`lab.visit`: many visitors of a web site at once, and a picture of how long each of them waits.

In the notebook's thread, `visit` makes a thread for each visitor; these wait at a barrier, and set out together. One
more thread draws the lanes meanwhile. The notebook's thread waits for all of them, then reads what each has noted.

A visitor is a thread with a connection of its own. When a site of the lab's began and ended to handle a request is
the site's own word, which travels by a header that names the visitor; of other sites only the whole wait is known.
"""

import math
import socket
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from ..basics.errors import LabError
from ..basics.text import in_seconds, shorten
from ..draw.lanes import Bar, Group, Lane
from ..draw.live import BAR_PIXELS, Live, frame_of
from ..draw.waits import draw_visits, visit_key
from .site import VISITOR, Handling, site_at

PATIENCE_SECONDS = 60  # after which a visitor goes away
GRACE_SECONDS = 5  # for visitors and the site to note what has happened
MOST_VISITORS = 50  # both ends of a connection are files of this kernel, which may open 256 of them
LABEL_CHARACTERS = 20


@dataclass(frozen=True)
class Visit:
    """What became of one visitor. Moments are seconds since the visitors set out."""

    label: str
    status: int | None  # of the answer; None: there was none
    text: str  # of the answer, or why there was none
    start: float
    wait: float  # seconds until the visitor had the whole answer, or gave up
    begin: float | None  # when the site began to handle the request; None: it did not say
    end: float | None  # when it had answered, or the visitor gave up

    @property
    def failed(self) -> bool:
        return self.status is None or self.status >= 400


class Visits(list[Visit]):
    """The visits in the order of their forms."""

    def __repr__(self) -> str:
        waits = f"{in_seconds(min(self.waits))} to {in_seconds(max(self.waits))}"
        return f"{len(self)} visit{'s' * (len(self) != 1)}, waits of {waits}"

    @property
    def waits(self) -> list[float]:
        """The seconds that each visitor waited, in the order of the forms."""
        return [visit.wait for visit in self]


def visit(url: str, forms: Sequence[Mapping[str, Any]], *, title: str) -> Visits:
    """Send one visitor for each form, all at once, who POSTs it and waits for the answer, at most a minute.

    url:   where to, such as `site.url + "/signup"`
    forms: what each visitor sends, a mapping of fields, 50 of them at the most
    title: stands above the picture

    In a notebook it shows a lane for each visitor, in the order in which the site took them: pale while the visitor
    waits for the site to begin, dark from then on until the visitor has the answer. The number at its end is the whole
    wait. A redirect is an answer and is not followed. An error is that visitor's outcome; `LabError` is raised if
    nobody answers at `url` at all.
    """
    _check(url, forms)
    crowd = _Crowd(url, forms)
    live = Live(title, lambda: crowd.frame(title))
    try:
        crowd.go()
    finally:
        live.stop()
        crowd.leave()
    visits = Visits(crowd.visits())
    live.show(lambda: draw_visits(_in_order([_lane(visit) for visit in visits]), title=title))
    return visits


def _check(url: str, forms: Sequence[Mapping[str, Any]]) -> None:
    listed = isinstance(forms, Sequence) and not isinstance(forms, str)
    if not listed or not forms or not all(isinstance(form, Mapping) for form in forms):
        raise LabError("lab.visit takes a list of forms, one a visitor, for example [{'email': 'ada@lab.test'}].")
    if len(forms) > MOST_VISITORS:
        raise LabError(f"lab.visit sends at most {MOST_VISITORS} visitors at once, and there are {len(forms)} forms.")
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError
        address = (parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme])
    except (ValueError, TypeError, AttributeError):
        raise LabError(f"lab.visit takes a url like http://127.0.0.1:8000/signup, not {url!r}.") from None
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        why = error.strerror or error
        raise LabError(f"Nobody answers at {url} ({why}). lab.serve(app).url is the address of a site.") from None


@dataclass
class _Visitor:
    label: str
    form: Mapping[str, Any]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)  # of the header
    handling: Handling = field(default_factory=Handling)
    start: float | None = None  # all moments by `time.perf_counter`
    finish: float | None = None
    status: int | None = None
    text: str = ""

    def go(self, url: str, together: threading.Barrier) -> None:
        """Set out with the others and keep what comes of it. Runs in a thread of its own, and never raises."""
        with requests.Session() as session, suppress(threading.BrokenBarrierError):
            session.trust_env = False  # no proxy between here and here
            together.wait(PATIENCE_SECONDS)
            self.start = time.perf_counter()
            try:
                answer = session.post(
                    url, data=self.form, headers={VISITOR: self.name}, timeout=PATIENCE_SECONDS, allow_redirects=False
                )
                self.status, self.text = answer.status_code, answer.text
            except Exception as error:  # whatever it is, it happened to this visitor alone
                self.text = f"{type(error).__name__}: {error}"
            self.finish = time.perf_counter()

    def visit(self, origin: float) -> Visit:
        """What became of it so far, by the clock that began at `origin`."""
        finish = self.finish  # once: the thread may set it meanwhile
        now = finish or time.perf_counter()
        start = self.start or now
        begin, end = self.handling.begin, self.handling.end
        if begin and finish:
            end = min(end or finish, finish)  # the site notes it after the answer is gone
        status, text = (self.status, self.text) if finish else (None, f"no answer within {PATIENCE_SECONDS} s")
        begin, end = (moment and moment - origin for moment in (begin, end))
        return Visit(self.label, status, text, start - origin, now - start, begin, end)


class _Crowd:
    """The visitors of one `lab.visit`."""

    def __init__(self, url: str, forms: Sequence[Mapping[str, Any]]) -> None:
        self._url = url
        self._site = site_at(url)
        self._visitors = [_Visitor(_label(form, number), form) for number, form in enumerate(forms, 1)]
        if self._site:
            for visitor in self._visitors:
                visitor.handling = self._site.expect(visitor.name)
        self.started = time.perf_counter()

    def go(self) -> None:
        """Send all at once. Returns when each has an answer, or after `PATIENCE_SECONDS` and some for the last."""
        together = threading.Barrier(len(self._visitors) + 1, action=self._set_out)
        threads = [
            threading.Thread(target=visitor.go, args=(self._url, together), name=f"lab-{visitor.label}", daemon=True)
            for visitor in self._visitors
        ]
        try:
            for thread in threads:
                thread.start()
            together.wait(PATIENCE_SECONDS)
        except BaseException as error:
            together.abort()  # those who wait for the others need not
            if isinstance(error, RuntimeError):  # no thread is available, or a barrier that is never full
                raise LabError(f"The visitors can't set out ({error!r}). Close other programs, try again.") from None
            raise
        for thread in threads:
            thread.join(max(self.started + PATIENCE_SECONDS + GRACE_SECONDS - time.perf_counter(), 0))
        for visitor in self._visitors:  # an answer may be here before the site has noted and logged that it is gone
            if visitor.status and visitor.handling.begin:
                visitor.handling.over.wait(GRACE_SECONDS)

    def _set_out(self) -> None:
        self.started = time.perf_counter()

    def leave(self) -> None:
        if self._site:
            for visitor in self._visitors:
                self._site.forget(visitor.name)

    def visits(self) -> list[Visit]:
        """All visits, each as far as it has come."""
        return [visitor.visit(self.started) for visitor in self._visitors]

    def frame(self, title: str) -> str:
        """The lanes as they are now."""
        over = [visitor.finish is not None for visitor in self._visitors]
        told = self._site is not None
        lanes = [_lane(visit, over=ended, told=told) for visit, ended in zip(self.visits(), over, strict=True)]
        now = time.perf_counter() - self.started
        return frame_of(title, [Group(_in_order(lanes))], now, waiting=BAR_PIXELS, key=visit_key(told=told))


def _label(form: Mapping[str, Any], number: int) -> str:
    """Who the visitor is: what the form holds first, such as an address."""
    return shorten(str(next(iter(form.values()), "")), LABEL_CHARACTERS) or f"visitor {number}"


def _lane(visit: Visit, *, over: bool = True, told: bool = True) -> Lane:
    """The lane of one visit, which ends where the visitor has the answer: its length is the wait that its label names.

    `told` says whether the site is one that tells when it begins to handle a request.
    """
    finish = visit.start + visit.wait if over else None
    if not over and told and visit.begin is None:
        return Lane(visit.label, [], [Bar(visit.start, None, "", "PENDING")])
    state = "STARTED" if not over else "FAILURE" if visit.failed else "SUCCESS"
    label = _outcome(visit) if over else ""
    if visit.begin is None:
        return Lane(visit.label, [Bar(visit.start, finish, label, state)], [])
    waiting = Bar(visit.start, visit.begin, "", "PENDING")
    return Lane(visit.label, [Bar(visit.begin, finish, label, state)], [waiting])


def _outcome(visit: Visit) -> str:
    if not visit.failed:
        return in_seconds(visit.wait)
    return f"{in_seconds(visit.wait)}  ✗ failed: " + (f"status {visit.status}" if visit.status else "no answer")


def _in_order(lanes: list[Lane]) -> list[Lane]:
    """In the order in which the site took the visitors; where it does not say, in that of their answers."""

    def turn(lane: Lane) -> tuple[float, float]:
        if not lane.running:
            return math.inf, math.inf
        bar = lane.running[0]
        return bar.begin if lane.waiting else math.inf, math.inf if bar.end is None else bar.end

    return sorted(lanes, key=turn)
