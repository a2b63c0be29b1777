"""Five embeddings on the unit circle: an anchor, two positives, two negatives."""

import numpy as np

POSITIVES = np.array([False, True, True, False, False])
NEGATIVES = np.array([False, False, False, True, True])


def on_circle(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


POINTS = on_circle(0, 30, 120, 60, 180)
