"""The blocks that join the rooms below: `with lab.watch(…)` records what runs, then draws it.

May import: `draw`, `record`, `services`, `basics`. Readers may look: each file is the story of one call.

    watch          `lab.watch`: tasks and requests while a block runs
    watch_cpu      `lab.watch_cpu`: the processor while a block runs
    timeline_page  `lab.timeline_page`
"""
