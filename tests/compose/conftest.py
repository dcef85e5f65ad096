"""The course in containers, built for the tests and gone at their end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.compose.project import BUILD_SECONDS, Project, copy_of_the_course


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_course(tmp_path_factory.mktemp("compose") / "the course")


@pytest.fixture(scope="session")
def open_project(course: Path) -> Iterator[Callable[[str], Project]]:
    """Build a project of its own, which is gone without a trace at the end."""
    projects: list[Project] = []

    def build(purpose: str) -> Project:
        projects.append(project := Project(course, f"course-test-{os.getpid()}-{purpose}"))
        project.compose("build", timeout=BUILD_SECONDS)
        return project

    try:
        yield build
    finally:
        for project in projects:
            project.down()
        left = {project.name: found for project in projects if (found := project.left())}
    assert not left
