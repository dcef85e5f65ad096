"""What notebook 08b reads about a worker in a container is what a worker in a container does."""

import pytest

from benchmarks import cores
from tests.compose.project import engine_is_missing

pytestmark = pytest.mark.skipif(bool(missing := engine_is_missing()), reason=f"no Docker engine: {missing}")


def test_default_ignores_the_limit_of_a_container_and_auto_obeys_it() -> None:
    _, stored = cores.stored()
    counted = cores.count()
    # Another machine has another number of cores; what auto makes of a limit below it is the same.
    for limit, processes in counted["containers"].items():
        assert processes["default"] == counted["cores"]
        assert processes["auto"] == min(stored[limit]["auto"], counted["cores"])
