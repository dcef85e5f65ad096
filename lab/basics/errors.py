"""What the lab says when something is wrong: one sentence that tells what happened and what to do."""


class LabError(Exception):
    """Something the reader can fix. In a notebook it shows as its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks an exception for this before it builds a traceback of its own."""
        return [f"LabError: {self}"]
