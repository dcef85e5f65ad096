"""Chaos: `lab.storm` kills workers and Redis at random, starts them again, and counts what was lost.

May import: all rooms below (`web`, `blocks`, `draw`, `record`, `services`, `basics`). Readers may change the plan of
the kills; what starts things again needs care.
"""
