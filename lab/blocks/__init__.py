"""The blocks that join the rooms below: `with lab.watch(…)` records what runs, then draws it.

May import: `draw`, `record`, `services`, `basics`. Readers may look: each file is the story of one call.
"""
