"""Chaos: `lab.storm` kills workers and Redis at random, starts them again, and counts what was lost.

May import: all rooms below (`web`, `blocks`, `draw`, `record`, `services`, `basics`). Readers may change the plan of
the kills; what starts things again needs care.

    plan     what is killed and when
    storm    `lab.storm`: kills by plan, and starts again what has ended
    selling  a site that sells through the outbox, and what that sends again
    runs     a note of every run, made in the workers
    orders   what came of the orders, from the shop's database
    picture  `lab.draw_storm`
"""
