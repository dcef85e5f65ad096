"""The house: each room says what lives there, and no public name hides a module."""

import ast
import inspect
import json
import re
import subprocess
import sys

import pytest

import lab
from lab.basics.places import ROOT

HOUSE = ROOT / "lab"
ROOMS = sorted(path.parent for path in HOUSE.glob("*/__init__.py"))


def test_no_public_name_hides_a_module():
    modules = {path.stem for path in HOUSE.glob("*.py")} | {room.name for room in ROOMS}
    assert not modules & {*lab.__all__, "redis"}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_it_holds_what_it_may_import_and_who_may_touch_it(room):
    module = ast.parse((room / "__init__.py").read_text())
    words = ast.get_docstring(module)
    assert len(module.body) == 1, "it re-exports nothing"
    assert "May import" in words and "Readers may" in " ".join(words.split())
    files = {path.stem for path in room.glob("*.py")} - {"__init__"}
    assert set(re.findall(r"^    (\w+)  ", words, re.MULTILINE)) == files


@pytest.mark.parametrize("path", sorted(HOUSE.glob("**/*.py")), ids=lambda path: str(path.relative_to(HOUSE)))
def test_the_first_line_of_a_file_is_a_sentence_about_it(path):
    words = ast.get_docstring(ast.parse(path.read_text()))
    assert words and len(words.splitlines()[0]) > 30


@pytest.mark.parametrize("name", ["basics/environment.py", "services/keeper_script.py"])
def test_what_is_run_by_its_path_needs_the_standard_library_alone(name):
    code = f"import runpy; runpy.run_path({str(HOUSE / name)!r})"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.parametrize("name", sorted(lab.__all__))
def test_a_public_name_explains_itself(name):
    """So that Shift-Tab in JupyterLab answers: what it is, and a line for each parameter, with its default."""
    if name in ("LabError", "fb", "mail", "redis"):  # the last three belong to an open lab
        return
    words = inspect.getdoc(getattr(lab, name))
    for parameter in inspect.signature(getattr(lab, name)).parameters.values():
        entry = re.search(rf"^{parameter.name}: .*(\n .*)*", words, re.MULTILINE)
        assert entry, parameter.name
        if parameter.default is not parameter.empty:
            shown = json.dumps(parameter.default) if isinstance(parameter.default, str) else parameter.default
            assert f"(default {shown}" in entry[0], parameter.name
