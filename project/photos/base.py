"""What all tasks of the project share."""

from celery import Task
from celery.utils.log import get_task_logger

log = get_task_logger(__name__)


class PhotosTask(Task):
    """A task that logs its arguments when it fails. Celery logs only its id."""

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        log.error("%s failed with the arguments %s %s", self.name, args, kwargs)
