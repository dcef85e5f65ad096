"""fake_fb: a local mock of Facebook's Graph API, slow on purpose.

Run it with ``python -m fake_fb``. It needs no account and no network: everything it serves is made up
from the user's name, so the same user has the same timeline everywhere.

What it serves:

* ``GET /``: what this server is, its latency and its edges.
* ``GET /v1/{user}/{edge}``: one page of a user's photos, posts, likes, friends or events, after
  ``latency`` seconds. Parameters: ``limit``, ``after`` or ``before``, ``fields``, ``latency``. Any other version,
  such as ``/v3.1/{user}/{edge}``, gets the same answer.
* ``POST /v1/{user}/charges``: the bank takes money. Form: ``order``, ``cents``; header ``Idempotency-Key``: with the
  same key it takes the money once, and gives the same answer.
* ``GET /photos/{user}/{id}.png`` and ``GET /friends/{user}/{id}.png``: real images, at once.
* ``PUT /control/faults/{edge}``, ``GET`` and ``DELETE /control/faults``: failures on demand.
* ``GET`` and ``DELETE /control/stats``: the witness, which records what arrived and when.
* ``GET`` and ``DELETE /control/charges``: what the bank has taken.
* SMTP on a port of its own: a mail server that takes ``--mail-latency`` seconds to accept a message.
* ``GET`` and ``DELETE /control/mail``: what it accepted; ``PUT``: take it down, or bring it up again.

The shapes of answers and errors follow https://developers.facebook.com/docs/graph-api/results and
https://developers.facebook.com/docs/graph-api/guides/error-handling. Where the mock is simpler: it asks
for no access token, it answers 404, 405 and 429 where Facebook often answers 400, and without ``fields`` it
answers with all fields in every version.

The paths and their answers are in ``server.py``; failures that a notebook asks for are in ``faults.py``, the words
and shapes of errors in ``errors.py``, what may be asked in ``params.py`` and ``fields.py``, what is served in
``data.py``, ``photos.py``, ``texts.py`` and ``bank.py``. The witness is ``stats.py``, the mail server ``mail.py``. If
the mock answers 500 and no fault was set, the mock has a bug: its traceback is in the log.
"""
