"""The web site and its visitors, for the slow request of notebook 01: `lab.serve`, `lab.visit`, `lab.longest_look`.

May import: all rooms below (`blocks`, `draw`, `record`, `services`, `basics`). Readers may look; threads meet here, so
change with care.

    site      `lab.serve`: a site in a thread of its own, and its log
    visitors  `lab.visit`: many visitors at once, and their lanes
    looks     `lab.longest_look`: one who looks again and again while the site is busy
"""
