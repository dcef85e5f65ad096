"""The web site: it answers at once, and shows each result when that is there."""

import os

from celery.result import AsyncResult
from flask import Flask, abort, render_template, url_for
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from kombu.exceptions import OperationalError
from redis import RedisError

from photos import app
from photos.tasks.timeline import EDGES, read_edge

site = Flask(__name__)

# What Celery raises when Redis is down. The RuntimeError is the result backend's, and
# says that the "application must be restarted". The site need not be: as soon as Redis
# is back, `delay` works again.
DOWN = (OperationalError, RedisError, RuntimeError)

LATER = {"error": "Try again in a minute."}, 503

# Celery calls an id that it has never seen PENDING, and one whose result has expired,
# too. With a signature and a time in the address, the site can tell these apart.
signer = URLSafeTimedSerializer(os.environ.get("SECRET_KEY", "only for development"))


@site.get("/")
def page():
    """The page: it sends the form to `start`, and asks `look` until all is there."""
    return render_template("page.html")


@site.post("/timelines/<user>")
def start(user):
    """202: the tasks are sent, and here is where each result will be. 503: no Redis."""
    try:
        sent = {edge: read_edge.delay(user, edge).id for edge in EDGES}
    except DOWN:
        return LATER
    return {
        edge: url_for("look", ticket=signer.dumps(id)) for edge, id in sent.items()
    }, 202


@site.get("/results/<ticket>")
def look(ticket):
    """The state of a task, and its result. 404: not one of ours; 410: expired."""
    try:
        id = signer.loads(ticket, max_age=app.conf.result_expires)
    except SignatureExpired:
        abort(410)
    except BadSignature:
        abort(404)
    found = AsyncResult(id)
    try:
        state, result = found.state, found.result
    except DOWN:
        return LATER
    # An error may hold what no visitor should see: that is for the log.
    return {"state": state, "result": result if state == "SUCCESS" else None}
