"""The exercise of notebook 06c, With Django: its check, a hint, and one solution."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from lab.cells.exercises import hint, in_file

# As a view would call it, in a transaction that is open for two seconds more.
VIEW = """
import json
import time
from celery.result import AsyncResult
from django.db import transaction
from members.invite import invite

with transaction.atomic():
    id = invite({name!r})
    if isinstance(id, str):
        end = time.monotonic() + 2
        while not AsyncResult(id).ready() and time.monotonic() < end:
            time.sleep(0.1)
result = None
if isinstance(id, str):
    try:
        result = AsyncResult(id).get(timeout=20, propagate=False)
    except Exception as error:
        result = "no result under this id"
print(json.dumps([str(id), str(result)]))
"""


@hint("Choose the id before you send. Who else sends only after the commit?")
def check_invite() -> None:
    assert Path("members/invite.py").is_file(), "run the exercise cell first"
    name = f"zoe-{uuid4().hex[:6]}"
    view = VIEW.format(name=name)
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", view]
    said = subprocess.run(command, capture_output=True, text=True, timeout=50)
    last = (said.stderr.strip().splitlines() or ["nothing"])[-1]
    assert said.stdout, f"invite ended with {last}"
    id, result = json.loads(said.stdout.splitlines()[-1])
    assert id != "None", "invite returned None, and no id"
    assert result == f"Welcome, {name}!", f"the page finds: {result}"


@in_file("members/invite.py")
def solve_invite() -> Callable[[str], str]:
    from uuid import uuid4

    from django.contrib.auth.models import User
    from members.tasks import welcome

    def invite(name):
        """Create the user, send the welcome, and return the id of its result."""
        user = User.objects.create(username=name)
        id = str(uuid4())
        welcome.apply_async_on_commit([user.pk], task_id=id)
        return id

    return invite
