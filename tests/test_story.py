"""No sentence of the course's story is only told: each has a notebook, a heading, and an assertion under it."""

import re
from typing import NamedTuple

import nbformat
import pytest

from tools.course import NOTEBOOKS


class Sentence(NamedTuple):
    """A sentence of the story, and where it is shown."""

    text: str
    notebook: str  # its number
    heading: str
    asserted: str  # how the assertion begins


STORY = [
    Sentence("Celery is a task processing system.", "00", "Run it", "answer == called"),
    Sentence("An activation e-mail takes 2-3 s to send.", "01", "The e-mail", "2.4 < mail.end - mail.arrival"),
    Sentence("If the site sends it first, others wait, too.", "01", "Sent inside the request", "2 < slow_look < 5"),
    Sentence("A site should answer at once.", "01", "Sent as a task", "answer.ok and not mails"),
    Sentence("The e-mail goes outside the request-response cycle.", "01", "Sent as a task", "2 < mail.end - answered"),
    Sentence("Five endpoints of 2 s each take 10 s.", "05", "Slow: one call after the other", "10 <= alone.took < 15"),
    Sentence("A big job splits into independent tasks.", "05", "Five tasks, five processes", "answers == timeline"),
    Sentence("In parallel, the five take 2 s.", "05", "Five tasks, five processes", "2 <= together.took < 4"),
    Sentence("Work gets faster.", "05", "The staircase", "predicted[n] <= measured[n] < predicted[n] + 2"),
    Sentence("A loop of calls leaves the CPU idle.", "05", "Slow: one call after the other", "worked < 2"),
    Sentence("Tasks use the CPU better.", "05", "The same work, a busier processor", "five.took < one.took / 2"),
    Sentence("One failing URL leaves the other four alone.", "05", "One fails, four do not", "list(states.values())"),
    Sentence("A task is a function with the decorator app.task.", "02", "A function and its name", "app.tasks[caption"),
    Sentence("fetch_url handles one URL.", "00", "Run it", "answer == called"),
    Sentence("delay puts a message into the queue, Redis.", "02", "Four calls, two messages", "here == (0, 0)"),
    Sentence("The call is serialized.", "02", "What is not in it", "not found"),
    Sentence("A worker reads it, deserializes it, executes it.", "02", "Write a message by hand", "app.AsyncResult"),
    Sentence("A process of the worker stores the result.", "04", "Which process talks to Redis?", "{each.pid"),
    Sentence("A worker runs several processes.", "04", "Parent and children", "{psutil.Process(child)"),
    Sentence("The processes run tasks in parallel.", "05", "Five tasks, five processes", "together.peak == 5"),
]


@pytest.mark.parametrize("sentence", STORY, ids=lambda sentence: sentence.text)
def test_each_sentence_is_asserted(sentence: Sentence) -> None:
    [path] = [path for path in NOTEBOOKS if path.name.startswith(f"{sentence.notebook}_")]
    heading, cells = "", []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            heading = ([heading] + re.findall(r"^#{1,4} (.*)$", cell.source, re.MULTILINE))[-1]
        elif heading == sentence.heading:
            cells.append(cell)
    assert cells, f"{path.name} has no code under {sentence.heading!r}"
    [cell] = [cell for cell in cells if f"assert {sentence.asserted}" in cell.source]
    assert cell.execution_count, "the cell that asserts it was not run"
    assert not {"nbval-skip", "raises-exception"} & set(cell.metadata.get("tags", []))
