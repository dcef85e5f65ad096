"""docker-compose.yml and the lab agree: where the services are, and how the lab knows them."""

import json
import re

import pytest
import yaml

from lab.services.find import MARK
from lab.services.worker import COURSE_PROCESSES
from tools.refresh import ROOT

SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
MAIL_PORT = "8025"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_published_ports_are_where_the_lab_looks():
    source = (ROOT / "lab" / "services" / "find.py").read_text()
    looked_for = set(re.findall(r"os\.environ\.get\('(\w+_PORT)', (\d+)\)", source))
    published = " ".join(port for service in SERVICES.values() for port in service.get("ports", []))
    # Of these two nobody looks for: the mock Facebook tells where its mail server is, and Jupyter prints its URL.
    told = {("MAIL_PORT", MAIL_PORT), ("JUPYTER_PORT", "8888")}
    assert looked_for | told == set(re.findall(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}", published))
    assert looked_for and not looked_for & told


def test_the_mail_server_is_where_everybody_takes_it_to_be():
    """The mock Facebook tells the port that it knows, so that one must be published as it is."""
    port = f"${{MAIL_PORT:-{MAIL_PORT}}}"
    assert f"127.0.0.1:{port}:{port}" in SERVICES["pod"]["ports"]
    assert SERVICES["fake_fb"]["command"].endswith(f" --mail-port {port}")
    for name in ("fake_fb", "worker", "jupyter"):
        assert SERVICES[name]["network_mode"] == "service:pod"
    for name in ("worker", "jupyter"):
        assert SERVICES[name]["environment"]["MAIL_SERVER"] == f"127.0.0.1:{port}"


def test_redis_has_the_mark_that_the_lab_looks_for():
    words = SERVICES["redis"]["command"]
    user = words[words.index("--user") + 1 :]
    assert user == [MARK, "on", f">{MARK}", "-@all", "+ping"]


def test_the_worker_has_the_processes_that_the_course_counts_on():
    assert f"--concurrency {COURSE_PROCESSES} " in SERVICES["worker"]["command"][-1]


def test_the_volume_of_the_image_is_never_anonymous():
    """`docker compose down` leaves such volumes behind, one for each time."""
    for name, service in SERVICES.items():
        if service.get("image", "").startswith("redis:"):
            places = [*service.get("tmpfs", []), *(volume.rpartition(":")[2] for volume in service.get("volumes", []))]
            assert "/data" in places, name


def test_the_devcontainer_is_the_jupyter_service():
    """Codespaces and VS Code open the folder that JupyterLab serves, with the same Python and services."""
    folder = ROOT / ".devcontainer"
    settings = json.loads((folder / "devcontainer.json").read_text())
    assert (folder / settings["dockerComposeFile"]).resolve() == ROOT / "docker-compose.yml"
    jupyter = SERVICES[settings["service"]]
    assert f".:{settings['workspaceFolder']}" in jupyter["volumes"]
    assert all(f"${{JUPYTER_PORT:-{port}}}" in jupyter["command"][-1] for port in settings["forwardPorts"])
    python = settings["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert f"ENV PATH={python.removesuffix('/python')}:$PATH" in (ROOT / "Dockerfile").read_text()
