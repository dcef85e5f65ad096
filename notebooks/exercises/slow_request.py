"""The exercises of notebook 01, The slow request: for each its check, a hint, and one
solution."""

import re
import time
from typing import Any

from celery import Celery
from tornado.web import Application, RequestHandler

import lab
from lab.cells.exercises import hint
from tasks import send_activation_email


@hint("One task for one friend. If one of them fails, the others do not notice.")
def check_invite(Invite: type[RequestHandler], worker: Any) -> None:
    assert worker.returncode is None, "the worker has ended: run its cell"
    known = ["ada@example.org", "grace@example.org"]
    friends = [known[0], "eve@nowhere.invalid", known[1]]
    site = lab.serve(Application([("/invite", Invite)]))
    lab.mail.forget()
    before = worker.log().count("] received")
    form = {"name": "mary", "friend": friends}
    [mary] = lab.visit(f"{site.url}/invite", [form], title="Mary invites three friends")
    end = time.perf_counter() + 20
    while mary.status == 200 and len(lab.mail.inbox()) < len(known):
        if time.perf_counter() > end:
            break
        time.sleep(0.1)
    invited = sorted(mail.to[0] for mail in lab.mail.inbox())

    errors = re.findall(r"^[A-Za-z_.]+: .*", site.log(), flags=re.MULTILINE)
    assert mary.status == 200, f"Mary got status {mary.status}: {''.join(errors[-1:])}"
    assert mary.wait < 2, f"Mary waited {mary.wait:.2f} s"
    went = f"e-mails went to {invited}, not to {known}"
    asked = "Is the field's name right, and each friend a task?"
    assert invited == known, f"{went}. {asked}"
    tasks = worker.log().count("] received") - before
    assert tasks >= len(known), "the e-mails were sent by the site, not by the worker"


def solve_invite() -> type[RequestHandler]:
    class Invite(RequestHandler):
        def post(self):
            for address in self.get_body_arguments("friend"):
                send_activation_email.delay(address)
            self.write("Your friends will get an e-mail.")

    return Invite


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


def solve_sign_up_or_later(
    new_app: Any, server: Any, bounds: Any
) -> tuple[type, Celery]:
    from kombu.exceptions import OperationalError

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
                self.write(f"Welcome! You will get a link at {address}.")

    site_app = new_app(server, **bounds)
    return SignUpOrLater, site_app
