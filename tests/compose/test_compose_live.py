"""`docker compose up`, for real. What a learner may do with it, and what may happen to it."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
import redis
from celery import Celery
from celery.result import AsyncResult

from tests.compose.project import COMMAND_SECONDS, PORTS, ROOT, Project, engine_is_missing, eventually
from tests.surroundings import surroundings

pytestmark = pytest.mark.skipif(bool(missing := engine_is_missing()), reason=f"no Docker engine: {missing}")

SERVICES = {"redis", "pod", "fake_fb", "worker", "jupyter"}
INSIDE = ["00_start_here", "03_queueing"]  # and 05 below; all of them: docker compose run --rm jupyter pytest --nbval
CUT_OFF = "networks: {default: {internal: true}}"


@pytest.fixture(scope="module")
def project(open_project) -> Project:
    project = open_project("one")
    began = time.monotonic()
    project.up()
    project.seconds_to_health = time.monotonic() - began
    return project


@pytest.fixture
def app(project: Project) -> Celery:
    """A client on this machine, which knows of the tasks no more than their names."""
    url = f"redis://127.0.0.1:{project.ports['REDIS_PORT']}/0"
    app = Celery("client", broker=url, backend=url)
    return app


def fetch(app: Celery, project: Project, latency: float, edge: str = "photos") -> AsyncResult:
    url = f"http://127.0.0.1:{project.ports['FAKE_FB_PORT']}/v1/ada/{edge}?limit=1&latency={latency}"
    return app.send_task("tasks.fetch_url", [url])


def start_was_seen(result: AsyncResult) -> bool:
    return result.state == "STARTED"


# What runs, and as whom


def test_it_is_healthy_soon(project: Project) -> None:
    assert {each["Config"]["Labels"]["com.docker.compose.service"] for each in project.containers()} == SERVICES
    assert {each["State"]["Health"]["Status"] for each in project.containers()} == {"healthy"}
    room = max(1, os.getloadavg()[0] / os.cpu_count())  # on a machine that does other things too
    assert project.seconds_to_health < 30 * room, f"{project.seconds_to_health:.1f} s"


def test_nobody_is_root_or_may_become_it(project: Project) -> None:
    for each in project.containers():
        assert each["HostConfig"]["CapDrop"] == ["ALL"], each["Name"]
        assert each["HostConfig"]["SecurityOpt"] == ["no-new-privileges"], each["Name"]
        assert each["HostConfig"]["RestartPolicy"]["Name"] == "on-failure", each["Name"]
        service = each["Config"]["Labels"]["com.docker.compose.service"]
        assert project.compose("exec", "-T", service, "id", "-u").strip() != "0", service


def test_only_this_machine_reaches_it(project: Project) -> None:
    bindings = [each["HostConfig"]["PortBindings"] or {} for each in project.containers()]
    published = [place for ports in bindings for places in ports.values() for place in places]
    assert {place["HostIp"] for place in published} == {"127.0.0.1"}
    assert {int(place["HostPort"]) for place in published} == set(project.ports.values())


def test_jupyterlab_is_behind_the_url_that_it_prints(project: Project) -> None:
    logs = project.compose("logs", "--no-color", "jupyter")
    urls = set(re.findall(r"http\S+token=\w+", logs))
    assert len(urls) == 1, urls  # printed more than once, and always the same
    (url,) = urls
    assert url.startswith(f"http://127.0.0.1:{project.ports['JUPYTER_PORT']}/lab"), url
    with urlopen(url, timeout=30) as page:
        assert b"JupyterLab" in page.read()


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    other = Project(project.folder, f"{project.name}-taken")
    try:
        for port in PORTS:
            done = other.attempt("up", "--no-build", "--detach", "pod", "redis", **{port: str(project.ports[port])})
            assert done.returncode != 0
            assert str(project.ports[port]) in done.stderr, done.stderr
            assert re.search("already allocated|already in use", done.stderr), done.stderr
    finally:
        other.down()


# The notebooks


@pytest.mark.parametrize("name", INSIDE)
def test_a_notebook_passes_inside(project: Project, name: str) -> None:
    passes_inside(project, name)


def passes_inside(project: Project, name: str, *files: str) -> None:
    """Run one notebook in a container of this project (with these --file options), and ask that all its cells pass."""
    pytest_in_it = ("run", "--rm", "-T", "jupyter", "pytest", "--nbval", "-n0", f"notebooks/{name}.ipynb")
    said = project.compose(*files, *pytest_in_it, timeout=5 * COMMAND_SECONDS)
    assert re.search(r"\d+ passed", said) and "failed" not in said, said


def test_a_notebook_on_this_machine_finds_them(project: Project) -> None:
    before = executed(project)
    passes_on_this_machine(project, "05_timeline_in_parallel")  # any worker will do for it
    assert executed(project) > before, "the worker in the container has executed nothing"


def passes_on_this_machine(project: Project, name: str) -> None:
    """Run a notebook outside the containers of this project, and ask that all its cells pass."""
    ports = {name: project.ports[name] for name in ("REDIS_PORT", "FAKE_FB_PORT")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-n0", f"notebooks/{name}.ipynb"],
        cwd=ROOT,
        env=surroundings(**ports),
        capture_output=True,
        text=True,
        timeout=2 * COMMAND_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def executed(project: Project) -> int:
    """How many calls of fetch_url the containers' workers have brought to an end."""
    return len(re.findall(r"tasks\.fetch_url\[\S+\] succeeded", project.compose("logs", "--no-color", "worker")))


def test_nothing_is_fetched_from_outside(open_project, tmp_path: Path) -> None:
    """The timeline again, in containers whose network leads nowhere."""
    alone = open_project("alone")
    (tmp_path / "cut-off.yml").write_text(CUT_OFF)
    files = ("--file", "docker-compose.yml", "--file", str(tmp_path / "cut-off.yml"))
    passes_inside(alone, "05_timeline_in_parallel", *files)
    network = f"{alone.name}_default"
    assert json.loads(subprocess.check_output(["docker", "network", "inspect", network], text=True))[0]["Internal"]


# Several, and what is killed


def test_three_workers_share_the_work(project: Project, app: Celery) -> None:
    project.up("--scale", "worker=3")
    try:
        results = [fetch(app, project, latency=5) for _ in range(15)]
        eventually("all 15 run at once", lambda: all(map(start_was_seen, results)), project, timeout=30)
        hosts = [result.info["hostname"] for result in results]
        assert {hosts.count(host) for host in hosts} == {5} and len(set(hosts)) == 3, hosts
        assert all(result.get(timeout=COMMAND_SECONDS) for result in results)
    finally:
        project.up("--scale", "worker=1")


def test_a_worker_is_killed_and_nothing_is_lost(project: Project, app: Celery) -> None:
    result = fetch(app, project, latency=5)
    eventually("the task runs", lambda: start_was_seen(result), project, timeout=30)
    project.compose("kill", "worker")
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        assert result.id in unacked(channel)
        project.up()
        channel.visibility_timeout = 0  # workers would look for it after an hour
        channel.qos.restore_visible(interval=1)
    assert result.get(timeout=COMMAND_SECONDS)["data"]


def unacked(channel) -> str:
    """The messages that workers have taken and not yet acknowledged, as Redis keeps them."""
    return " ".join(value.decode() for value in channel.client.hvals(channel.unacked_key))


def test_redis_is_killed_and_the_queue_is_still_there(project: Project, app: Celery) -> None:
    project.compose("stop", "worker")
    results = [fetch(app, project, latency=0) for _ in range(10)]
    # Messages that wait for a worker which is away are not the notebook's: it works in a database of its own.
    passes_on_this_machine(project, "00_start_here")
    with redis.Redis(port=project.ports["REDIS_PORT"], socket_timeout=10) as client:
        assert client.llen("celery") == 10
        eventually("it is empty again", lambda: client.info("keyspace").keys() == {"db0"}, project, timeout=30)
    project.compose("kill", "redis")
    project.up("redis")
    with redis.Redis(port=project.ports["REDIS_PORT"], socket_timeout=10) as client:
        assert client.llen("celery") == 10
    project.up()
    assert all(result.get(timeout=COMMAND_SECONDS) for result in results)


@pytest.mark.parametrize("service", ["fake_fb", "worker"])
def test_what_is_killed_comes_back_with_up(project: Project, app: Celery, service: str) -> None:
    project.compose("kill", service)
    project.up()
    assert fetch(app, project, latency=0).get(timeout=COMMAND_SECONDS)["data"]


def test_a_second_project_runs_beside_the_first(project: Project, app: Celery, open_project) -> None:
    second = open_project("two")
    second.up()
    before = executed(second)
    assert fetch(app, project, latency=0).get(timeout=COMMAND_SECONDS)["data"]
    assert executed(second) == before
    second.compose("down")
    assert not second.containers()
    assert fetch(app, project, latency=0).get(timeout=COMMAND_SECONDS)["data"]
