"""The model card of a published checkpoint: what its JSON says, for people to read."""

from collections.abc import Iterator
from typing import Any

from vsodlib.config import ModelConfig, number
from vsodlib.data.download import SOURCES
from vsodlib.notes import one_line

_CARD = """# {name}

A network of vsodlib that finds the salient object in frames of a video, after *Video Salient Object
Detection via Contrastive Features and Attention Modules* (Chen, Jin, Shen, Yang; WACV 2022). This
page is written by `vsod publish` from `{name}.json`, which says more.

    from vsodlib import VSODNet, demo_clips, predict_maps

    net = VSODNet.from_pretrained("{name}")
    maps = predict_maps(net, demo_clips()["fish"].frames)

## Scores

{dataset} {split}, {frames} frames, protocol `{protocol}`, {height} rows{flip}.

| J mean | J recall | F mean | F recall | T | max F | S | MAE |
|---|---|---|---|---|---|---|---|
| {scores} |

## Network

`{backbone}`, output stride {stride}, {channels} channels; with {present}{absent}.

## Training

{stages}

## Limits

- Other sets that it was scored on, and how it stands beside other networks: `README.md`.
- Trained on frames that show a salient object; what it makes of others was not measured.
- {frames_seen}
- Matrices and filters are stored in half precision.
- How the stages were chosen, and what was looked at on the way: `results/README.md`.

## Licence

The code is MIT. The weights were made from data under licences of their own, which bind whoever
uses them:

{licences}
"""

_STAGES = """| stage | data | steps | batch | window | contrastive weight | commit | device |
|---|---|---|---|---|---|---|---|
{rows}

Each stage began with the weights of the one before, or with a mean of such weights."""

_MODULES = {
    "self_attention": "self-attention (Eq. 4, 5)",
    "co_attention": "co-attention (Eq. 6)",
    "inter_frame_attention": "co-attention between frames (Table 4)",
    "gates": "gates (Eq. 7, 8)",
    "skip_connections": "skip connections",
    "decoder_channels": "a residual decoder",
}


def model_card(name: str, record: dict[str, Any]) -> str:
    """The Markdown of a published checkpoint.

    Args:
        name: in `checkpoints/`.
        record: its JSON as `checkpoint.read` gives it, with `scores`.

    Raises:
        KeyError: the record lacks one of them.
    """
    model, scores = ModelConfig.from_dict(record["model"]).to_dict(), record["scores"]
    values = (
        *(scores[measure][kind] for measure in "JF" for kind in ("mean", "recall")),
        *(scores[measure] for measure in ("T", "max_f", "s_measure", "mae")),
    )
    present = [words for key, words in _MODULES.items() if model.get(key)]
    absent = [words for key, words in _MODULES.items() if not model.get(key, True)]
    stages = "\n".join(f"| {i} | {row} |" for i, row in enumerate(_stages(record), 1))
    told = {key: scores[key] for key in ("dataset", "split", "frames", "protocol", "height")}
    return _CARD.format(
        name=name,
        **{key: one_line(value) for key, value in told.items()},
        flip=", averaged with the mirrored frame" if scores["flip"] else "",
        scores=" | ".join("-" if value is None else f"{value:.3f}" for value in values),
        backbone=model["backbone"],
        stride=model["output_stride"],
        channels=model["channels"],
        present=", ".join(present) or "no module",
        absent=f"; without {', '.join(absent)}" if absent else "",
        stages=_STAGES.format(rows=stages) if stages else "Its record does not say.",
        frames_seen="It compares a frame with five others of its video."
        if model.get("inter_frame_attention")
        else "It sees each frame by itself: motion does not tell it what stands out.",
        licences="\n".join(_licences(record)) or "- of data that its record does not name",
    )


def _stages(record: dict[str, Any]) -> Iterator[str]:
    """A row per training run, the first one first."""
    if "initial" in record:
        yield from _stages(record["initial"])
    if not (train := record.get("train")):
        return
    weight = f"{train.get('contrastive_weight', 0):g}"
    first, steps = record.get("first_step", 0), train["steps"]
    last = record.get("step", steps)
    reached = [p for p in train.get("phases", ()) if number((p.split() or [""])[0]) * steps < last]
    window = ", from ".join([f"{train['height']}x{train['width']}", *reached])
    if last - first != steps:
        steps = f"{last - first} ({first + 1} to {last} of {steps})"
    made = (record.get("commit"), record.get("device"))
    cells = (record.get("data"), steps, train["batch_size"], window, weight, *made)
    yield " | ".join(one_line(cell).replace("|", "/") for cell in cells)


def _licences(record: dict[str, Any]) -> Iterator[str]:
    """A line per data set that any stage saw."""
    names: set[str] = set()
    stage: dict[str, Any] | None = record
    while stage:
        names |= set(stage.get("data", "").split(",")[0].split("+"))
        stage = stage.get("initial")
    for source in SOURCES:
        if source.name in names:
            yield f"- {source.name}: {source.licence} (<{source.home}>)"
