"""Small directed multigraphs as inline SVG: deterministic, self-contained, every name escaped."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

Point = tuple[float, float]

_FONT = 13.0
_HEIGHT = 26.0
_GAP = 26.0
"""Distance between parallel arrows at their middle."""
_LONGEST = 22
_INK, _LINE, _FILL, _EDGE = "#1b1f24", "#57606a", "#eef3fb", "#8fa8cc"
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing's content: ``labels`` of nodes, ``edges`` (source, target, label), a ``title``, and where nodes go.

    ``columns`` puts each node in a column, left to right. Without it, each connected part is drawn by itself: one
    without cycles in layers by longest path, one that is a tree but for parallel and opposite arrows by distance, any
    other on a circle.
    """

    labels: tuple[str, ...]
    edges: tuple[tuple[int, int, str], ...]
    title: str
    columns: tuple[int, ...] | None = None

    def svg(self) -> str:
        """The drawing as one SVG element. Cost: nodes x edges."""
        return _Drawing(self).svg()


def plain(text: str) -> str:
    """Text made safe for XML: markup escaped, characters that XML forbids replaced."""
    return escape(_UNFIT.sub("\ufffd", text), quote=True)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _width(text: str) -> float:
    return sum(0.62 if ord(c) < 0x1100 else 1.05 for c in text) * _FONT


def layers(n: int, edges: Sequence[tuple[int, int]]) -> list[int] | None:
    """The longest path to each node from a node that nothing enters, loops left out; None where there is a cycle."""
    pairs = {(a, b) for a, b in edges if a != b}
    depth, entered = [0] * n, [0] * n
    for _, b in pairs:
        entered[b] += 1
    front, done = [c for c in range(n) if not entered[c]], 0
    while front:
        a = front.pop()
        done += 1
        for b in sorted(y for x, y in pairs if x == a):
            depth[b] = max(depth[b], depth[a] + 1)
            entered[b] -= 1
            if not entered[b]:
                front.append(b)
    return depth if done == n else None


def _parts(n: int, edges: Sequence[tuple[int, int, str]]) -> list[set[int]]:
    """Connected parts, by smallest node."""
    part = {i: {i} for i in range(n)}
    for a, b, _ in edges:
        if part[a] is not part[b]:
            part[a] |= part[b]
            for i in part[b]:
                part[i] = part[a]
    return [part[i] for i in range(n) if i == min(part[i])]


def _layers_of(part: set[int], inner: Sequence[tuple[int, int]]) -> dict[int, int] | None:
    order = sorted(part)
    place = {i: rank for rank, i in enumerate(order)}
    depth = layers(len(order), [(place[a], place[b]) for a, b in inner])
    return None if depth is None else dict(zip(order, depth, strict=True))


def _tree_depth(part: set[int], inner: Sequence[tuple[int, int]]) -> dict[int, int] | None:
    """Distance from the smallest node, where the part is a tree once directions and parallels are forgotten."""
    pairs = {(min(e), max(e)) for e in inner if e[0] != e[1]}
    if len(pairs) != len(part) - 1:
        return None
    depth = {min(part): 0}
    while len(depth) < len(part):
        for a, b in pairs:
            for x, y in ((a, b), (b, a)):
                if x in depth and y not in depth:
                    depth[y] = depth[x] + 1
    return depth


class _Drawing:
    """Places, curves and text of one picture."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.shown = [_short(label) for label in picture.labels]
        self.widths = [max(_HEIGHT, _width(label) + 16) for label in self.shown]
        self.box = [math.inf, math.inf, -math.inf, -math.inf]
        self.centres: dict[int, Point] = {}
        self.places = self._place()

    def _place(self) -> list[Point]:
        """Columns as given; else every connected part by itself, the parts side by side."""
        n, edges = len(self.shown), self.picture.edges
        if self.picture.columns is not None:
            return self._columns(dict(enumerate(self.picture.columns)))
        places: list[Point] = [(0.0, 0.0)] * n
        edge = 0.0
        for part in _parts(n, edges):
            inner = [(a, b) for a, b, _ in edges if a in part]
            depth = _layers_of(part, inner) or _tree_depth(part, inner)
            found = self._columns(depth) if depth is not None else self._circle(sorted(part), inner)
            low = min(found[i][0] - self.widths[i] / 2 for i in part)
            for i in part:
                places[i] = (found[i][0] - low + edge, found[i][1])
            middle = sum(places[i][0] for i in part) / len(part)
            for i in part:
                self.centres[i] = (middle, sum(places[j][1] for j in part) / len(part))
            edge = max(places[i][0] + self.widths[i] / 2 for i in part) + 48.0
        return places

    def _columns(self, column: dict[int, int]) -> list[Point]:
        names = max((_width(_short(name)) for _, _, name in self.picture.edges), default=0.0)
        step = max((self.widths[i] for i in column), default=_HEIGHT) + names + 56.0
        places: list[Point] = [(0.0, 0.0)] * len(self.shown)
        height = Counter(column.values())
        rank = dict.fromkeys(height, 0)
        for i, x in sorted(column.items()):
            places[i] = (x * step, (rank[x] - (height[x] - 1) / 2) * 74.0)
            rank[x] += 1
        return places

    def _circle(self, part: list[int], inner: Sequence[tuple[int, int]]) -> list[Point]:
        names = max((_width(_short(name)) for _, _, name in self.picture.edges), default=0.0)
        widest = max(self.widths[i] for i in part)
        most = max(Counter((min(e), max(e)) for e in inner if e[0] != e[1]).values(), default=1)
        around = len(part) * max(widest * 0.75, names + 36.0, most * _GAP * 1.6)
        radius = max(56.0, around / (2 * math.pi) + 20.0)
        places: list[Point] = [(0.0, 0.0)] * len(self.shown)
        for rank, i in enumerate(part):
            turn = 2 * math.pi * rank / len(part) - math.pi / 2
            places[i] = (radius * math.cos(turn), radius * math.sin(turn))
        return places

    def svg(self) -> str:
        body = [*self._arrows(), *(self._node(i) for i in range(len(self.places)))]
        if self.box[0] > self.box[2]:
            self.box = [0.0, 0.0, 40.0, 20.0]
        x, y = self.box[0] - 12, self.box[1] - 12
        w, h = self.box[2] + 12 - x, self.box[3] + 12 - y
        title = plain(self.picture.title)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:.1f} {y:.1f} {w:.1f} {h:.1f}" width="{w:.0f}" '
            f'height="{h:.0f}" role="img" aria-label="{title}" font-family="ui-sans-serif, system-ui, sans-serif" '
            f'font-size="{_FONT:.0f}" style="max-width:100%;height:auto">'
        )
        ground = f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="8" fill="#ffffff"/>'
        return "".join([head, f"<title>{title}</title>", ground, *body, "</svg>"])

    def _reach(self, *points: Point) -> None:
        for x, y in points:
            self.box = [min(self.box[0], x), min(self.box[1], y), max(self.box[2], x), max(self.box[3], y)]

    def _node(self, i: int) -> str:
        (x, y), w = self.places[i], self.widths[i]
        self._reach((x - w / 2, y - _HEIGHT / 2), (x + w / 2, y + _HEIGHT / 2))
        return (
            f'<g><title>{plain(self.picture.labels[i])}</title><rect x="{x - w / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" '
            f'width="{w:.1f}" height="{_HEIGHT:.1f}" rx="{_HEIGHT / 2:.1f}" fill="{_FILL}" stroke="{_EDGE}"/>'
            f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" fill="{_INK}">{plain(self.shown[i])}</text></g>'
        )

    def _arrows(self) -> list[str]:
        groups: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
        for edge in self.picture.edges:
            groups.setdefault((min(edge[:2]), max(edge[:2])), []).append(edge)
        drawn = []
        for (a, b), group in groups.items():
            for i, (source, _, name) in enumerate(group):
                curve = self._loop(a, i) if a == b else self._bend(a, b, i - (len(group) - 1) / 2)
                drawn.append(self._arrow(curve if source == a else curve[::-1], source, group[i][1], name))
        return drawn

    def _loop(self, a: int, i: int) -> list[Point]:
        """A loop at a node, pointing away from the middle of the picture; the i-th one is larger."""
        x, y = self.places[a]
        middle = self.centres.get(a, (x, y))
        dx, dy = x - middle[0], y - middle[1]
        angle = math.atan2(dy, dx) if abs(dy) > 1 else -math.pi / 2
        reach, spread = 66.0 + 30.0 * i, 0.5 + 0.04 * i
        ends = [(angle - spread, reach), (angle + spread, reach)]
        one, two = ((x + r * math.cos(t), y + r * math.sin(t)) for t, r in ends)
        return [(x, y), one, two, (x, y)]

    def _bend(self, a: int, b: int, offset: float) -> list[Point]:
        """A curve from a to b; it bows out where it shares its ends with others or a node is in the way."""
        (x, y), (u, v) = self.places[a], self.places[b]
        length = max(1.0, math.hypot(u - x, v - y))
        normal = ((y - v) / length, (u - x) / length)
        if offset == 0 and any(self._near(c, (x, y), (u, v)) for c in range(len(self.places)) if c not in (a, b)):
            offset = 2.2
        bow = offset * _GAP * 2
        middle = ((x + u) / 2 + normal[0] * bow, (y + v) / 2 + normal[1] * bow)
        thirds = [((p[0] + 2 * middle[0]) / 3, (p[1] + 2 * middle[1]) / 3) for p in ((x, y), (u, v))]
        return [(x, y), *thirds, (u, v)]

    def _near(self, c: int, p: Point, q: Point) -> bool:
        (x, y), (dx, dy) = self.places[c], (q[0] - p[0], q[1] - p[1])
        t = ((x - p[0]) * dx + (y - p[1]) * dy) / (dx * dx + dy * dy or 1.0)
        return 0 < t < 1 and math.hypot(x - p[0] - t * dx, y - p[1] - t * dy) < _HEIGHT * 0.8

    def _inside(self, i: int, p: Point, margin: float) -> bool:
        x, y = self.places[i]
        return abs(p[0] - x) < self.widths[i] / 2 + margin and abs(p[1] - y) < _HEIGHT / 2 + margin

    def _arrow(self, curve: list[Point], source: int, target: int, name: str) -> str:
        steps = [i / 80 for i in range(81)]
        begin = next((t for t in steps if not self._inside(source, _at(curve, t), 1.0)), 0.0)
        end = next((t for t in reversed(steps) if not self._inside(target, _at(curve, t), 3.0)), 1.0)
        part = _cut(curve, min(begin, end), max(begin, end))
        tip, (dx, dy) = part[3], (part[3][0] - part[2][0], part[3][1] - part[2][1])
        size = math.hypot(dx, dy) or 1.0
        dx, dy = dx / size, dy / size
        back = (tip[0] - 9 * dx, tip[1] - 9 * dy)
        head = [tip, (back[0] - 4 * dy, back[1] + 4 * dx), (back[0] + 4 * dy, back[1] - 4 * dx)]
        middle, near, far = _at(part, 0.5), _at(part, 0.45), _at(part, 0.55)
        slope = math.hypot(far[0] - near[0], far[1] - near[1]) or 1.0
        away = ((far[1] - near[1]) / slope, (near[0] - far[0]) / slope)
        bow = (middle[0] - (part[0][0] + tip[0]) / 2, middle[1] - (part[0][1] + tip[1]) / 2)
        if away[0] * bow[0] + away[1] * bow[1] < -0.5:
            away = (-away[0], -away[1])
        shown = _short(name)
        reach = 9.0 + abs(away[0]) * _width(shown) / 2
        x, y = middle[0] + away[0] * reach, middle[1] + away[1] * reach
        self._reach(*(_at(part, t) for t in steps[::8]), (x - _width(shown) / 2, y - 9), (x + _width(shown) / 2, y + 9))
        path = " ".join(f"{p[0]:.1f} {p[1]:.1f}" for p in part[1:])
        points = " ".join(f"{p[0]:.1f},{p[1]:.1f}" for p in head)
        return (
            f"<g><title>{plain(name)}: {plain(self.picture.labels[source])} → {plain(self.picture.labels[target])}</title>"
            f'<path d="M {part[0][0]:.1f} {part[0][1]:.1f} C {path}" fill="none" stroke="{_LINE}" stroke-width="1.3"/>'
            f'<polygon points="{points}" fill="{_LINE}"/><text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" '
            f'fill="{_INK}" stroke="#ffffff" stroke-width="3" paint-order="stroke" font-style="italic">'
            f"{plain(shown)}</text></g>"
        )


def _at(curve: list[Point], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return (
        sum(w * p[0] for w, p in zip(weights, curve, strict=True)),
        sum(w * p[1] for w, p in zip(weights, curve, strict=True)),
    )


def _cut(curve: list[Point], begin: float, end: float) -> list[Point]:
    """The part of a cubic curve between two parameters, after de Casteljau."""

    def blossom(r: float, s: float, t: float) -> Point:
        points = curve
        for u in (r, s, t):
            points = [((1 - u) * p[0] + u * q[0], (1 - u) * p[1] + u * q[1]) for p, q in pairwise(points)]
        return points[0]

    return [blossom(begin, begin, begin), blossom(begin, begin, end), blossom(begin, end, end), blossom(end, end, end)]
