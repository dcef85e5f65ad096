"""The README's links lead somewhere, and its picture is the one that notebook 05 shows."""

import re

import pytest

from tools.refresh import HEADLINE_FILE, NOTEBOOKS, ROOT, headline

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)#:]+)\)", README)


@pytest.mark.parametrize("link", LINKS)
def test_link_leads_to_a_file(link):
    assert (ROOT / link).is_file()


def test_every_notebook_is_listed():
    assert {f"notebooks/{path.name}" for path in NOTEBOOKS} <= set(LINKS)


def test_picture_is_that_of_its_notebook():
    assert HEADLINE_FILE.read_bytes() == headline(), "make refresh"
