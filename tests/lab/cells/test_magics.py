"""The magics of the exercises in a real IPython, and the check of the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

SUMS = """
import time
from types import ModuleType

import lab
from lab.cells.exercises import hint, in_module


@hint("Look again.")
def check_total(total: int, terms: list[int]) -> None:
    assert total == sum(terms), "the sum is wrong"


def solve_total(
    terms: list[int],
) -> int:
    # One after the other.
    total = 0
    for term in terms:
        total += term
    return total


@hint("Look again.")
def check_late() -> None:
    raise lab.LabError("it still runs")


def solve_late() -> None: ...


@hint("Look again.")
def check_raises() -> None:
    undefined


def solve_raises() -> None: ...


@hint("Look again.")
def check_divides() -> None:
    1 / 0


def solve_divides() -> None: ...


@hint("Look again. " * 20)
def check_long() -> None:
    assert False, "this is wrong " * 10 + "and\\nthis"


def solve_long() -> None: ...


@hint("Look again.")
def check_slow() -> None:
    time.sleep(30)


def solve_slow() -> None: ...


@hint("Look again.")
def check_answer(answers: ModuleType) -> None:
    assert answers.answer() == 22, "it is another number"


@in_module("answers")
def solve_answer() -> object:
    import time

    from tasks import app

    # What a worker runs.
    @app.task
    def answer():
        time.sleep(0)

        return 22

    LATE = 1  # second

    def other():
        return LATE

    return answer, other
"""


def use_shell(sums):
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

    seen = {"no lab": [run("import lab\n%check total"), run("%solution total")]}
    seen["start"] = run("lab.start()")
    import lab

    folder = lab.current().keeper.folder

    from pathlib import Path
    from tempfile import TemporaryDirectory

    from lab.cells import exercises, magics

    with TemporaryDirectory() as written:
        exercises.FOLDER = Path(written)
        module = exercises.FOLDER / "sums.py"
        module.write_text(sums)
        run("total, terms = 2, [1, 1]")
        seen["right"] = run("%check total")
        run("total = 3")
        seen["wrong"] = run("%check total")
        seen["solution"] = run("%solution total")
        module.write_text(sums.replace("the sum is wrong", "look again"))
        seen["changed"] = run("%check total")
        module.write_text(sums)
        for name in ("late", "raises", "divides"):
            seen[name] = run(f"%check {name}")
        seen["long"] = run("%check long")
        magics.CHECK_SECONDS = 1
        seen["slow"] = run("%check slow")
        seen["after"] = run("import time\ntime.sleep(1.1)")

        seen["nonsense"] = [run(f"%{magic} {name}") for magic in ("check", "solution") for name in ("nonsense", "")]
        run("del total")
        seen["not run"] = run("%check total")
        run("total = 3\ndel terms")
        seen["above not run"] = run("%check total")
        seen["not written"] = run("%check answer")
        seen["first line"] = run("def answer():\n    return 22"), run("%check answer")
        seen["module solution"] = run("%solution answer")
        seen["written"] = run(seen["module solution"]["out"]), run("%check answer")
        seen["imports no tasks"] = sorted(name for name in sys.modules["tasks"].app.tasks if "answer" in name)

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
    seen = shared_place.witness(use_shell, SUMS)
    assert seen["start"]["error"] == ""
    return seen


def test_without_an_open_lab_it_is_named(seen):
    for result in seen["no lab"]:
        assert (result["error"], result["said"]) == ("LabError", "The lab is not open yet: run lab.start() first.")


def test_a_check_that_holds(seen):
    assert seen["right"] == {"out": "Right.\n", "error": "", "said": "None"}


def test_a_check_that_does_not_hold(seen):
    assert seen["wrong"]["out"] == "Not yet: the sum is wrong\nHint: Look again.\n"
    assert seen["late"]["out"] == "Not yet: it still runs\nHint: Look again.\n"
    for name, word in {"raises": "undefined", "divides": "ZeroDivisionError"}.items():
        *said, hint = seen[name]["out"].splitlines()
        assert said[0].startswith("Not yet: ") and word in said[0]
        assert hint == "Hint: Look again."
    assert {seen[name]["error"] for name in ("wrong", "raises", "divides")} == {""}


def test_a_check_that_has_changed_is_read_anew(seen):
    assert seen["changed"]["out"] == "Not yet: look again\nHint: Look again.\n"


def test_what_a_check_says_is_folded(seen):
    lines = seen["long"]["out"].splitlines()
    assert max(map(len, lines)) <= 88
    starts = [line for line in lines if not line.startswith("    ")]
    assert [line.partition(" ")[0] for line in starts] == ["Not", "this", "Hint:"]  # the message had two lines
    assert " ".join(seen["long"]["out"].split()).endswith("Look again. " * 19 + "Look again.")


def test_a_check_that_takes_too_long(seen):
    assert "Not yet: the check was not over after 1 s\nHint: Look again.\n" in seen["slow"]["out"]
    assert seen["after"]["error"] == ""  # the alarm was for the check alone


def test_a_name_that_no_exercise_has(seen):
    for result, name in zip(seen["nonsense"], ["nonsense", ""] * 2, strict=True):
        assert result["error"] == "LabError"
        assert result["said"] == (
            f"There is no exercise {name!r}: take the name from the cell below the exercise, after %check."
        )


def test_a_check_before_its_cells_names_them(seen):
    said = "Not yet: run the exercise cell first: there is no total yet.\n"
    assert seen["not run"] == {"out": said, "error": "", "said": "None"}
    said = "Not yet: run the cells above the exercise first: there is no terms yet.\n"
    assert seen["above not run"] == {"out": said, "error": "", "said": "None"}
    said = "Not yet: run the exercise cell first, from its first line %%module answers on.\n"
    assert [seen["not written"]["out"], seen["first line"][1]["out"]] == [said, said]


def test_a_solution_is_the_source_that_takes_the_place_of_the_cells(seen):
    assert seen["solution"]["out"] == "# One after the other.\ntotal = 0\nfor term in terms:\n    total += term\n"


def test_a_solution_that_is_a_module_is_written_like_one(seen):
    source = seen["module solution"]["out"]
    assert source.splitlines()[0] == "%%module answers"
    body = source.partition("\n")[2]
    ruff = [Path(sys.executable).with_name("ruff"), "format", "--stdin-filename", "answers.py", "-"]
    assert subprocess.run(ruff, input=body, stdout=subprocess.PIPE, text=True, check=True).stdout == body
    assert body.count("\n\n\n") == 3 and "# What a worker runs.\n@app.task\ndef answer():" in body
    assert seen["written"][1]["out"] == "Right.\n"


def test_a_solution_that_was_not_run_is_no_task(seen):
    assert seen["imports no tasks"] == ["answers.answer"]  # the learner's own, from its module


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


def test_a_lost_worker_is_told_with_its_fix(seen):
    result, verdict = seen["bad"]
    assert verdict is False
    lines = result["out"].splitlines()
    said = [line for line in lines if not line.startswith("yes  ")]
    assert said == [
        "NO   a worker with 5 processes answers: none answers",
        "     To fix it, restart the kernel, and run lab.start() again.",
    ]
