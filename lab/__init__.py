"""The lab: what the notebooks stand on. It opens services, looks inside them and draws.

Celery itself stays in the notebooks' cells. `lab.start()` comes first: what runs or looks inside needs it, and says so.
"""

import sys
from pathlib import Path

from .anatomy import draw_worker
from .charts import draw_bars, draw_curves, draw_lanes, draw_panels, draw_scaling, draw_staircase, draw_waits
from .comparison import draw_comparison
from .cpu import cores, draw_cpu, memory, watch_cpu
from .diagram import draw_overview
from .errors import LabError
from .exercises import load_magics
from .kernel import shorten_interrupts
from .load import draw_load, draw_spread
from .machine import check_machine
from .mailserver import MailServer
from .message import draw_message
from .page import timeline_page
from .phases import phases
from .services import current, redis_server, start, worker
from .site import serve
from .storm import Storm as storm
from .storm_chart import draw_storm
from .visitors import visit
from .watch import watch
from .xray import draw_xrays, xray

# A notebook's folder is not the project's: let `from tasks import …` work in every cell from here on, and mean ours,
# whatever the folder holds from which Jupyter was started.
_root = str(Path(__file__).resolve().parent.parent)
sys.path[:] = [_root, *(folder for folder in sys.path if folder != _root)]

load_magics()
shorten_interrupts()

__all__ = [
    "LabError",
    "check_machine",
    "cores",
    "draw_bars",
    "draw_comparison",
    "draw_cpu",
    "draw_curves",
    "draw_lanes",
    "draw_load",
    "draw_message",
    "draw_overview",
    "draw_panels",
    "draw_scaling",
    "draw_spread",
    "draw_staircase",
    "draw_storm",
    "draw_waits",
    "draw_worker",
    "draw_xrays",
    "fb",
    "mail",
    "memory",
    "phases",
    "redis_server",
    "serve",
    "start",
    "storm",
    "timeline_page",
    "visit",
    "watch",
    "watch_cpu",
    "worker",
    "xray",
]


def __getattr__(name: str) -> object:
    """`lab.fb` and `lab.mail`: the mock Facebook of the open lab, and the mail server beside it. `lab.redis`: its
    Redis, if it is the notebook's own."""
    if name == "fb":
        return current().fb
    if name == "mail":
        return MailServer(current().fb)
    if name == "redis":
        if (server := current().redis) is None:
            raise LabError("This Redis is not the notebook's own. With lab.start(private=True) it is.")
        return server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
