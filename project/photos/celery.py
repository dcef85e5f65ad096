"""The Celery application: `celery -A photos worker` finds it here."""

from celery import Celery

app = Celery(
    "photos",
    # What all tasks share.
    task_cls="photos.base:PhotosTask",
    # Each module with tasks; a wrong name is an error.
    include=["photos.tasks.timeline"],
)
app.config_from_object("photos.settings")

# The app of all threads, not only of the one that imports it: a web server answers in
# others. Without this line, shared tasks look there for Celery's default broker.
app.set_default()
