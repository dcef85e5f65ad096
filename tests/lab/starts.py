"""A start that is tried, and what it must have said where it was refused."""


def start_it():
    """Open the lab and use it, or say why not; and what is left then."""
    import os
    import time

    import psutil

    import lab

    before, begin = dict(os.environ), time.monotonic()
    said, items = "", 0
    try:
        lab.start()
        from tasks import fetch_url

        items = len(fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0").get(timeout=30)["data"])
        opened = lab.current()
        told = repr(opened) + repr(opened.fb) + "".join(path.read_text() for path in opened.keeper.folder.glob("*.log"))
    except lab.LabError as error:
        said, told = str(error), ""
    took = time.monotonic() - begin
    left = [each.pid for each in psutil.Process().children(recursive=True) if each.status() != "zombie"]
    return {"said": said, "items": items, "told": told, "took": took, "left": 0 if items else len(left),
            "clean": dict(os.environ) == before}  # fmt: skip


def check_refused(outcome, *words):
    """It was said in one sentence, with these words, and nothing was left."""
    assert outcome.returncode == 0, outcome.err
    seen = outcome.evidence
    sentence = seen["said"].partition(" The log of ")[0]
    assert sentence and "\n" not in sentence and "Traceback" not in sentence, seen
    assert not [word for word in words if word not in sentence], sentence
    assert seen["left"] == 0 and seen["clean"], seen
    assert seen["took"] < 40
