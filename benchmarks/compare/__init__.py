"""The same work on what else people use: Celery beside RQ, Dramatiq, Huey, Taskiq, a thread pool and asyncio.

`make compare` runs it. Each peer is a module with the interface of `peers.Peer`, set up as its own documentation
advises; `work.py` is what they all do, `measure.py` how it is measured, `figures.py` what comes of it.
"""
