"""`worker.wait_until_full()` and `wait_until_idle()`: a worker that takes no more, and one that has nothing to do."""

import pytest


def fill_workers():
    """Fill workers, and note of each which messages wait, which are unacknowledged, and which have started."""
    import lab
    from lab.cells.modules import module

    lab.start(worker=False)
    from tasks import app, fetch_url

    module(
        "late_acks",
        "from tasks import app, fetch_url\n"
        "fetch_url_late = app.task(fetch_url.run, name='late_acks.fetch_url_late', acks_late=True)\n",
    )
    from late_acks import fetch_url_late

    def fill(queue, task, *, sent, **options):
        names = [f"{queue}-{number}" for number in range(sent)]
        with lab.worker(queues=queue, include="late_acks", **options) as worker:
            for name in names:
                url = f"{lab.fb.url}/v1/ada/photos?limit=1&latency=20"
                task.apply_async([url], task_id=name, queue=queue)
            worker.wait_until_full()
            xray = lab.xray()
            worker.kill()
        places = xray.queues[queue], xray.unacked, [name for name in names if xray.results.get(name) == "STARTED"]
        with app.connection_for_write() as connection:
            connection.default_channel.client.delete("unacked", "unacked_index")
        return [sorted(names.index(name) for name in place) for place in places]

    seen = {
        "early": fill("early", fetch_url, sent=6, concurrency=1),
        "late": fill("late", fetch_url_late, sent=6, concurrency=1),
        "two processes": fill("two", fetch_url, sent=6, concurrency=2),
        "prefetch 4": fill("four", fetch_url, sent=6, concurrency=1, prefetch_multiplier=4),
        "few": fill("few", fetch_url, sent=1, concurrency=2),
    }
    with lab.worker(concurrency=1, queues="nothing") as idle:
        try:
            idle.wait_until_full(timeout=1)
        except lab.LabError as error:
            seen["idle"] = str(error)
        idle.wait_until_idle(timeout=10)
        url = f"{lab.fb.url}/v1/ada/photos?limit=1&latency="
        fetch_url.apply_async([url + "0"], queue="nothing").get(timeout=20)
        idle.wait_until_idle(timeout=10)
        seen["unacked when idle"] = lab.xray().unacked
        fetch_url.apply_async([url + "20"], queue="nothing")
        idle.wait_until_full()
        try:
            idle.wait_until_idle(timeout=1)
        except lab.LabError as error:
            seen["busy"] = str(error)
        idle.kill()
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(fill_workers)


@pytest.mark.parametrize(
    ("kind", "waiting", "unacked", "started"),
    [
        ("early", [2, 3, 4, 5], [1], [0]),
        ("late", [1, 2, 3, 4, 5], [0], [0]),
        ("two processes", [4, 5], [2, 3], [0, 1]),
        ("prefetch 4", [5], [1, 2, 3, 4], [0]),
        ("few", [], [], [0]),
    ],
)
def test_it_returns_when_the_worker_takes_no_more(seen, kind, waiting, unacked, started):
    assert seen[kind] == [waiting, unacked, started]


def test_an_idle_worker_is_never_full(seen):
    assert "nothing: it was full did not happen within 1 s." in seen["idle"]
    assert "ready." in seen["idle"], "the message shows the log"


def test_an_idle_worker_holds_no_message(seen):
    assert seen["unacked when idle"] == []
    assert "nothing: it was idle did not happen within 1 s." in seen["busy"]
