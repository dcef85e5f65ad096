"""Records of what happened: which task ran when and where, what lies in Redis, who used the processor.

May import: `services`, `basics`. Nothing here draws. Readers may look: here is how Celery is observed. The plain
records (`run`, `xray`, `processor`, `labels`) import neither Redis nor Celery, so that `draw` can use them.
"""
