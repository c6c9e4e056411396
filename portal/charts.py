"""Charts as numbers: where each mark of a small SVG lies. `_chart.html` draws them, the sheet colours them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 380, 160
LEFT, TOP, BOTTOM = 32, 8, 138
GRID_LINES = 4


@dataclass(frozen=True)
class Mark:
    """A bar: its corner, size, and `kind` ("", "bad", "soft")."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """What the partial draws. `sentence` says the same in words; `head` and `rows` are the same as a table."""

    title: str
    sentence: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[Mark, ...] = ()
    trace: str = ""
    limit_y: float | None = None
    grid: tuple[Label, ...] = ()
    ticks: tuple[Label, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def _ceiling(values: Sequence[float]) -> float:
    """The top of the scale: at or above every value, and its quarters are round numbers."""
    quarter = max([*values, 1]) / GRID_LINES
    unit = 10 ** math.floor(math.log10(quarter))
    return float(GRID_LINES * unit * next(step for step in (1, 2, 3, 5, 10) if step * unit >= quarter))


def _grid(top: float) -> tuple[Label, ...]:
    steps = [top * line / GRID_LINES for line in range(GRID_LINES + 1)]
    return tuple(Label(LEFT - 6, _y(value, top), f"{value:g}") for value in steps)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def _x(index: float, count: int) -> float:
    return round(LEFT + (WIDTH - LEFT) * index / count, 1)


def _ticks(names: Sequence[str], every: int) -> tuple[Label, ...]:
    return tuple(Label(_x(i + 0.5, len(names)), HEIGHT - 6, name) for i, name in enumerate(names) if i % every == 0)


def columns(
    *,
    title: str,
    sentence: str,
    head: tuple[str, str, str],
    names: Sequence[str],
    all_: Sequence[int],
    bad: Sequence[int],
) -> Chart:
    """One column per name, the bad part at its foot. The three sequences are of one length."""
    top = _ceiling(all_)
    width = (WIDTH - LEFT) / len(names) * 0.64
    bars = []
    for i, (count, failed) in enumerate(zip(all_, bad, strict=True)):
        x = round(_x(i + 0.5, len(names)) - width / 2, 1)
        split = _y(failed, top)
        bars.append(Mark(x, _y(count, top), round(width, 1), round(split - _y(count, top), 1)))
        if failed:
            bars.append(Mark(x, split, round(width, 1), round(BOTTOM - split, 1), "bad"))
    rows = tuple((name, str(count), str(failed)) for name, count, failed in zip(names, all_, bad, strict=True))
    return Chart(
        title, sentence, head, rows, bars=tuple(bars), grid=_grid(top), ticks=_ticks(names, max(1, len(names) // 8))
    )


def trace(
    *, title: str, sentence: str, head: tuple[str, str], names: Sequence[str], values: Sequence[float], limit: float
) -> Chart:
    """A line over time with the limit it should stay under. Both sequences are of one length."""
    top = _ceiling([*values, limit])
    points = " ".join(f"{_x(i + 0.5, len(names))},{_y(value, top)}" for i, value in enumerate(values))
    rows = tuple((name, f"{value:g}") for name, value in zip(names, values, strict=True))
    return Chart(
        title,
        sentence,
        head,
        rows,
        trace=points,
        limit_y=_y(limit, top),
        grid=_grid(top),
        ticks=_ticks(names, max(1, len(names) // 8)),
    )
