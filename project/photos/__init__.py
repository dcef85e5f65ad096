"""A site that reads timelines in the background."""

# Whoever imports a module of this package gets the application with it. Without this
# line, a site that imports the tasks alone would send them to Celery's default broker.
from photos.celery import app

__all__ = ["app"]
