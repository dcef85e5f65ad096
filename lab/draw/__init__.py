"""Pictures: data in, picture out.

May import: the plain records of `record`, and `basics`; never services, Redis or Celery, not even indirectly. Readers
may change what they like here: nothing but the look of a picture depends on it.

    lanes       `draw_lanes`: what is in each lane (their order is that of `Run.processes`, in record/run)
    names       what a picture with several workers calls them
    live        lanes that grow while a cell runs
    waits       `draw_waits`, and the visitors of a site
    bars        `draw_bars`, `draw_panels`, `draw_comparison`
    curves      `draw_curves`, `draw_staircase`, `draw_scaling`
    histograms  `draw_load`, `draw_spread`
    processor   `draw_cpu`
    xrays       `draw_xrays`
    outages     `draw_outages`
    workflow    `draw_workflow`
    message     `draw_message`
    diagrams    `draw_overview`, `draw_worker`
    timeline    a user's timeline as a page, and its template timeline.html.j2
    style       colours, and matplotlib's settings
    picture     an empty figure, and the finished PNG with its words
    rows        names and bars of a chart that has rows
    pack        which row something goes into
    boxes       boxes and arrows
"""
