"""Measurements over a number: dots for what was measured, a line for what a model says."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .picture import Picture, draw_key, finish, new_axes, new_panels
from .style import FAILED, INK, MODEL, ON_PAPER, RUNNING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIMIT = "the limit"


@plain
def draw_staircase(measured: Mapping[int, float], predicted: Mapping[int, float], *, title: str) -> Picture:
    """Seconds over the number of processes: the model as a line of steps, the measurements as dots.

    measured:  seconds by number of processes
    predicted: what a model says, in seconds, for each number of processes from the least measured to the most
    title:     stands above the picture
    """
    figure, axes = new_axes(3.6, title, "processes")
    counts = sorted(measured)
    every = range(counts[0], counts[-1] + 1)
    _draw_steps(axes, {n: predicted[n] for n in every})
    axes.text(counts[0] + 0.6, predicted[counts[0]] * 0.97, "predicted", color=MODEL, fontsize=9, va="top")
    _draw_dots(axes, {n: measured[n] for n in counts}, "{:.2f} s".format, size=7)
    axes.set(xticks=list(every), ylim=(0, max(measured.values()) * 1.15), ylabel="seconds")
    axes.grid(axis="y")
    words = ", ".join(f"{predicted[n]:g} s on {n} process{'es' * (n != 1)}" for n in counts)
    return finish(figure, f"{title}\ndots: measured; line: predicted, {words}")


@plain
def draw_curves(
    curves: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]],
    *,
    title: str,
    xlabel: str = "processes",
    ylabel: str = "seconds",
    line: str = "predicted",
) -> Picture:
    """Seconds over a number of processes, a panel for each load: what was measured as dots, what a model says as steps.

    curves: for each load two mappings by number of processes: the seconds measured, and those predicted
    title:  stands above the picture
    xlabel: what the numbers count (default "processes")
    ylabel: the unit of the values (default "seconds")
    line:   what the line is (default "predicted")
    """
    figure, places = new_panels(3.6, title, columns=len(curves))
    for axes, (what, (measured, predicted)) in zip(places, curves.items(), strict=True):
        _draw_steps(axes, predicted)
        _draw_dots(axes, measured, lambda value: f"{value:.2f}" if isinstance(value, float) else f"{value}", size=6)
        axes.set(ylim=(0, max(*measured.values(), *predicted.values()) * 1.2), xticks=list(measured), xlabel=xlabel)
        axes.set_title(what, fontsize=10, weight="bold")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y")
        axes.tick_params(axis="y", length=0)
    places[0].set_ylabel(ylabel)
    draw_key(places[0], f"dots: measured  ·  line: {line}", above=22)
    said = [f"{what}: measured at {_listed(measured)} {xlabel}" for what, (measured, _) in curves.items()]
    return finish(figure, "\n".join([title, f"dots: measured; line: {line}", *said]))


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _draw_steps(axes: "Axes", predicted: Mapping[int, float]) -> None:
    axes.step(list(predicted), list(predicted.values()), where="mid", color=MODEL, linewidth=1.5)


def _draw_dots(axes: "Axes", measured: Mapping[int, float], words: Callable[[float], str], *, size: int) -> None:
    """A dot of so many points for each measurement, and its `words` above it."""
    axes.plot(list(measured), list(measured.values()), "o", color=RUNNING, markersize=size)
    for n, value in measured.items():
        axes.annotate(
            words(value), (n, value), xytext=(0, size + 1), textcoords="offset points", ha="center", fontsize=9,
            color=RUNNING, bbox=ON_PAPER,
        )  # fmt: skip


@plain
def draw_scaling(
    ways: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]],
    *,
    title: str,
    xlabel: str,
    limit: float = 0,
    ylabel: str = "seconds",
) -> Picture:
    """Seconds over a number, both in powers of ten: dots for what was measured, a line for what a model says.

    ways:   for each way two mappings by number: the seconds measured, and those predicted; the last way stands out
    title:  stands above the picture
    xlabel: what the numbers count
    limit:  seconds that no way can beat (default 0: none)
    ylabel: the unit of the values (default "seconds")
    """
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    figure, axes = new_axes(4.8, title, f"{xlabel} (powers of ten)")
    axes.set(xscale="log", yscale="log", ylabel=f"{ylabel} (powers of ten)")
    ends, best = {}, list(ways)[-1]
    numbers = [number for _, predicted in ways.values() for number in predicted]
    first, last = min(numbers), max(numbers)
    for name, (measured, predicted) in ways.items():
        style: dict[str, Any] = {"color": RUNNING, "linewidth": 2} if name == best else {"color": MODEL, "linewidth": 1}
        axes.plot(list(predicted), list(predicted.values()), **style)
        axes.plot(list(measured), list(measured.values()), "o", color=RUNNING, markersize=6, zorder=3)
        ends[name] = list(predicted.values())[-1]
    values = [seconds for pair in ways.values() for each in pair for seconds in each.values()]
    if limit:
        axes.plot([first, last], [limit, limit], color=FAILED, linewidth=1, linestyle="--", zorder=2)
        ends[LIMIT] = limit / 1.15
    low, high = min([*values, *ends.values()]) / 1.3, max(values) * 1.4
    _name_ends(axes, ends, last * 1.08, (high / low) ** 0.045, best)
    axes.set(xlim=(first * 0.85, last * (last / first) ** 0.25), ylim=(low, high))
    powers = [10**power for power in range(6) if first * 0.85 <= 10**power <= last]
    axes.set_xticks(powers, [f"{power:,}" for power in powers])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1, 2), numticks=99))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()
    axes.grid()
    said = [f"{name}: measured at {_listed(measured)} {xlabel}" for name, (measured, _) in ways.items()]
    return finish(figure, "\n".join([title, "dots: measured; lines: predicted", *said]))


def _name_ends(axes: "Axes", ends: Mapping[str, float], x: float, line: float, best: str) -> None:
    """The names of lines at their ends, each at least a line of text (a factor) above the one before."""
    place = 0.0
    for name in sorted(ends, key=lambda name: ends[name]):
        place = max(ends[name], place * line)
        colour = RUNNING if name == best else FAILED if name == LIMIT else INK
        weight = "bold" if name == best else "normal"
        axes.text(
            x, place, name, fontsize=9, va="center", color=colour, weight=weight, bbox=ON_PAPER, parse_math=False
        )  # fmt: skip
