"""The lab in surroundings made up at random: it works, or says in one sentence why not; nothing is left or touched.

Ten in the suite, always the same; `make odd` makes up a hundred others, and each test's name holds its seed.
"""

import os
import random
from pathlib import Path

import pytest

from tests.lab.starts import start_it

FIRST, COUNT = (int(os.environ.get(name, default)) for name, default in (("ODD_FIRST", 0), ("ODD_COUNT", 10)))
MOST = 8  # oddities of one start

# What each is chosen from. {redis} is the address of somebody else's Redis, {folder} a folder that is odd itself.
VARIABLES = {
    **dict.fromkeys(("BROKER_URL", "RESULT_BACKEND"), ["{redis}/0", "x", ""]),
    **dict.fromkeys(("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"), ["{redis}/0", "x", ""]),
    **dict.fromkeys(("CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"), ["{redis}/3", "amqp://", "memory://"]),
    **dict.fromkeys(("APP", "CELERY_APP", "LOADER", "CELERY_LOADER"), ["billing", "billing:app", "", "default"]),
    **dict.fromkeys(("CONFIG_MODULE", "CELERY_CONFIG_MODULE", "CELERY_WORKER_INCLUDE"), ["billing", "tasks", ""]),
    "CELERY_WORKER_QUEUES": ["emails", "celery", ""],
    "CELERY_WORKER_CONCURRENCY": ["1", "0", "many"],
    "CELERY_WORKER_POOL": ["solo", "gevent", "eventlet", "none"],
    "CELERY_WORKER_LOGLEVEL": ["CRITICAL", "DEBUG", "loud"],
    "CELERY_WORKER_HOSTNAME": ["theirs@example", "%h"],
    "CELERY_WORKER_LOGFILE": ["/nowhere/log", "/dev/null"],
    "CELERY_WORKER_PIDFILE": ["/nowhere/pid"],
    "CELERY_WORKER_DETACH": ["1"],
    "CELERY_WORKER_PURGE": ["1"],
    "CELERY_WORKER_BEAT": ["1"],
    "CELERY_WORKER_TIME_LIMIT": ["0.001"],
    **dict.fromkeys(("C_FORCE_ROOT", "C_STRICT_APP", "MP_LOG"), ["1", "0", ""]),
    **dict.fromkeys(("KOMBU_LOG_DEBUG", "KOMBU_LOG_CONNECTION"), ["1", ""]),
    "NO_COLOR": ["1", ""],
    "PYTHONOPTIMIZE": ["1", "2", ""],
    "PYTHONWARNINGS": ["error", "default", "error::DeprecationWarning", "ignore", "nonsense"],
    "PYTHONDEVMODE": ["1"],
    "PYTHONINSPECT": ["1"],
    "PYTHONUNBUFFERED": ["1"],
    "PYTHONSAFEPATH": ["1"],
    "PYTHONVERBOSE": ["1"],
    "PYTHONHASHSEED": ["0", "42"],
    "PYTHONUTF8": ["0", "1"],
    "PYTHONCOERCECLOCALE": ["0", "warn"],
    "PYTHONIOENCODING": ["ascii", "latin-1", "utf-8:strict"],
    "PYTHONDONTWRITEBYTECODE": ["1"],
    "PYTHONPYCACHEPREFIX": ["/nowhere"],
    "PYTHONTRACEMALLOC": ["1"],
    "PYTHONASYNCIODEBUG": ["1"],
    "PYTHONMALLOC": ["debug"],
    "PYTHONPROFILEIMPORTTIME": ["1"],
    "PYTHONSTARTUP": ["/nowhere"],
    "PYTHONPATH": ["{folder}", "/nowhere", ""],
    "LC_ALL": ["C", "POSIX", "tr_TR.UTF-8", "xx_YY", "de_DE.ISO-8859-1", ""],
    "LANG": ["C.UTF-8", "tr_TR.UTF-8", "nonsense"],
    "TZ": ["Asia/Tokyo", "America/St_Johns", "XYZ-13:37", "Nowhere/Land", ":/nowhere", ""],
    **dict.fromkeys(("HTTP_PROXY", "http_proxy"), ["http://127.0.0.1:1", ":::"]),
    **dict.fromkeys(("ALL_PROXY", "all_proxy"), ["http://127.0.0.1:1", "socks5://x:1"]),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), ["*", "example.com", "[", ""]),
    "REDIS_URL": ["{redis}/0", "{redis}/5", "{redis}?db=2", "unix:///x", "redis://127.0.0.1:1", "redis://:a/b@h", ""],
    "FAKE_FB_URL": ["http://127.0.0.1:1", "{web}", "x", "", "http://ada:zebra@127.0.0.1:1"],
    "REDIS_PORT": ["{port}", "tcp://172.17.0.2:6379", "x", "", "0", "99999"],
    "FAKE_FB_PORT": ["{port}", "tcp://172.17.0.2:8000", "x", "", "0"],
    "TMPDIR": ["{folder}", "/nowhere"],
    "HOME": ["/nowhere", "", "{folder}"],
    "PATH": ["", "/nowhere"],
    "MPLBACKEND": ["nonsense", "agg", "TkAgg"],
    "MATPLOTLIBRC": ["/nowhere", "{folder}"],
    "LD_PRELOAD": ["/nowhere/libnone.so"],
    "GEVENT_LOOP": ["nonsense"],
}  # fmt: skip
FILES = {
    "sitecustomize.py": "print('theirs')\n",
    "usercustomize.py": "import sys; print('theirs', file=sys.stderr)\n",
    "celeryconfig.py": "broker_url = 'redis://127.0.0.1:1/0'\n",
    "tasks.py": "raise SystemExit('theirs')\n",
    "shop.py": "raise SystemExit('theirs')\n",
    "billing.py": "raise SystemExit('theirs')\n",
    "matplotlibrc": "text.usetex: True\nfont.family: No Such Font\n",
    "requirements.txt": "celery==1.0\n",
    ".netrc": "nonsense\n",
}
FOLDERS = ["plain", "with a space", "äöü", "日本語", "a:b", "quote'\"", "$HOME", "%s", "*"]
LIMITS = {"RLIMIT_NOFILE": [64, 256, 1024], "RLIMIT_CORE": [0], "RLIMIT_STACK": [1 << 20], "RLIMIT_MEMLOCK": [0]}


def start_limited(limits, umask, folder):
    """Start the lab in a process that may have less than others."""
    import os
    import resource

    for name, value in limits.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        resource.setrlimit(getattr(resource, name), (value, hard if hard < value or hard < 0 else max(hard, value)))
    os.umask(umask)
    os.chdir(folder)
    return start_it()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_it_works_or_says_why_not(place, start_redis, tmp_path, seed):
    dice = random.Random(seed)
    theirs = start_redis()
    theirs.lpush("celery", '{"headers": {"task": "billing.charge"}}')
    before = {key: theirs.dump(key) for key in theirs.scan_iter()}

    folder = tmp_path / dice.choice(FOLDERS)
    folder.mkdir()
    for name in dice.sample(list(FILES), dice.randint(0, 3)):
        (folder / name).write_text(FILES[name])
    known = {"redis": f"redis://127.0.0.1:{theirs.port}", "port": str(theirs.port), "folder": str(folder)}
    known["web"] = f"http://127.0.0.1:{theirs.port}"
    chosen = dice.sample(list(VARIABLES), dice.randint(1, MOST))
    variables = {name: dice.choice(VARIABLES[name]) for name in chosen}
    variables = {name: value.format(**known) if "{" in value else value for name, value in variables.items()}
    limits = {name: dice.choice(LIMITS[name]) for name in dice.sample(list(LIMITS), dice.randint(0, 2))}
    umask = dice.choice([0o022, 0o077, 0])
    files = sorted(path.name for path in folder.iterdir())
    what = f"seed {seed}: {variables}, {limits}, umask {umask:o}, {files} in {folder}"

    outcome = place.run_lab(start_limited, limits, umask, str(folder), also=[start_it], **variables)
    seen = outcome.evidence
    assert seen, f"{what}\n{outcome.err}"
    sentence = seen["said"].partition(" The log of ")[0]
    assert (seen["items"] == 1) != bool(sentence), f"{what}\n{seen}"
    assert "\n" not in sentence and "Traceback" not in seen["said"], f"{what}\n{seen['said']}"
    assert seen["took"] < 40, what
    assert seen["left"] == 0 and (seen["clean"] or seen["items"]), what
    assert "zebra" not in sentence + outcome.out + outcome.err, what
    assert {key: theirs.dump(key) for key in theirs.scan_iter()} == before, what
    assert theirs.info("keyspace").keys() == {"db0"}, what
    place.check_empty()
    left = {path.name for path in [*Path(folder).iterdir(), *place.temporary.iterdir()]} - FILES.keys()
    assert not left, f"{what}\n{left}"
