"""`lab.empty_folder()`, `lab.terminal()`: a project of the reader's own, and commands that run beside the notebook."""

import os
import re

import psutil
import pytest

SLOW = "import time; print('ready.', flush=True); time.sleep(600)"


def use_terminals():
    """Do with terminals what a notebook does, and what may go wrong; note what each said."""
    import contextlib
    import io
    import os
    import subprocess
    import sys
    from pathlib import Path

    import lab

    lab.start(worker=False)
    seen = {}

    def said_by(call, *arguments):
        try:
            call(*arguments)
        except lab.LabError as error:
            return str(error)

    def shown(terminal, *arguments, **options):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            terminal.show(*arguments, **options)
        return printed.getvalue()

    lab.empty_folder("mine")
    seen["folder"] = [Path.cwd().name, os.listdir()]
    seen["python"] = subprocess.check_output(["python", "-c", "import sys; print(sys.prefix)"], text=True).strip()
    seen["prefix"] = sys.prefix
    lab.empty_folder("mine")
    seen["second folder"] = Path.cwd().name

    Path("says.py").write_text("import os, time\nprint('see http://127.0.0.1:7777/x')\nprint(os.getcwd())\n")
    with open("says.py", "a") as file:
        file.write("print('one\\ntwo\\nthree\\nready.', flush=True)\ntime.sleep(600)\n")
    terminal = lab.terminal("python says.py")
    seen["url"], first = terminal.url, terminal.pid
    seen["where"] = Path.cwd().as_posix() in terminal.log()
    seen["shown"] = [shown(terminal, "two"), shown(terminal, "two", lines=2)]
    os.chdir("..")
    terminal.restart()
    seen["again"] = [terminal.pid != first, "mine" in terminal.log(), terminal.returncode]
    terminal.stop()
    seen["stopped"] = terminal.returncode

    seen["unknown"] = said_by(lab.terminal, "celeri worker")
    seen["nothing"] = said_by(lab.terminal, "")
    seen["ended"] = said_by(lab.terminal, "python -c 'print(4711); raise SystemExit(3)'")
    quiet = lab.terminal("python -c 'import time; print(4712, flush=True); time.sleep(600)'", until="4712")
    seen["no address"] = said_by(lambda: quiet.url)
    seen["late"] = said_by(lambda: quiet.wait_until("never", timeout=0.2))
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(use_terminals)


def test_a_folder_is_empty_and_has_its_name(seen):
    assert seen["folder"] == ["mine", []]
    assert seen["second folder"] == "mine-2"


def test_commands_are_those_of_the_notebooks_python(seen):
    assert seen["python"] == seen["prefix"]


def test_it_shows_what_was_printed(seen):
    assert seen["shown"] == ["two\n", "two\nthree\n"]
    assert seen["url"] == "http://127.0.0.1:7777"
    assert seen["where"]


def test_again_is_the_same_command_in_the_same_folder(seen):
    assert seen["again"] == [True, True, None]
    assert seen["stopped"] == -15


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("unknown", "There is no command 'celeri' here"),
        ("nothing", "There is no command '' here"),
        ("ended", r"ended \(exit code 3\) before it printed 'ready\.'.*4711"),
        ("no address", "has printed no address.*4712"),
        ("late", "it printed 'never' did not happen within 0.2 s.*4712"),
    ],
)
def test_what_goes_wrong_is_said(seen, what, words):
    assert re.search(words, seen[what], re.DOTALL), seen[what]


def test_it_is_gone_with_the_kernel_and_its_folder_too(open_kernel, all_gone):
    kernel = open_kernel()
    kernel.run("import sys; sys.path.insert(0, '..'); import lab; lab.start(worker=False); lab.empty_folder('mine')")
    kernel.run(f'open("slow.py", "w").write({SLOW!r}); slow = lab.terminal("python slow.py")')
    said = kernel.run("import os; print(slow.pid, lab.current().keeper.pid, os.getcwd())")
    *pids, folder = said.split()
    processes = [psutil.Process(int(pid)) for pid in pids]  # the keeper removes the folder before it ends
    kernel.process.kill()
    assert not all_gone(processes, 3)
    assert not os.path.exists(folder)
