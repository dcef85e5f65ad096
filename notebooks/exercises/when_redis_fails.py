"""The exercises of notebook 10, When Redis fails: checks, hints, one solution each."""

from collections.abc import Mapping
from contextlib import ExitStack
from threading import Timer
from typing import Any

from celery import Celery
from tornado.web import Application, RequestHandler

import lab
from lab.cells.exercises import hint

FROZEN_SECONDS = 6  # of the first exercise; a bounded page answers earlier
PATIENCE_SECONDS = 4  # that a visitor has
DEADLINE_SECONDS = 5  # of the second exercise
SLACK_SECONDS = 3  # for a busy machine


@hint(
    "Catch what sending alone raises (kombu.exceptions), then call self.set_status. "
    "And give new_app the settings that bound the sending."
)
def check_sign_up_or_later(SignUpOrLater: type[RequestHandler], server: Any) -> None:
    page = lab.serve(Application([("/signup", SignUpOrLater)])).url + "/signup"
    forms = [{"email": f"{name}@example.org"} for name in ("ada", "alan")]
    server.stop()
    try:
        refused = lab.visit(page, forms, title="Redis is down")
    finally:
        server.start()  # it starts empty
    down = {visit.status for visit in refused}
    assert 200 not in down, (
        "Redis is down, and the status is 200: it must be 503, and site_app must send. "
        "After a new start of the server run the exercise cell again"
    )
    assert down == {503}, f"Redis is down, and the status is {_listed(down)}"
    assert "Welcome" not in refused[0].text, "no message was sent, so no Welcome"

    back = lab.visit(page, [*forms, {}], title="Redis is back")
    up = {visit.status for visit in back[:2]}
    assert up == {200}, f"Redis is back, and the status is {_listed(up)}"
    wrong = back[-1].status
    assert wrong == 400, f"a form without an address gets the status {wrong}"
    queued = len(lab.xray(server.url).queues.get("celery", []))
    expected = len(forms)
    assert queued == expected, f"the queue holds {queued} messages, not {expected}"

    server.freeze()
    thaw = Timer(FROZEN_SECONDS, server.thaw)
    thaw.start()
    try:
        hanging = lab.visit(page, forms[:1], title="Redis hangs")
    finally:
        thaw.cancel()
        server.thaw()
    slowest = max(hanging.waits)
    assert slowest < PATIENCE_SECONDS, (
        f"Redis hangs, and a visitor waited {slowest:.2f} s: bound the sending"
    )
    status = hanging[0].status
    assert status == 503, f"Redis hangs, and the status is {status}"


def _listed(statuses: set[Any]) -> str:
    return " or ".join(sorted(map(str, statuses)))


def solve_sign_up_or_later(new_app: Any, for_messages: Any) -> tuple[type, Celery]:
    from kombu.exceptions import OperationalError
    from tornado.web import RequestHandler

    class SignUpOrLater(RequestHandler):
        def post(self):
            address = self.get_body_argument("email")
            task = "tasks.send_activation_email"
            try:
                site_app.send_task(task, [address], ignore_result=True)
            except OperationalError:
                self.set_status(503)
                self.write("We can't take new members now. Try again in a minute.")
            else:
                self.write("Welcome! You will get a link.")

    site_app = new_app(**for_messages)
    return SignUpOrLater, site_app


@hint(
    "Put your numbers into the model of the worst case. A command of either kind, "
    "for messages and for results, must have a limit, and a second try."
)
def check_back_soon(for_worker: Mapping[str, Any], outages: Any) -> None:
    options = for_worker.get("broker_transport_options", {})
    interval = options.get("health_check_interval", 25)
    limits = {
        "socket_timeout": options.get("socket_timeout"),
        "redis_socket_timeout": for_worker.get("redis_socket_timeout", 120),
    }
    for name, limit in limits.items():
        assert limit, f"without {name}, the worker waits for ever in some command"
        assert limit >= 0.5, f"{name} is {limit}: a Redis that is busy looks dead"
    assert interval >= 1, f"an interval of {interval} s is a check without pause"
    limit, for_results = limits.values()
    worst = 1 + 2 * interval + 2 * limit + for_results
    assert worst <= DEADLINE_SECONDS, f"by the model it takes up to {worst:g} s"

    with ExitStack() as ends:
        proxy = lab.proxy()
        ends.callback(proxy.stop)
        worker = outages.worker_behind(proxy, **for_worker)
        ends.callback(worker.kill)
        row = outages.watch_worker(
            worker, proxy.cut, most=DEADLINE_SECONDS + 4 * SLACK_SECONDS
        )
    back = row["back"]
    assert back is not None, f"it does not work again within {row['watched']} s"
    assert back < worst + SLACK_SECONDS, f"it works again after {back:.2f} s"
    assert not row["failed"], "a call failed because its state could not be stored"
    print(f"It works again after {back:.2f} s.")


def solve_back_soon() -> dict[str, Any]:
    for_worker = {
        "broker_transport_options": {"socket_timeout": 0.5, "health_check_interval": 1},
        "redis_socket_timeout": 0.5,
        "redis_retry_on_timeout": True,
    }
    return for_worker
