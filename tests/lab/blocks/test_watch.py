"""`lab.watch`, `phases` and `timeline_page`: what is recorded is what happened."""

import base64
import io
import re

import pytest
from PIL import Image


def watch_tasks():
    """Three tasks on two processes, one that fails, one that is revoked, one nobody takes, one of a stranger."""
    import dataclasses
    import subprocess
    import sys

    import lab

    lab.start()
    from tasks import app, fetch_url

    edges = ["photos", "posts", "likes"]
    urls = [f"{lab.fb.url}/v1/ada/{edge}" for edge in edges]
    stranger = f"""
import sys; sys.path.insert(0, {sys.path[0]!r})
from tasks import fetch_url
fetch_url.apply_async([{urls[0] + "?latency=0"!r}], queue="two").get(timeout=30)
"""

    def told(run):
        return dataclasses.asdict(run) | {"processes": run.processes}

    seen = {}
    two = lab.worker(concurrency=2, queues="two")
    for ticket in [fetch_url.apply_async([f"{url}?latency=0"], queue="two") for url in urls]:
        ticket.get(timeout=30)
    with lab.watch("three") as three:
        tickets = [fetch_url.apply_async([f"{url}?latency=0.3"], queue="two") for url in urls]
        for ticket in tickets:
            ticket.get(timeout=30)
    seen["three"], seen["ids"] = told(three), [ticket.id for ticket in tickets]
    seen["pids"], seen["seconds"] = two.pids, three.seconds(two.node)
    seen["phases"] = lab.phases(three)

    with lab.watch("a stranger's") as foreign:
        subprocess.run([sys.executable, "-c", stranger], check=True, timeout=60)
    seen["foreign"] = told(foreign)

    lab.fb.fail("posts", status=500, times=1)
    with lab.watch("trouble") as trouble:
        failing = fetch_url.apply_async([f"{urls[1]}?latency=0"], queue="two")
        failing.get(timeout=30, propagate=False)
        app.control.revoke("revoked-beforehand", destination=[two.node], reply=True, timeout=10)
        revoked = fetch_url.apply_async([f"{urls[2]}?latency=0"], queue="two", task_id="revoked-beforehand")
        revoked.get(timeout=30, propagate=False)
        waiting = fetch_url.apply_async([urls[0]], queue="nobody")
    seen["trouble"] = told(trouble)
    seen["names"] = [failing.id, revoked.id, waiting.id]
    picture = lab.draw_lanes(trouble, title="trouble")
    seen["words"] = picture.words
    try:
        lab.phases(foreign)
        seen["no phases"] = ""
    except lab.LabError as error:
        seen["no phases"] = str(error)

    early = fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?latency=0.7")
    while not lab.fb.witness().in_flight:
        pass
    with lab.watch("by itself") as alone:
        answers = {
            edge: fetch_url(f"{lab.fb.url}/v1/ada/{edge}?latency=0")
            for edge in ("photos", "posts", "likes", "friends", "events")
        }
    early.get(timeout=30)
    seen["alone"] = told(alone)

    nasty = "<script>alert('x')</script>"
    whole = lab.timeline_page(nasty, answers)
    for edge, key in {
        "photos": "name",
        "posts": "message",
        "likes": "name",
        "friends": "name",
        "events": "name",
    }.items():
        answers[edge]["data"][0][key] = nasty
    answers["events"]["data"][0]["place"]["name"] = nasty
    answers["likes"]["data"][0]["category"] = nasty
    seen["whole"] = [whole._repr_html_(), repr(whole)]
    seen["escaped"] = lab.timeline_page("ada", answers)._repr_html_()
    gap = lab.timeline_page("ada", answers | {"likes": None})
    seen["gap"] = [gap._repr_html_(), repr(gap)]
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(watch_tasks)


def test_each_task_is_recorded_with_its_moments(seen):
    run = seen["three"]
    assert [task["id"] for task in run["tasks"]] == seen["ids"]
    assert [task["label"] for task in run["tasks"]] == ["photos", "posts", "likes"]
    assert {task["queue"] for task in run["tasks"]} == {"two"}
    for task in run["tasks"]:
        assert (task["name"], task["state"], len(task["attempts"])) == ("tasks.fetch_url", "SUCCESS", 1)
        (attempt,) = task["attempts"]
        assert attempt["state"] == "SUCCESS"
        assert run["started"] <= task["sent"] <= task["received"] <= attempt["started"] <= attempt["finished"]
        assert attempt["finished"] - attempt["started"] >= 0.3
        assert attempt["finished"] <= run["started"] + run["took"] + 0.5  # two clocks


def test_the_processes_are_the_workers_children(seen):
    parent, *children = seen["pids"]
    assert [pid for _, pid in seen["three"]["processes"]] == children
    assert len(children) == 2
    assert {node.partition("@")[0] for node, _ in seen["three"]["processes"]} == {"two"}


def test_the_server_bears_witness(seen):
    run = seen["three"]
    assert run["peak"] == 2
    assert sorted(request["edge"] for request in run["requests"]) == ["likes", "photos", "posts"]
    assert run["took"] >= 0.6  # two rounds
    assert 0.6 <= seen["seconds"] <= run["took"] + 0.5


def test_the_phases_are_the_whole(seen):
    found = seen["phases"]
    assert list(found) == ["submit", "queue", "start", "fetch", "result"]
    assert min(found.values()) >= 0
    assert sum(found.values()) == pytest.approx(seen["three"]["took"], abs=0.01)
    assert found["fetch"] >= 0.3 - 1e-5
    assert "phases needs" in seen["no phases"]


def test_the_task_of_another_process_is_not_ours(seen):
    assert seen["foreign"]["tasks"] == []
    assert len(seen["foreign"]["requests"]) == 1  # it did run meanwhile


def test_failed_revoked_and_waiting_tasks(seen):
    tasks = {task["id"]: task for task in seen["trouble"]["tasks"]}
    failing, revoked, waiting = (tasks[name] for name in seen["names"])
    assert (failing["state"], failing["attempts"][-1]["state"]) == ("FAILURE", "FAILURE")
    assert failing["attempts"][-1]["finished"]
    assert (revoked["attempts"], waiting["attempts"]) == ([], [])
    assert (revoked["state"], waiting["state"]) == ("REVOKED", "PENDING")
    assert "1 of them failed" in seen["words"]


def test_calls_without_tasks_are_recorded_too(seen):
    run = seen["alone"]
    # Five calls one after the other; the one that ran when the block began is none of them.
    assert (run["tasks"], run["peak"], len(run["requests"])) == ([], 1, 5)


def pictures_in(source: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"', source)
    assert len(found) == source.count("<img ")
    pictures = [Image.open(io.BytesIO(base64.b64decode(each))) for each in found]
    for picture in pictures:
        picture.load()
    return pictures


def test_the_page_has_all_five_parts_and_needs_no_server(seen):
    source, words = seen["whole"]
    for part in ("Photos", "Posts", "Likes", "Friends", "Events"):
        assert f"<b>{part}</b>" in source
    assert "could not be loaded" not in source
    assert len(pictures_in(source)) == 4 + 6
    assert "http://" not in source
    assert "25 photos" in words and "no " not in words


def test_the_page_escapes_what_others_wrote(seen):
    assert seen["escaped"].count("&lt;script&gt;") >= 7
    for source in (seen["escaped"], seen["whole"][0]):
        assert "<script" not in source
        assert "&lt;script&gt;" in source


def test_a_missing_answer_leaves_a_gap(seen):
    source, words = seen["gap"]
    assert source.count("could not be loaded") == 1
    assert re.search(r"dashed[^>]*><b>Likes</b><br>could not be loaded", source)
    assert "no likes" in words
