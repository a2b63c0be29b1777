"""The measures of vsodlib.metrics once more, pixel by pixel, as their papers write them.

Slow and plain on purpose: the tests hold the library against these loops.
"""

import math

import numpy as np

EPS = np.spacing(1.0)


def mae(p, g):
    H, W = p.shape
    return sum(abs(float(p[y, x]) - float(g[y, x])) for y in range(H) for x in range(W)) / (H * W)


def counts_at(p, g, threshold):
    """(false alarms, hits) of p >= threshold."""
    H, W = p.shape
    false = hits = 0
    for y in range(H):
        for x in range(W):
            if p[y, x] >= threshold:
                hits += bool(g[y, x])
                false += not g[y, x]
    return false, hits


def f_at(p, g, threshold, beta_squared=0.3):
    """(precision, recall, F) of one threshold."""
    false, hits = counts_at(p, g, threshold)
    if hits == 0:
        return 0.0, 0.0, 0.0
    precision, recall = hits / (false + hits), hits / int(g.sum())
    f = (1 + beta_squared) * precision * recall / (beta_squared * precision + recall)
    return precision, recall, f


def e_at(p, g, threshold):
    """E of one threshold, with the whole enhanced alignment matrix."""
    H, W = p.shape
    divisor = max(H * W - 1, 1)
    mask = p >= threshold
    if not g.any():
        return float((~mask).sum()) / divisor
    if g.all():
        return float(mask.sum()) / divisor
    mean_mask, mean_g = mask.mean(), g.mean()
    total = 0.0
    for y in range(H):
        for x in range(W):
            a, b = float(mask[y, x]) - mean_mask, float(g[y, x]) - mean_g
            alignment = 2 * a * b / (a * a + b * b + EPS)
            total += (1 + alignment) ** 2 / 4
    return total / divisor


def s_measure(p, g, alpha=0.5, half_up=False):
    if not g.any():
        return 1 - float(p.mean())
    if g.all():
        return float(p.mean())
    share = g.mean()
    objects = share * s_object([float(v) for v in p[g]])
    objects += (1 - share) * s_object([1 - float(v) for v in p[~g]])
    H, W = p.shape
    ys, xs = np.nonzero(g)
    cy, cx = ys.mean(), xs.mean()
    y, x = (math.floor(c + 0.5) if half_up else round(float(c)) for c in (cy, cx))
    y, x = y + 1, x + 1
    regions = 0.0
    for part in (np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]):
        if p[part].size:
            regions += p[part].size / (H * W) * ssim(p[part], g[part])
    return max(0.0, alpha * objects + (1 - alpha) * regions)


def s_object(values):
    mean = sum(values) / len(values)
    spread = 0.0
    if len(values) > 1:
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return 2 * mean / (mean**2 + 1 + spread + EPS)


def ssim(p, g):
    ps, gs = [float(v) for v in p.ravel()], [float(v) for v in g.ravel()]
    n = len(ps)
    x, y = sum(ps) / n, sum(gs) / n
    if len(set(ps)) == 1:
        x = ps[0]
    var_x = sum((v - x) ** 2 for v in ps) / (n - 1 + EPS)
    var_y = sum((v - y) ** 2 for v in gs) / (n - 1 + EPS)
    covariance = sum((v - x) * (w - y) for v, w in zip(ps, gs, strict=True)) / (n - 1 + EPS)
    numerator, denominator = 4 * x * y * covariance, (x * x + y * y) * (var_x + var_y)
    if numerator != 0:
        return numerator / (denominator + EPS)
    return 1.0 if denominator == 0 else 0.0


def weighted_f(p, g, beta_squared=1.0):
    """For ground truths in which every background pixel has one nearest object pixel."""
    if not g.any():
        return 0.0
    H, W = p.shape
    objects = list(zip(*np.nonzero(g), strict=True))

    def nearest(y, x):
        return min(objects, key=lambda o: (o[0] - y) ** 2 + (o[1] - x) ** 2)

    error = np.abs(p - g)
    spread = error.copy()
    for y in range(H):
        for x in range(W):
            if not g[y, x]:
                spread[y, x] = error[nearest(y, x)]
    kernel = np.array(
        [[math.exp(-(a * a + b * b) / 50) for a in range(-3, 4)] for b in range(-3, 4)]
    )
    kernel /= kernel.sum()
    false = hits = missed = 0.0
    for y in range(H):
        for x in range(W):
            if g[y, x]:
                mean = 0.0
                for b in range(-3, 4):
                    for a in range(-3, 4):
                        if 0 <= y + b < H and 0 <= x + a < W:
                            mean += kernel[b + 3, a + 3] * spread[y + b, x + a]
                missed += min(error[y, x], mean)
                hits += 1 - min(error[y, x], mean)
            else:
                oy, ox = nearest(y, x)
                distance = math.hypot(oy - y, ox - x)
                false += error[y, x] * (2 - 0.5 ** (distance / 5))
    recall = 1 - missed / len(objects)
    precision = hits / (hits + false + EPS)
    return (1 + beta_squared) * recall * precision / (recall + beta_squared * precision + EPS)


def jaccard(p, g):
    both = either = 0
    for a, b in zip(p.ravel(), g.ravel(), strict=True):
        both += bool(a) and bool(b)
        either += bool(a) or bool(b)
    return both / either if either else 1.0


def contour(mask):
    """Pixels that differ from their right, lower or lower-right neighbour (edges repeated)."""
    H, W = mask.shape
    found = []
    for y in range(H):
        for x in range(W):
            b, a = min(y + 1, H - 1), min(x + 1, W - 1)
            if len({bool(mask[y, x]), bool(mask[b, x]), bool(mask[y, a]), bool(mask[b, a])}) > 1:
                found.append((y, x))
    return found


def contour_f(p, g, tolerance=0.008):
    radius = math.ceil(tolerance * math.hypot(*p.shape))
    ps, gs = contour(p), contour(g)
    if not ps and not gs:
        return 1.0
    if not ps or not gs:
        return 0.0

    def matched(some, others):
        return sum(
            any((y - b) ** 2 + (x - a) ** 2 <= radius**2 for b, a in others) for y, x in some
        ) / len(some)

    precision, recall = matched(ps, gs), matched(gs, ps)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def decay(values):
    """First quarter minus last; quarters share their edge frames (MATLAB's round and ranges)."""
    n = len(values)
    edges = [math.floor(1 + k * (n - 1) / 4 + 0.5) for k in range(5)]

    def quarter(k):
        part = [values[i - 1] for i in range(edges[k], edges[k + 1] + 1)]
        return sum(part) / len(part)

    return quarter(0) - quarter(3)


def shape_contexts(points):
    n = len(points)
    distances = [[math.dist(a, b) for b in points] for a in points]
    mean = sum(map(sum, distances)) / n**2
    radii = [1 / 8, 1 / 4, 1 / 2, 1, 2]
    out = np.zeros((n, 60))
    for i in range(n):
        for j in range(n):
            inside = [distances[i][j] / mean < r for r in radii]
            if any(inside):
                dy, dx = points[j][0] - points[i][0], points[j][1] - points[i][1]
                angle = math.atan2(dx, dy) % (2 * math.pi)
                sector = int(angle / (2 * math.pi / 12)) % 12
                out[i, 12 * (sum(inside) - 1) + sector] += 1
    return out / out.sum(1, keepdims=True)


def chi_squared(a, b):
    return sum(0.5 * (x - y) ** 2 / (x + y) for x, y in zip(a, b, strict=True) if x + y > 0)


def warping_price(cost):
    """The price of the cheapest path from the first to the last cell, the first one free."""
    n, m = cost.shape
    price = {(0, 0): 0.0}
    for i in range(n):
        for j in range(m):
            if i or j:
                before = [price.get(c, math.inf) for c in ((i - 1, j), (i, j - 1), (i - 1, j - 1))]
                price[i, j] = min(before) + cost[i, j]
    return price[n - 1, m - 1]


def douglas_peucker(points, tolerance):
    """The classic stack, one point at a time; points that tie go to the last."""
    keys, stack = {0, len(points) - 1}, [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        farthest, index = 0.0, 0
        for k in range(first + 1, last):
            distance = segment_distance(points[first], points[last], points[k])
            if distance >= farthest:
                farthest, index = distance, k
        if index and farthest > tolerance**2:
            keys.add(index)
            stack += [(first, index), (index, last)]
    return points[sorted(keys)]


def segment_distance(a, b, p):
    v, w = b - a, p - a
    along, size = float(w @ v), float(v @ v)
    if along <= 0:
        foot = a
    elif size <= along:
        foot = b
    else:
        foot = a + float(np.float32(along) / np.float32(size)) * v
    return float((p - foot) @ (p - foot))
