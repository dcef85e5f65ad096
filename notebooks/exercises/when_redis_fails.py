"""The exercise of notebook 10, When Redis fails: its check, a hint, one solution."""

from typing import Any

from celery import Celery
from tornado.web import Application, RequestHandler

import lab
from lab.cells.exercises import hint


@hint("Catch what sending alone raises (kombu.exceptions), then call self.set_status.")
def check_sign_up_or_later(SignUpOrLater: type[RequestHandler], server: Any) -> None:
    page = lab.serve(Application([("/signup", SignUpOrLater)])).url + "/signup"
    forms = [{"email": f"{name}@example.org"} for name in ("ada", "alan")]
    server.stop()
    try:
        refused = lab.visit(page, forms, title="Redis is down")
    finally:
        server.start()  # it starts empty
    back = lab.visit(page, [*forms, {}], title="Redis is back")

    down, up = ({visit.status for visit in visits[:2]} for visits in (refused, back))
    assert 200 not in down, (
        "Redis is down, and the status is 200: it must be 503, and site_app must send. "
        "After a new start of the server run the exercise cell again"
    )
    assert down == {503}, f"Redis is down, and the status is {_listed(down)}"
    slowest = max(refused.waits)
    assert slowest < 10, (
        f"a visitor waited {slowest:.2f} s: the sending must be bounded"
    )
    assert "Welcome" not in refused[0].text, "no message was sent, so no Welcome"
    assert up == {200}, f"Redis is back, and the status is {_listed(up)}"
    wrong = back[-1].status
    assert wrong == 400, f"a form without an address gets the status {wrong}"
    queued = len(lab.xray(server.url).queues.get("celery", []))
    expected = len(forms)
    assert queued == expected, f"the queue holds {queued} messages, not {expected}"


def _listed(statuses: set[Any]) -> str:
    return " or ".join(sorted(map(str, statuses)))


def solve_sign_up_or_later(new_app: Any, bounds: Any) -> tuple[type, Celery]:
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

    site_app = new_app(**bounds)
    return SignUpOrLater, site_app
