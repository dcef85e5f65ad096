"""`docker compose up` in project/, for real: the site answers, and the timeline comes."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.common import free_ports
from tests.compose.project import BUILD_SECONDS, ROOT, Project, engine_is_missing, eventually

pytestmark = pytest.mark.skipif(bool(missing := engine_is_missing()), reason=f"no Docker engine: {missing}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = shutil.copytree(ROOT / "project", tmp_path_factory.mktemp("compose") / "project")
    if Path("/proc/self").stat().st_uid == 0:
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    project = Project(folder, "photos-test")
    [port] = free_ports(1)
    project.environment["SITE_PORT"] = str(port)
    try:
        project.compose("build", timeout=BUILD_SECONDS)
        project.up()
        yield project
    finally:
        project.down()
    assert not project.left()


def ask(site: Project, path: str, method: str = "GET") -> dict:
    url = f"http://127.0.0.1:{site.environment['SITE_PORT']}{path}"
    with urlopen(Request(url, method=method), timeout=30) as answer:
        return json.load(answer)


def test_a_timeline(site: Project) -> None:
    addresses = ask(site, "/timelines/ada", "POST")
    assert len(addresses) == 5
    eventually(
        "all five results are there",
        lambda: all(ask(site, address)["state"] == "SUCCESS" for address in addresses.values()),
        site,
    )
    assert ask(site, addresses["photos"])["result"][0] == "photos 1 of ada"


def test_nobody_is_root_and_only_this_machine_reaches_it(site: Project) -> None:
    for container in site.containers():
        published = container["HostConfig"]["PortBindings"] or {}
        assert {each["HostIp"] for bindings in published.values() for each in bindings} <= {"127.0.0.1"}
        if container["Config"]["Labels"]["com.docker.compose.service"] != "redis":
            assert container["Config"]["User"] == "photos"
