"""The web site and its visitors: `lab.serve` and `lab.visit`, for the slow request of the first notebook.

May import: all rooms below (`blocks`, `draw`, `record`, `services`, `basics`). Readers may look; threads meet here, so
change with care.

    site      `lab.serve`: a site in a thread of its own, and its log
    visitors  `lab.visit`: many visitors at once, and their lanes
"""
