"""The lab: what the notebooks stand on. It opens services, looks inside them and draws.

Celery itself stays in the notebooks' cells. `lab.start()` comes first: what runs or looks inside needs it, and says so.

This file is the front door: all names that notebooks use, and from which room each comes. A room imports only from
those below it (`make lint` sees to that), here from the top down:

    cells      the magics of the exercises, and interrupts
    chaos      the storm that kills workers and Redis
    web        a web site and its visitors
    blocks     `with lab.watch(…)`: what joins the rooms below
    draw       pictures: data in, picture out
    record     what happened: runs, x-rays of Redis, the processor
    services   what runs: Redis, workers, the mock Facebook, and who ends them
    basics     the cellar: errors, deadlines, places
"""

import sys
from typing import Any

from .basics.errors import LabError
from .basics.places import ROOT as _ROOT
from .blocks.timeline_page import timeline_page
from .blocks.watch import Watch as watch
from .blocks.watch_cpu import WatchCpu as watch_cpu
from .cells.interrupts import shorten_interrupts as _shorten_interrupts
from .cells.magics import load_magics as _load_magics
from .chaos.picture import draw_storm
from .chaos.storm import Storm as storm
from .draw.bars import draw_bars, draw_comparison, draw_panels
from .draw.curves import draw_curves, draw_scaling, draw_staircase
from .draw.diagrams import draw_overview, draw_worker
from .draw.histograms import draw_load, draw_spread
from .draw.lanes import draw_lanes
from .draw.message import draw_message
from .draw.outages import draw_outages
from .draw.processor import draw_cpu
from .draw.waits import draw_waits
from .draw.workflow import draw_workflow
from .draw.xrays import draw_xrays
from .record.commands import commands
from .record.look import xray
from .record.processor import cores
from .record.run import phases
from .record.workers import memory
from .services.check import check_machine
from .services.further import proxy, redis_server, sentinel, worker
from .services.mail import MailControl as _MailControl
from .services.open_lab import current
from .services.start import start
from .services.terminal import empty_folder, terminal
from .web.looks import longest_look
from .web.site import serve
from .web.visitors import visit

# A notebook's folder is not the project's: let `from tasks import …` work in every cell from here on, and mean ours,
# whatever the folder holds from which Jupyter was started.
sys.path[:] = [str(_ROOT), *(folder for folder in sys.path if folder != str(_ROOT))]

_load_magics()
_shorten_interrupts()

__all__ = [
    "LabError",
    "check_machine",
    "commands",
    "cores",
    "draw_bars",
    "draw_comparison",
    "draw_cpu",
    "draw_curves",
    "draw_lanes",
    "draw_load",
    "draw_message",
    "draw_outages",
    "draw_overview",
    "draw_panels",
    "draw_scaling",
    "draw_spread",
    "draw_staircase",
    "draw_storm",
    "draw_waits",
    "draw_worker",
    "draw_workflow",
    "draw_xrays",
    "empty_folder",
    "fb",
    "longest_look",
    "mail",
    "memory",
    "phases",
    "proxy",
    "redis",
    "redis_server",
    "sentinel",
    "serve",
    "start",
    "storm",
    "terminal",
    "timeline_page",
    "visit",
    "watch",
    "watch_cpu",
    "worker",
    "xray",
]


def __getattr__(name: str) -> Any:
    """`lab.fb` and `lab.mail`: the mock Facebook of the open lab, and the mail server beside it. `lab.redis`: its
    Redis, if it is the notebook's own."""
    if name == "fb":
        return current().fb
    if name == "mail":
        return _MailControl(current().fb)
    if name == "redis":
        if (server := current().redis) is None:
            raise LabError("This Redis is not the notebook's own. With lab.start(private=True) it is.")
        return server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
