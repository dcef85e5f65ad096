"""A reader's settings of Python, IPython, matplotlib and logging reach no notebook, or are named by `lab.start()`."""

import os

import pytest

from lab.basics import environment
from tests.kernels import Kernel
from tests.lab.starts import check_refused, start_it

START = """
import sys
sys.path.insert(0, "..")
import lab
try:
    lab.start(worker=False)
    print("opened")
except lab.LabError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"PYTHONOPTIMIZE": "1"}, "PYTHONOPTIMIZE"),
        ({"PYTHONOPTIMIZE": "2"}, "PYTHONOPTIMIZE"),
        ({"PYTHONWARNINGS": "error"}, "PYTHONWARNINGS"),
        ({"PYTHONWARNINGS": "ignore,error::DeprecationWarning"}, "PYTHONWARNINGS"),
    ],
    ids=str,
)
def test_python_is_told_to_do_without_what_the_proofs_need(run_lab, variables, word):
    check_refused(run_lab(start_it, **variables), word)


def test_a_warning_of_python_that_is_only_shown_is_in_nobodys_way(run_lab):
    assert run_lab(start_it, PYTHONWARNINGS="default").evidence["items"] == 1


@pytest.fixture
def said_in(place):
    """What `lab.start()` says in a kernel that somebody else started, with their IPython profile and variables."""
    kernels = []

    def say(configuration: str, **variables: str) -> str:
        profile = place.home / "profile_default"
        profile.mkdir(exist_ok=True)
        (profile / "ipython_kernel_config.py").write_text(configuration)
        kernels.append(Kernel(place.environment | variables))
        return kernels[-1].run(START)

    yield say
    for kernel in kernels:
        kernel.close()


@pytest.mark.parametrize(
    ("configuration", "word"),
    [
        ("c.InteractiveShell.ast_node_interactivity = 'all'", "ast_node_interactivity"),
        ("import logging; logging.basicConfig(level=logging.DEBUG)", "logging.WARNING"),
        (
            "import logging; logging.basicConfig(); logging.getLogger('urllib3').setLevel(logging.DEBUG)",
            "getLogger('urllib3')",
        ),
        ("c.InteractiveShell.colors = 'NoColor'", "opened"),
    ],
    ids=["values", "logging", "logging of one library", "nothing"],
)
def test_a_kernel_that_somebody_else_started(said_in, configuration, word):
    said = said_in(configuration)
    assert word in said and ("opened" in said) == (word == "opened")
    assert said.count("\n") == 1 or word == "opened"


def test_a_backend_that_matplotlib_does_not_know(said_in):
    assert "unset MPLBACKEND" in said_in("", MPLBACKEND="nonsense")


def test_kernels_that_the_tests_start_know_no_settings():
    assert {name for name in os.environ if environment.SETTINGS.fullmatch(name)} == {"IPYTHONDIR"}
    assert not os.path.exists(os.path.join(os.environ["IPYTHONDIR"], "profile_default", "ipython_config.py"))


def draw_all():
    """A picture of each kind, as its bytes, and what was printed on the way."""
    import hashlib

    import lab

    pictures = [
        lab.draw_bars({"one": 1.0, "two": 2.0}, title="bars with $x_1$ and a_b"),
        lab.draw_waits({"fixed": [1, 2, 3]}, title="waits"),
        lab.draw_worker(),
        lab.draw_overview(),
        lab.draw_spread({"fixed": [1, 2, 3]}, title="spread"),
        lab.draw_staircase({1: 2.0, 2: 1.0}, {1: 2.0, 2: 1.0}, title="stairs"),
    ]
    import matplotlib

    return [hashlib.sha256(picture.png).hexdigest() for picture in pictures] + [matplotlib.rcParams["font.size"]]


def test_charts_are_the_same_whatever_a_matplotlibrc_says(place, tmp_path):
    rc = tmp_path / "matplotlibrc"
    rc.write_text(
        "text.usetex: True\nfont.family: No Such Font\nfont.size: 30\naxes.grid: True\naxes.facecolor: black\n"
        "savefig.dpi: 10\nsavefig.bbox: tight\nfigure.constrained_layout.use: False\naxes.titlecolor: red\n"
    )
    *plain, size = place.witness(draw_all)
    outcome = place.run_lab(draw_all, MATPLOTLIBRC=str(rc))
    assert outcome.returncode == 0, outcome.err
    assert outcome.evidence == [*plain, 30] and size != 30  # the reader's own charts keep the reader's style
    assert outcome.err == ""
