"""Folders of maps against their ground truth."""

import shutil
from dataclasses import replace
from unicodedata import normalize

import cv2
import numpy as np
import pytest
from scored_streams import H, W, frame, stream

from vsodlib.inference.score_folder import score_folder
from vsodlib.metrics import Protocol, compare, region_similarity, saliency_scores, score_frames


def write(folder, frames, suffix=".png", change=lambda image: image):
    for video, name, image in frames:
        path = folder / video / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), change(image))
    return folder


@pytest.fixture
def folders(tmp_path):
    """(predictions, ground truth) of the stream, as PNG."""
    frames = list(stream())
    maps = write(tmp_path / "maps", [(v, n, p) for v, n, p, _ in frames])
    truth = write(tmp_path / "truth", [(v, n, g.astype(np.uint8) * 255) for v, n, _, g in frames])
    return maps, truth


def assert_same(a, b, where=""):
    """Everything measured is equal to rounding, whatever way the maps took."""
    if isinstance(a, dict):
        described = {"protocol", "missing_ends", "conversions", "levels"}
        assert a.keys() - described == b.keys() - described, where
        for key in a.keys() - described:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list) and a and not isinstance(a[0], str):
        a, b = (np.array(values, float) for values in (a, b))  # None becomes nan
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12, err_msg=where)
    elif isinstance(a, float):
        assert a == pytest.approx(b, abs=1e-12), where
    else:
        assert a == b, where


def test_folder_equals_stream(folders):
    maps, truth = folders
    for name in ("davis2016", "davsod", "frames"):
        found = score_folder(maps, gt=truth, protocol=name)
        assert_same(found, score_frames(stream(), name))
    assert score_folder(maps, gt=truth)["protocol"]["name"] == "frames"
    two = score_folder(maps, gt=truth, workers=2)
    assert_same(two, score_frames(stream(), "frames"))


def test_flat_folders_and_jpg(tmp_path):
    frames = [(n, *frame(k)) for k, n in enumerate(("x", "y", "z"))]
    maps = write(tmp_path / "maps", [("", n, p) for n, p, _ in frames], ".jpg")
    truth = write(tmp_path / "gt", [("", n, g.astype(np.uint8) * 255) for n, _, g in frames])
    (maps / "notes.txt").write_text("not an image")
    result = score_folder(maps, gt=truth)
    assert result["per_sequence"].keys() == {"gt"}
    assert result["frames"] == 3
    shutil.copytree(maps, tmp_path / "other")
    assert compare(result, score_folder(tmp_path / "other", gt=truth))["sequences"] == ["gt"]
    exact = score_frames((("gt", n, p, g) for n, p, g in frames), "frames")
    assert result["s_measure"] == pytest.approx(exact["s_measure"], abs=0.01)


def test_maps_of_flat_truth_in_folders(tmp_path):
    """Still images as `evaluate --save-maps` writes them, and maps one folder deeper."""
    pictures = [(n, frame(k)[1].astype(np.uint8) * 255) for k, n in enumerate("xyz")]
    truth = write(tmp_path / "own/masks", [("", n, g) for n, g in pictures])
    write(tmp_path / "own/images", [("", n, np.full((H, W, 3), 90, np.uint8)) for n in "xyz"])
    saved = write(tmp_path / "saved", [(n, n, g) for n, g in pictures])
    deeper = write(tmp_path / "deeper", [("run", n, g) for n, g in pictures])
    parted = write(tmp_path / "parted", [("ab"[n > "x"], n, g) for n, g in pictures])
    for maps in (saved, deeper, parted):
        for where in ({"gt": truth}, {"dataset": f"folder:{tmp_path / 'own'}"}):
            assert score_folder(maps, **where)["J"]["mean"] == 1


def davis_like(root, frames):
    """A DAVIS 2016 tree with the given validation frames."""
    write(
        root / "DAVIS/Annotations/480p", [(v, n, g.astype(np.uint8) * 255) for v, n, _, g in frames]
    )
    lists = root / "DAVIS/ImageSets/480p"
    lists.mkdir(parents=True)
    lines = [f"/JPEGImages/480p/{v}/{n}.jpg /Annotations/480p/{v}/{n}.png" for v, n, _, _ in frames]
    (lists / "val.txt").write_text("\n".join(lines) + "\n")


def test_davis_layout(folders, tmp_path, monkeypatch):
    maps, _ = folders
    davis_like(tmp_path / "data", list(stream()))
    expected = score_frames(stream())
    for root in (tmp_path / "data", tmp_path / "data" / "DAVIS"):
        result = score_folder(maps, "davis2016", root=root)
        assert result["protocol"]["name"] == "davis2016"
        assert_same(result, expected)
    monkeypatch.setenv("VSOD_DATA", str(tmp_path / "data"))
    assert_same(score_folder(maps, "davis2016"), expected)


@pytest.mark.parametrize("lost", [0, -1])
@pytest.mark.parametrize("protocol", ["davis2016", "frames"])
def test_missing_ends(folders, lost, protocol):
    maps, truth = folders
    for video in ("a", "b"):
        sorted((maps / video).iterdir())[lost].unlink()
    with pytest.raises(FileNotFoundError, match="allow-missing-first"):
        score_folder(maps, gt=truth, protocol=protocol)
    result = score_folder(maps, gt=truth, protocol=protocol, allow_missing_first=True)
    if protocol == "davis2016":
        # The ends are not scored anyway: the same frames, the same numbers.
        assert_same(result, score_frames(stream()))
    else:
        assert result["frames"] == 9
    assert result["missing_ends"] == 2


def test_missing_frames_are_all_listed(folders):
    maps, truth = folders
    for name in ("a/00002", "a/00004", "b/00001"):
        (maps / f"{name}.png").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"lacks 3 of 11 .*a/00002, a/00004, b/00001"
    ) as error:
        score_folder(maps, gt=truth, allow_missing_first=True)
    assert "allow-missing-first" not in str(error.value)
    for path in (maps / "b").iterdir():
        path.unlink()
    (maps / "b").rmdir()
    with pytest.raises(FileNotFoundError, match=r"lacks 6 of 11 .*a/00004, all of b"):
        score_folder(maps, gt=truth)
    (maps / "a/00003.png").rename(maps / "a/mine.png")
    with pytest.raises(FileNotFoundError, match=r"\(1 maps have no truth: a/mine\.png\): a/00002"):
        score_folder(maps, gt=truth)


def test_other_names_are_shown(folders, tmp_path):
    _, truth = folders
    named = write(tmp_path / "named", [(v, f"{v}_{n}", p) for v, n, p, _ in stream()])
    assert_same(score_folder(named, gt=truth), score_folder(folders[0], gt=truth))  # by number
    named = write(tmp_path / "other", [(v, chr(97 + int(n)), p) for v, n, p, _ in stream()])
    with pytest.raises(FileNotFoundError, match=r"lacks 11 of 11 .*files like a/a.png"):
        score_folder(named, gt=truth)


def test_accents_pair_however_they_are_written(tmp_path):
    """macOS takes letters apart: é into an e and an accent, Korean syllables into their letters."""
    frames = [("caf\u00e9", n, *frame(k)) for k, n in enumerate("\uac00\uac01\uac02")]
    apart = [(*(normalize("NFD", word) for word in (v, n)), p) for v, n, p, _ in frames]
    truth = [(v, n, g.astype(np.uint8) * 255) for v, n, _, g in frames]
    maps = write(tmp_path / "maps", apart)
    found = score_folder(maps, gt=write(tmp_path / "truth", truth))
    assert_same(found, score_frames(frames, "frames"))


def test_levels_0_and_1_are_masks(folders, tmp_path):
    _, truth = folders
    masks = [(v, n, (p > 127).astype(np.uint8)) for v, n, p, _ in stream()]
    ones = write(tmp_path / "ones", masks)
    full = write(tmp_path / "full", masks, change=lambda m: m * 255)
    a, b = score_folder(ones, gt=truth), score_folder(full, gt=truth)
    assert_same(a, b)
    assert a["conversions"] == {"0/1 levels": 11}
    assert b["conversions"] == {}
    # One brighter mask, and nobody knows what 1 means.
    cv2.imwrite(str(ones / "b" / "00002.png"), masks[-2][2] * 200)
    with pytest.raises(ValueError, match=r"levels 0, 200, but .* levels 0, 1: .*Save all maps of"):
        score_folder(ones, gt=truth)


def test_sixteen_bits_and_equal_channels(folders, tmp_path):
    maps, truth = folders
    frames = [(v, n, p) for v, n, p, _ in stream()]
    deep = write(tmp_path / "deep", frames, change=lambda p: p.astype(np.uint16) * 257)
    result = score_folder(deep, gt=truth)
    assert result["conversions"] == {"16 bit": 11}
    assert result["mae"] == pytest.approx(score_folder(maps, gt=truth)["mae"], abs=1e-6)
    grey = write(tmp_path / "grey", frames, change=lambda p: np.repeat(p[..., None], 3, 2))
    result = score_folder(grey, gt=truth)
    assert result["conversions"] == {"colour channels": 11}
    assert_same(result, score_folder(maps, gt=truth))


def test_indexed_masks(folders, tmp_path):
    from PIL import Image

    _, truth = folders
    for v, n, p, _ in stream():
        path = tmp_path / "indexed" / v / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((p > 127).astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 128, 0, 0])
        image.save(path)
    plain = write(
        tmp_path / "plain", [(v, n, (p > 127) * np.uint8(255)) for v, n, p, _ in stream()]
    )
    result = score_folder(tmp_path / "indexed", gt=truth)
    assert_same(result, score_folder(plain, gt=truth))
    assert result["conversions"] == {"indexed": 11}


def white(image, height, width):
    return (cv2.resize(image, (width, height)) > 127) * np.uint8(255)


def test_sizes_that_differ(folders, tmp_path, capsys):
    _, truth = folders
    frames = [(v, n, p) for v, n, p, _ in stream()]
    small = write(tmp_path / "small", frames, change=lambda p: cv2.resize(p, (W // 2, H // 2)))
    result = score_folder(small, gt=truth)
    assert result["conversions"] == {"resized": 11}
    assert "note: 11 of 11 maps were resized to their ground truth." in capsys.readouterr().err
    turned = write(tmp_path / "turned", frames, change=lambda p: np.ascontiguousarray(p.T))
    with pytest.raises(ValueError, match=r"a/\w+\.png is \(\d+, \d+\) .*turned on its side"):
        score_folder(turned, gt=truth)
    p = cv2.resize(cv2.resize(frame(0)[0], (W // 2, H // 2)), (W, H))
    expected = saliency_scores(p, frame(0)[1]).mae
    assert result["per_sequence"]["a"]["per_frame"]["mae"][0] == pytest.approx(expected)
    masks = write(
        tmp_path / "masks",
        frames,
        change=lambda p: (cv2.resize(p, (W // 2, H // 2)) > 127) * np.uint8(255),
    )
    J = score_folder(masks, gt=truth)["per_sequence"]["a"]["per_frame"]["J"][0]
    mask = (cv2.resize(frame(0)[0], (W // 2, H // 2)) > 127).repeat(2, 0).repeat(2, 1)
    assert region_similarity(mask, frame(0)[1]) == pytest.approx(J)
    larger = write(tmp_path / "larger", frames, change=lambda p: white(p, H + 1, W + 3))
    J = score_folder(larger, gt=truth)["per_sequence"]["a"]["per_frame"]["J"][0]
    mask = white(frame(0)[0], H + 1, W + 3) > 0
    rows, columns = (
        [int((k + 0.5) * n / m) for k in range(m)] for n, m in ((H + 1, H), (W + 3, W))
    )
    assert region_similarity(mask[rows][:, columns], frame(0)[1]) == pytest.approx(J)
    strict = replace(Protocol.preset("frames"), resize=False)
    with pytest.raises(ValueError, match="does not resize"):
        score_folder(small, gt=truth, protocol=strict)


def test_inverted_masks_are_said(folders, capsys, tmp_path):
    maps, truth = folders
    inverse = write(
        tmp_path / "inverse",
        [(v, n, g * np.uint8(255)) for v, n, _, g in stream()],
        change=lambda m: 255 - m,
    )
    for words in ((truth, inverse), (inverse, truth)):
        score_folder(words[0], gt=words[1])
        assert "(MAE 1.00): is one of them inverted?" in capsys.readouterr().err
    score_folder(maps, gt=truth)
    assert "inverted" not in capsys.readouterr().err


def test_grey_ground_truth_is_thresholded(folders, tmp_path):
    maps, _ = folders
    frames = [(v, n, p) for v, n, p, _ in stream()]
    soft = write(tmp_path / "soft", frames)
    hard = write(tmp_path / "hard", frames, change=lambda p: (p > 127) * np.uint8(255))
    assert_same(score_folder(maps, gt=soft), score_folder(maps, gt=hard))
    declared = score_folder(maps, gt=soft, foreground=20)
    assert declared["mae"] > score_folder(maps, gt=soft)["mae"]
    assert declared["levels"] == {"truth": "object above 20", "maps": "levels of grey"}
    ones = write(tmp_path / "ones", frames, change=lambda p: (p > 127).astype(np.uint8))
    assert_same(score_folder(maps, gt=ones), score_folder(maps, gt=hard))


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.dstack([np.zeros((H, W)), np.ones((H, W)), np.ones((H, W)) * 9]), "colour image"),
        (np.dstack([np.zeros((H, W, 3)), np.eye(H, W) * 255]), "transparent"),
        (None, "is not a picture"),
    ],
)
def test_bad_images(folders, image, sentence):
    maps, truth = folders
    path = maps / "a" / "00003.png"
    if image is None:
        path.write_bytes(b"not a PNG")
    else:
        cv2.imwrite(str(path), image.astype(np.uint8))
    with pytest.raises(ValueError, match=rf"00003.png .*{sentence}"):
        score_folder(maps, gt=truth)


def test_bad_folders(folders, tmp_path, monkeypatch):
    maps, truth = folders
    with pytest.raises(ValueError, match="either"):
        score_folder(maps)
    with pytest.raises(ValueError, match="either"):
        score_folder(maps, "davis2016", gt=truth)
    with pytest.raises(ValueError, match="no data set 'davis'"):
        score_folder(maps, "davis")
    with pytest.raises(FileNotFoundError, match="no folder"):
        score_folder(tmp_path / "nowhere", gt=truth)
    with pytest.raises(FileNotFoundError, match="ground-truth folder"):
        score_folder(maps, gt=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no pictures in .*empty"):
        score_folder(maps, gt=tmp_path / "empty")
    monkeypatch.delenv("VSOD_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="VSOD_DATA"):
        score_folder(maps, "davis2016")
    (tmp_path / "data/DAVIS/Annotations").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="DAVIS holds no masks of davis2016"):
        score_folder(maps, "davis2016")
    davis_like(tmp_path / "other", list(stream()))
    (tmp_path / "other/DAVIS/Annotations/480p/a/00003.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 masks of davis2016 are missing: .*00003"):
        score_folder(maps, "davis2016", root=tmp_path / "other")


def test_frames_are_ordered_by_their_numbers(tmp_path):
    frames = [("v", f"frame{k}", *frame(k)) for k in range(12)]  # frame10 sorts before frame2
    maps = write(tmp_path / "maps", [(v, n, p) for v, n, p, _ in frames])
    truth = write(tmp_path / "gt", [(v, n, g.astype(np.uint8) * 255) for v, n, _, g in frames])
    result = score_folder(maps, gt=truth, protocol="davis2016")
    assert_same(result, score_frames(frames))
    assert result["per_sequence"]["v"]["per_frame"]["name"] == [f"frame{k}" for k in range(1, 11)]


def test_images_beside_the_masks_and_hidden_files(folders):
    """Photographs as JPG beside masks as PNG, and what macOS leaves behind."""
    maps, truth = folders
    expected = score_folder(maps, gt=truth)
    for folder in (maps, truth):
        for path in list(folder.glob("*/*.png")):
            cv2.imwrite(str(path.with_suffix(".jpg")), np.full((H, W, 3), (9, 90, 200), np.uint8))
            path.with_name(f"._{path.name}").write_bytes(b"not an image")
    assert_same(score_folder(maps, gt=truth), expected)


def test_two_maps_of_one_frame_are_refused(folders):
    maps, truth = folders
    cv2.imwrite(str(maps / "a/00003.bmp"), np.zeros((H, W), np.uint8))
    with pytest.raises(ValueError, match=r"a/00003\.bmp and .*a/00003\.png are both maps"):
        score_folder(maps, gt=truth)


def test_pictures_side_by_side_are_no_video(tmp_path):
    """In one folder, or of several sizes: nothing is compared with the picture before."""
    sizes = {"x": (20, 30), "y": (30, 20), "z": (30, 20)}
    truth = [("", n, cv2.resize(frame(0)[1].astype(np.uint8) * 255, s)) for n, s in sizes.items()]
    maps = [("", n, cv2.resize(frame(0)[0], s)) for n, s in sizes.items()]
    folders = write(tmp_path / "maps", maps), write(tmp_path / "gt", truth)
    result = score_folder(folders[0], gt=folders[1], measures="all")
    assert not {"T", "consistency"} & (result.keys() | set(result["measures"]))
    assert 0 < result["weighted_f"] <= 1
    assert result["frames"] == 3
    assert all(j > 0.5 for j in result["per_sequence"]["gt"]["per_frame"]["J"])
    # Intervals are over the pictures then.
    assert (result["intervals"]["over"], result["intervals"]["units"]) == ("pictures", 3)
    for key in ("max_f", "max_e", "mae", "s_measure"):
        low, high = result["intervals"][key]
        assert low <= result[key] <= high
    assert result["intervals"]["J"].keys() == {"mean", "recall"}
    for asked in ("T", ["J", "consistency"]):
        with pytest.raises(ValueError, match="every video into a folder of its own"):
            score_folder(folders[0], gt=folders[1], measures=asked)
    video = [("v", n, p, g > 0) for (_, n, p), (_, _, g) in zip(maps, truth, strict=True)]
    per_frame = score_frames(video, "frames", "all")["per_sequence"]["v"]["per_frame"]
    assert [x is None for x in per_frame["T"]] == [True, True, False]
    assert [x is None for x in per_frame["consistency"]] == [True, True, False]


@pytest.mark.parametrize("high", [1, 255, 65535])
def test_sixteen_bit_ground_truth(folders, tmp_path, high):
    maps, truth = folders
    deep = write(
        tmp_path / "deep",
        [(v, n, g.astype(np.uint16) * high) for v, n, _, g in stream()],
    )
    assert_same(score_folder(maps, gt=deep), score_folder(maps, gt=truth))


@pytest.mark.parametrize("high", [1, 255, 65535])
def test_masks_in_sixteen_bits(folders, tmp_path, high):
    _, truth = folders
    frames = [(v, n, g.astype(np.uint16) * high) for v, n, _, g in stream()]
    result = score_folder(write(tmp_path / "deep", frames), gt=truth)
    assert (result["J"]["mean"], result["max_f"], result["mae"]) == (1, 1, 0)


def test_a_grey_palette_holds_levels(folders, tmp_path):
    from PIL import Image

    maps, truth = folders
    for v, n, p, _ in stream():
        path = tmp_path / "indexed" / v / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(255 - p).convert("P")
        image.putpalette([255 - level for level in range(256) for _ in range(3)])
        image.save(path)
    assert Image.open(path).mode == "P"
    assert_same(score_folder(tmp_path / "indexed", gt=truth), score_folder(maps, gt=truth))


def test_how_masks_were_read_is_told_and_said(folders, tmp_path, capsys):
    maps, truth = folders
    soft = write(tmp_path / "soft", [(v, n, p) for v, n, p, _ in stream()])
    assert score_folder(maps, gt=truth)["levels"] == {"truth": "0/255", "maps": "levels of grey"}
    assert "note" not in capsys.readouterr().err
    assert score_folder(maps, gt=soft)["levels"]["truth"] == "grey, object above 127"
    assert f"note: masks of {soft}: grey, object above 127." in capsys.readouterr().err


def test_ground_truth_inside_named_folders(folders, tmp_path):
    maps, truth = folders
    nested = tmp_path / "nested"
    for video in ("a", "b"):
        (nested / video).mkdir(parents=True)
        (truth / video).rename(nested / video / "ground-truth")
    assert_same(score_folder(maps, gt=nested), score_frames(stream(), "frames"))


def test_empty_image_file_is_named(tmp_path):
    for name in ("maps", "truth"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), np.eye(8, dtype=np.uint8) * 255)
    (tmp_path / "maps" / "0.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"maps/0\.png is empty"):
        score_folder(tmp_path / "maps", gt=tmp_path / "truth")


def test_list_of_sequences_in_another_form_is_named(tmp_path):
    (tmp_path / "Annotations").mkdir()
    listing = tmp_path / "ImageSets" / "480p" / "val.txt"
    listing.parent.mkdir(parents=True)
    listing.write_text("blackswan\n")
    with pytest.raises(ValueError, match=r"val\.txt names 'blackswan', which has no frames there"):
        score_folder(tmp_path, "davis2016", root=tmp_path)


def test_frames_without_a_mask_are_named(tmp_path, capsys):
    for name in ("1", "2"):
        write(tmp_path / "MSRA10K", [("Imgs", name, np.zeros((H, W, 3), np.uint8))], ".jpg")
        write(tmp_path, [("maps", name, np.eye(H, W, dtype=np.uint8) * 255)])
    write(tmp_path / "MSRA10K", [("Imgs", "1", np.eye(H, W, dtype=np.uint8) * 255)])
    assert score_folder(tmp_path / "maps", "msra10k", root=tmp_path)["frames"] == 1
    said = "1 of 2 frames of msra10k have no mask and are not scored: Imgs/2.jpg"
    assert said in capsys.readouterr().err


def moving(folder, numbers, frames=None):
    """A square that moves by half of itself a frame."""
    masks = {k: np.zeros((H, 90), np.uint8) for k in range(12)}
    for k, mask in masks.items():
        mask[8:20, 6 * k : 6 * k + 12] = 255
    frames = frames or numbers
    return write(
        folder, [("v", f"{n:02d}", masks[k]) for n, k in zip(numbers, frames, strict=True)]
    )


@pytest.mark.parametrize(
    ("truth", "truth_frames", "maps", "map_frames"),
    [
        (range(1, 13), range(12), range(1, 12), range(1, 12)),  # from 0, and the first is lacking
        (range(12), range(12), range(1, 12), range(11)),  # from 1, and the last is lacking
        ((3, 6, 9), (3, 6, 9), range(1, 13), range(12)),  # few are annotated
        (range(4), (0, 3, 6, 9), range(12), range(12)),  # and numbered anew
    ],
)
def test_shifts_that_numbers_hide_are_seen(truth, truth_frames, maps, map_frames, tmp_path):
    truth = moving(tmp_path / "gt", truth, truth_frames)
    found = moving(tmp_path / "maps", maps, map_frames)
    for accept in (False, True):
        with pytest.raises(ValueError, match=r"steps of . they overlap by 1.00, by number 0"):
            score_folder(found, gt=truth, allow_missing_first=accept)


def test_poor_maps_beside_others_are_not_called_shifted(tmp_path):
    truth = moving(tmp_path / "gt", (3, 6, 9))
    random = np.random.default_rng(0)
    noise = [("v", f"{k:02d}", random.integers(0, 2, (H, 90)) * 255) for k in range(12)]
    assert score_folder(write(tmp_path / "maps", noise), gt=truth)["frames"] == 3


@pytest.mark.parametrize("name", ["{}", "frame_{}", "{}a"])
def test_zeros_before_numbers_make_no_other_name(name, tmp_path):
    frames = [(k, frame(k)[1].astype(np.uint8) * 255) for k in (8, 9, 10, 11)]
    short = write(tmp_path / "short", [("v", name.format(k), g) for k, g in frames])
    long = write(tmp_path / "long", [("v", name.format(f"{k:02d}"), g) for k, g in frames])
    for maps, truth in ((short, long), (long, short)):
        result = score_folder(maps, gt=truth)
        assert (result["frames"], result["J"]["mean"]) == (4, 1)


def test_words_of_names_must_agree_where_they_differ(tmp_path):
    frames = [("cat", 1, *frame(1)), ("dog", 2, *frame(2)), ("fox", 3, *frame(3))]
    truth = write(tmp_path / "gt", [("", f"{w}_{k}", g * np.uint8(255)) for w, k, _, g in frames])
    maps = write(
        tmp_path / "maps", [("", f"{w}_{k}_sal", g * np.uint8(255)) for w, k, _, g in frames]
    )
    assert score_folder(maps, gt=truth)["J"]["mean"] == 1
    others = [
        ("", f"{w}_{k}", p)
        for (w, *_), (_, k, p, _) in zip(frames[1:] + frames[:1], frames, strict=True)
    ]
    with pytest.raises(FileNotFoundError, match=r"lacks 3 of 3 frames .*: cat_1, dog_2, fox_3"):
        score_folder(write(tmp_path / "others", others), gt=truth)


def test_videos_in_folders_of_videos(tmp_path):
    frames = [
        (v, f"{k}", frame(k)[1] * np.uint8(255)) for v in ("bear", "hard/bear") for k in (1, 2)
    ]
    write(tmp_path / "maps/run", frames)
    result = score_folder(tmp_path / "maps", gt=write(tmp_path / "gt", frames))
    assert (result["J"]["mean"], result["frames"]) == (1, 4)
