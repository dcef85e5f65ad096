"""The cell magics of the exercises in a real IPython, and the check of the machine."""

import pytest


def use_shell():
    """Run cells in an IPython shell; what each printed, and how it ended."""
    import sys

    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()

    def run(cell):
        with capture_output(display=False) as captured:
            result = shell.run_cell(cell)
        error = result.error_before_exec or result.error_in_exec
        return {"out": captured.stdout, "error": type(error).__name__ if error else "", "said": str(error)}

    seen = {"start": run("import lab\nlab.start()")}
    import lab

    folder = lab.current().keeper.folder

    seen["right"] = run("%%check Look again.\nassert 1 + 1 == 2\nleft = 1")
    seen["leaves nothing"] = "left" not in shell.user_ns
    seen["wrong"] = run("%%check Look again.\nassert 1 + 1 == 3, 'the sum is wrong'")
    seen["long"] = run("%%check " + "Look again. " * 20 + "\nassert False, 'this is wrong ' * 10 + 'and\\nthis'")
    seen["late"] = run("%%check Look again.\nraise lab.LabError('it still runs')")
    seen["raises"] = run("%%check Look again.\nundefined")
    seen["divides"] = run("%%check Look again.\n1 / 0")
    seen["slip"] = run("%%check Look again.\nassert (")
    lab.cells.exercises.CHECK_SECONDS = 1
    seen["slow"] = run("%%check Look again.\nimport time\ntime.sleep(30)")
    seen["after"] = run("import time\ntime.sleep(1.1)")
    seen["solution"] = run("%%solution\nsolved = True")
    seen["not solved"] = "solved" not in shell.user_ns

    task = "%%module mine\nfrom tasks import app\n@app.task\ndef answer():\n    return {}"
    seen["first"] = run(task.format(1))
    seen["says 1"] = run("import mine\nprint(mine.answer())")
    seen["second"] = run(task.format(22))
    seen["says 22"] = run("from mine import answer\nprint(answer())")
    seen["file"] = (folder / "mine.py").read_text()
    seen["remote"] = run(
        "worker = lab.worker(1, queues='mine', include='mine')\n"
        "print(answer.apply_async(queue='mine').get(timeout=30))\n"
        "worker.kill()"
    )
    seen["same length"] = run(task.format(33))  # within a second, and as long: no stale bytecode
    seen["says 33"] = run("from mine import answer\nprint(answer())")
    seen["unfinished"] = run("%%module mine\ndef (")
    seen["old file"] = (folder / "mine.py").exists(), "mine" in sys.modules

    both = "\napp.tasks['mine.old'] = answer"
    seen["two names"] = run(task.format(4) + both)["error"], run("from tasks import app")["error"]
    seen["had both"] = sorted(shell.user_ns["app"].tasks.keys() & {"mine.answer", "mine.old"})
    seen["one name"] = run(task.format(5) + "\nassert 'mine.old' not in app.tasks")
    (folder / "mine.py").unlink(missing_ok=True)  # it is still imported
    seen["file gone"] = run(task.format(6))
    seen["says 6"] = run("from mine import answer\nprint(answer())")

    before = sorted(path.name for path in folder.iterdir())
    seen["refused"] = {
        name: run(f"%%module {name}\nx = 1") for name in ("__main__", "os", "tasks", "a-b", "../up", "", "class", "lab")
    }
    seen["unwritten"] = run("%%module fresh\nx = (")
    seen["new files"] = sorted({path.name for path in folder.iterdir()} - set(before))
    seen["still"] = sys.modules["os"].__name__

    worker = lab.current().processes[-1]
    seen["good"] = run("verdict = lab.check_machine()"), shell.user_ns.get("verdict")
    worker.kill()
    # A round trip without a worker would wait for twenty seconds; what it says is another line's matter.
    lab.services.check.CHECKS.pop()
    seen["bad"] = run("verdict = lab.check_machine()"), shell.user_ns.get("verdict")
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    seen = shared_place.witness(use_shell)
    assert seen["start"]["error"] == ""
    return seen


def test_a_check_that_holds(seen):
    assert seen["right"] == {"out": "Right.\n", "error": "", "said": "None"}
    assert seen["leaves nothing"]


def test_a_check_that_does_not_hold(seen):
    assert seen["wrong"]["out"] == "Not yet: the sum is wrong\nHint: Look again.\n"
    assert seen["late"]["out"] == "Not yet: it still runs\nHint: Look again.\n"
    for name, word in {"raises": "undefined", "divides": "ZeroDivisionError", "slip": "SyntaxError"}.items():
        *said, hint = seen[name]["out"].splitlines()
        assert said[0].startswith("Not yet: ") and word in said[0]
        assert hint == "Hint: Look again."
    assert {seen[name]["error"] for name in ("wrong", "raises", "divides", "slip")} == {""}


def test_what_a_check_says_is_folded(seen):
    lines = seen["long"]["out"].splitlines()
    assert max(map(len, lines)) <= 88
    starts = [line for line in lines if not line.startswith("    ")]
    assert [line.partition(" ")[0] for line in starts] == ["Not", "this", "Hint:"]  # the message had two lines
    assert " ".join(seen["long"]["out"].split()).endswith("Look again. " * 19 + "Look again.")


def test_a_check_that_takes_too_long(seen):
    assert "Not yet: the check was not over after 1 s\nHint: Look again.\n" in seen["slow"]["out"]
    assert seen["after"]["error"] == ""  # the alarm was for the check alone


def test_a_solution_is_not_run(seen):
    assert "folded" in seen["solution"]["out"]
    assert seen["not solved"]


def test_a_module_is_written_and_imported_anew(seen):
    assert seen["first"]["out"] == "mine.py is written: a worker started with --include mine knows its tasks.\n"
    assert seen["says 1"]["out"] == "1\n"
    assert seen["says 22"]["out"] == "22\n"
    assert seen["file"].endswith("return 22\n")
    assert seen["remote"]["out"].splitlines()[-1] == "22"
    assert seen["says 33"]["out"] == "33\n"


def test_names_that_are_taken_or_none_are_refused(seen):
    for name, result in seen["refused"].items():
        assert result["error"] == "LabError", (name, result)
        assert result["said"] == f"{name!r} can't be the name of a new module. Choose a name like my_tasks."
    assert seen["new files"] == []


def test_a_syntax_error_writes_nothing(seen):
    for name in ("unfinished", "unwritten"):
        assert seen[name]["error"] == "LabError"
        assert "line 1: SyntaxError" in seen[name]["said"]
    # Nor is the module of before still there, for somebody who would take it for the new one.
    assert seen["old file"] == [False, False]


def test_a_module_goes_with_all_names_of_its_tasks(seen):
    assert seen["two names"] == ["", ""]
    assert seen["had both"] == ["mine.answer", "mine.old"]
    assert seen["one name"]["said"] == "None"


def test_a_module_whose_file_is_gone_is_written_anew(seen):
    assert seen["file gone"]["said"] == "None"
    assert seen["says 6"]["out"] == "6\n"


def test_a_good_machine_is_told_so(seen):
    result, verdict = seen["good"]
    lines = result["out"].splitlines()
    assert verdict is True, result["out"]
    assert len(lines) == 6
    assert all(line.startswith("yes  ") for line in lines)


def test_a_lost_worker_is_told_with_its_mend(seen):
    result, verdict = seen["bad"]
    assert verdict is False
    lines = result["out"].splitlines()
    said = [line for line in lines if not line.startswith("yes  ")]
    assert said == [
        "NO   a worker with 5 processes answers: none answers",
        "     To mend it, restart the kernel, and run lab.start() again.",
    ]
