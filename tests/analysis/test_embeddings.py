"""Region features of a data set, and the numbers that say how well the two sides are separated."""

import copy
import json
import math
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score

from vsodlib import VSODNet, provenance
from vsodlib.analysis.embeddings import Embeddings, load, region_embeddings, save, separation
from vsodlib.cli.main import main
from vsodlib.data import FrameDataset, FrameRecord, synthetic_dataset
from vsodlib.data.dataset import HeldFrames
from vsodlib.data.synthetic import make_synthetic
from vsodlib.model import checkpoint


@pytest.fixture
def net(tiny_config):
    torch.manual_seed(0)
    return VSODNet(tiny_config).eval()


def random_embeddings(rng, videos=3, frames=4, missing=()):
    """Foreground and background of every frame, but for those (video, frame, side) missing."""
    places = [(v, t, s) for v in range(videos) for t in range(frames) for s in (True, False)]
    places = [place for place in places if place not in missing]
    vectors = rng.standard_normal((len(places), 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    video, frame, side = zip(*places, strict=True)
    names = np.array([f"video{v}" for v in video]), np.array([f"{t:05d}" for t in frame])
    return Embeddings(vectors, np.array(side), *names)


def flat(degrees, is_foreground, video, frame):
    """Regions on the unit circle."""
    angle = np.deg2rad(degrees)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    return Embeddings(vectors, np.array(is_foreground), np.array(video), np.array(frame))


def naive_separation(e):
    """Every number of `Separation` with loops over regions."""
    R = len(e)

    def distance(i, j):
        return 1 - sum(float(a) * float(b) for a, b in zip(e.vectors[i], e.vectors[j], strict=True))

    def silhouette(scope):
        values = []
        for i in range(R):
            same = [
                distance(i, j)
                for j in range(R)
                if j != i and scope(i, j) and e.is_foreground[j] == e.is_foreground[i]
            ]
            other = [
                distance(i, j)
                for j in range(R)
                if scope(i, j) and e.is_foreground[j] != e.is_foreground[i]
            ]
            if other:
                a, b = np.mean(same) if same else 0, np.mean(other)
                values.append((b - a) / max(a, b) if same else 0)
        return np.mean(values)

    def purity(allowed):
        hits = []
        for i in range(R):
            candidates = [(distance(i, j), j) for j in range(R) if allowed(i, j)]
            if e.is_foreground[i] and candidates:
                hits.append(e.is_foreground[min(candidates)[1]])
        return np.mean(hits) if hits else math.nan

    def same_video(i, j):
        return e.video[i] == e.video[j]

    def same_frame(i, j):
        return same_video(i, j) and e.frame[i] == e.frame[j]

    pull, push = [], []
    for i in range(R):
        for j in range(R):
            if e.is_foreground[i] and same_video(i, j):
                if not e.is_foreground[j]:
                    push.append(distance(i, j))
                elif not same_frame(i, j):
                    pull.append(distance(i, j))
    return (
        silhouette(lambda i, j: True),
        silhouette(same_video),
        np.mean(pull) / np.mean(push),
        purity(lambda i, j: not same_frame(i, j)),
        purity(lambda i, j: same_video(i, j) and not same_frame(i, j)),
        purity(lambda i, j: not same_video(i, j)),
    )


@pytest.mark.parametrize(
    "missing", [(), [(0, 1, True), (1, 2, False)], [(2, t, True) for t in range(4)]]
)
def test_separation_as_with_loops(missing):
    e = random_embeddings(np.random.default_rng(0), missing=missing)
    np.testing.assert_allclose(astuple(separation(e)), naive_separation(e), rtol=1e-5)


def test_the_global_silhouette_is_scikit_learns():
    e = random_embeddings(np.random.default_rng(1))
    theirs = silhouette_score(e.vectors, e.is_foreground, metric="cosine")
    assert separation(e).silhouette == pytest.approx(theirs, abs=1e-5)


def test_separation_by_hand():
    """Foregrounds at 0 and 60 degrees (distance 1/2), backgrounds at 180 and 120."""
    e = flat([0, 180, 60, 120], [True, False, True, False], ["a"] * 4, ["0", "0", "1", "1"])
    found = separation(e)
    # From 0: 2 and 3/2. From 60: 3/2 and 1/2. Their mean is 11/8; the ratio (1/2) / (11/8).
    assert found.distance_ratio == pytest.approx(4 / 11, abs=1e-6)
    # Foreground 0: a 1/2, b 7/4; foreground 60: a 1/2, b 1. The backgrounds mirror them.
    expected = ((7 / 4 - 1 / 2) / (7 / 4) + (1 - 1 / 2) / 1) / 2
    assert found.silhouette == pytest.approx(expected, abs=1e-6)
    assert found.silhouette_in_video == found.silhouette
    assert separation(replace(e, is_foreground=e.is_foreground.astype(int))).purity == 1
    # 120 is as near to 60 as 0 is, but in its own frame, and so it does not count.
    assert found.purity == found.purity_in_video == 1
    assert math.isnan(found.purity_across)


def test_a_background_next_to_a_foreground_costs_purity():
    degrees = [0, 170, 40, 30, 5, 180]  # the background at 30 is next to the foregrounds
    sides = [True, False, True, False, True, False]
    e = flat(degrees, sides, ["a", "a", "a", "a", "b", "b"], list("001100"))
    found = separation(e)
    # 0 -> 5 (b, foreground); 40 -> 5; 5 -> 0. Within a: 0 -> 30 (background), 40 -> 0.
    assert (found.purity, found.purity_in_video, found.purity_across) == (1, 0.5, 1)
    moved = flat([*degrees[:4], 35, 180], sides, e.video, e.frame)
    # 35 lies 5 degrees from the foreground at 40 and as far from the background at 30.
    assert separation(moved).purity_in_video == 0.5
    swapped = flat([*degrees[:4], 32, 180], sides, e.video, e.frame)
    # 0 -> 30; 40 -> 32 (b); 32 -> 30: one foreground of three has one for its neighbour.
    assert separation(swapped).purity == pytest.approx(1 / 3)


def test_separation_needs_something_to_compare():
    one_frame = flat([0, 90], [True, False], ["a", "a"], ["0", "0"])
    no_background = flat([0, 90], [True, True], ["a", "a"], ["0", "1"])
    for e in (one_frame, no_background):
        with pytest.raises(ValueError, match="2 regions, but no video has foregrounds"):
            separation(e)


def test_region_embeddings_as_frame_by_frame(net):
    dataset = synthetic_dataset("val", videos=2, frames=5, height=32, width=48)
    found = region_embeddings(net, dataset, every=2, batch_size=2)
    expected = []
    for video, indices in dataset.videos.items():
        for i in (indices[0], indices[2], indices[4]):
            image = dataset.image(i) / 255
            with torch.no_grad():
                output = net(torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32))
            features = output.features[0].numpy()
            C, h, w = features.shape
            share = np.zeros((h, w))
            mask = dataset.mask(i)
            for y in range(32):
                for x in range(48):
                    share[y * h // 32, x * w // 48] += mask[y, x] * h * w / (32 * 48)
            for is_foreground, weight in ((True, share), (False, 1 - share)):
                pooled = [(features[c] * weight).sum() / weight.sum() for c in range(C)]
                vector = np.array(pooled) / np.linalg.norm(pooled)
                expected.append((vector, is_foreground, video, dataset.records[i].frame))
    assert len(found) == len(expected) == 12
    np.testing.assert_allclose(found.vectors, [row[0] for row in expected], atol=1e-5)
    for k, column in enumerate((found.is_foreground, found.video, found.frame), 1):
        assert column.tolist() == [row[k] for row in expected]


def test_progress_is_shown_when_asked_for(net, capsys):
    dataset = synthetic_dataset("val", 1, 2, 32, 48)
    region_embeddings(net, dataset)
    assert capsys.readouterr().err == ""
    region_embeddings(net, dataset, progress=True)
    assert "0/1" in capsys.readouterr().err


def test_region_embeddings_resizes_and_leaves_out_what_has_no_side(net):
    """Frame 0 has no mask, frame 1 an empty one, frame 2 a full one, frame 3 both sides."""
    rng = np.random.default_rng(0)
    images = {str(t): rng.integers(0, 256, (24, 40, 3), np.uint8) for t in range(4)}
    masks = {"1": np.zeros((24, 40), bool), "2": np.ones((24, 40), bool)}
    masks["3"] = np.arange(40) < np.full((24, 1), 20)
    records = [FrameRecord("v", f"{t}", f"{t}", f"{t}" if t else None) for t in range(4)]
    dataset = FrameDataset("made", records, HeldFrames(images, masks))
    found = region_embeddings(net, dataset, height=32)
    assert list(zip(found.frame, found.is_foreground, strict=True)) == [
        ("1", False),
        ("2", True),
        ("3", True),
        ("3", False),
    ]
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    net.input_height = 32
    np.testing.assert_array_equal(region_embeddings(net, dataset).vectors, found.vectors)
    net.input_height = 64
    assert not np.allclose(region_embeddings(net, dataset).vectors, found.vectors, atol=1e-3)


@pytest.mark.parametrize("options", [{"every": 0}, {"batch_size": 0}, {"height": 0}])
def test_region_embeddings_refuses(net, options):
    dataset = synthetic_dataset("val", videos=1, frames=2, height=32, width=48)
    with pytest.raises(ValueError, match="at least 1, got"):
        region_embeddings(net, dataset, **options)
    with pytest.raises(ValueError, match="in training mode"):
        region_embeddings(copy.deepcopy(net).train(), dataset)


def test_pick():
    e = random_embeddings(np.random.default_rng(2), videos=2)
    kept = e.pick(e.video == "video1")
    assert len(kept) == 8 and set(kept.video) == {"video1"}
    np.testing.assert_array_equal(kept.vectors, e.vectors[8:])
    assert e.pick(np.array([3])).frame.tolist() == ["00001"]


def test_save_and_load(tmp_path):
    e = random_embeddings(np.random.default_rng(3))
    path = save(e, tmp_path / "deep" / "some.net", {"commit": "abc"})
    assert path.suffix == ".npz" and path.is_file()
    found, record = load(path)
    assert record == {"commit": "abc"}
    np.testing.assert_allclose(found.vectors, e.vectors, atol=1e-3)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert found.vectors.dtype == np.float32
    for name in ("is_foreground", "video", "frame"):
        np.testing.assert_array_equal(getattr(found, name), getattr(e, name))
    with np.load(path) as stored:
        assert stored["vectors"].dtype == np.float16


def test_load_names_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.json"):
        load(tmp_path / "nothing.npz")
    path = save(random_embeddings(np.random.default_rng(4)), tmp_path / "e.npz", {})
    np.savez(path, vectors=np.ones((2, 3)))
    with pytest.raises(ValueError, match="does not hold embeddings"):
        load(path)
    for content in (b"no archive", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="does not hold embeddings"):
            load(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"e\.npz"):
        load(path)


def test_vsod_embed(tmp_path, tiny_config, capsys):
    root = make_synthetic(tmp_path / "data", 4, 4, 48, 80, 0)
    torch.manual_seed(0)
    weights = VSODNet(tiny_config).state_dict()
    checkpoint.write(
        tmp_path / "net", weights, {"model": tiny_config.to_dict(), "input_height": 32}
    )
    out = tmp_path / "made" / "tiny.npz"
    words = ["--checkpoint", str(tmp_path / "net"), "--data", str(root)]
    assert main(["embed", *words, "--every", "3", "--device", "cpu", "--out", str(out)]) == 0
    found, record = load(out)
    assert len(found) == record["regions"] and set(found.frame) == {"00000", "00003"}
    assert record["weights_sha256"] == checkpoint.fingerprint(tmp_path / "net")
    assert (record["dataset"], record["height"], record["every"]) == ("davis2016", 32, 3)
    assert record["split"] == "val" and len(set(found.video)) == 1
    assert record["separation"]["purity_across"] is None
    assert record["checkpoint"] == "net" and record["commit"] == provenance.commit()
    said = capsys.readouterr().out
    assert f"silhouette           {record['separation']['silhouette']:.4f}" in said
    assert json.loads(out.with_suffix(".json").read_text()) == record
    assert main(["embed", *words, "--every", "0", "--out", str(out)]) == 2
    assert "--every: give a whole number from 1 on" in capsys.readouterr().err
    words += ["--every", "9", "--device", "cpu", "--out", str(tmp_path / "one.v2")]
    assert main(["embed", *words]) == 0  # of one frame a video: nothing to compare, but features
    assert "nothing can be compared" in capsys.readouterr().err
    assert load(tmp_path / "one.v2")[1]["separation"] == {}


def test_frames_that_differ_in_size_are_named(net):
    images = {str(t): np.zeros((24, 40 + 8 * t, 3), np.uint8) for t in range(2)}
    masks = {name: image[..., 0] < 1 for name, image in images.items()}
    records = [FrameRecord("v", name, name, name) for name in images]
    with pytest.raises(
        ValueError, match="made: frame 1 of v is 48x24, others of this video are 40x24"
    ):
        region_embeddings(net, FrameDataset("made", records, HeldFrames(images, masks)), 32)
