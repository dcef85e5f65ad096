"""Run by IPython as a kernel starts: the course's magics until `import lab` has brought them.

A reader who goes straight to an exercise is told what to do, where IPython would say that there is no such magic.
"""


def _name_the_first_cell(*_: str) -> None:
    print("Run the first cell of this notebook first: it opens the lab.")


for _name in ("check", "solution"):
    get_ipython().register_magic_function(_name_the_first_cell, "line", _name)  # noqa: F821 (IPython's)
get_ipython().register_magic_function(_name_the_first_cell, "cell", "module")  # noqa: F821
del _name, _name_the_first_cell
