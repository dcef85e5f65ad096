"""Several ways to do one thing, compared in more than one respect."""

from collections.abc import Mapping

from .charts import INK, RUNNING, Picture, finish, new_axes
from .style import plain


@plain
def draw_comparison(measured: Mapping[str, Mapping[str, float]], *, title: str) -> Picture:
    """A row for each way, a column of bars for each unit: `{"kilobytes": {"JSON": 9.9, …}, "seconds": {…}}`."""
    ways = list(next(iter(measured.values())))
    figure, axes = new_axes(0.38 * len(ways) + 1.1, title, "")
    axes.set(
        xlim=(0, len(measured)), ylim=(len(ways) - 0.4, -1.1), yticks=range(len(ways)), yticklabels=ways, xticks=[]
    )
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for column, (unit, values) in enumerate(measured.items()):
        axes.text(column, -0.85, unit, fontsize=10, weight="bold", color=INK, va="center")
        scale = 0.78 / max(values.values())
        for row, way in enumerate(ways):
            axes.barh(row, values[way] * scale, left=column, height=0.6, color=RUNNING)
            axes.text(column + values[way] * scale, row, f" {values[way]:.2f}", va="center", fontsize=9, color=INK)
    return finish(figure, f"{title}\n{'; '.join(measured)}\nbars, from the top: {', '.join(ways)}")
