"""The rows of the paper's Tables 3 and 4 as named configurations; run them and collect the scores.

A table is a list of experiments. Each is trained with several seeds and scored under the official
protocol; an experiment and a seed make one run, with a folder of its own, never repeated once it is
scored. Runs of one seed see the same batches, so rows are compared seed by seed.

Two designs: every row from ImageNet (`training`), or short branches of one mature trunk without
modules (`branch`), to which a row's modules are added as identities. Branches differ less from seed
to seed, and show what a module does to a network that works already.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from vsodlib.config import ModelConfig, Profile, TrainConfig, check_form
from vsodlib.data import FrameDataset
from vsodlib.files import Busy, aside, read_json, sole_process, write_json
from vsodlib.inference.evaluate import evaluate
from vsodlib.model import checkpoint
from vsodlib.model.vsodnet import VSODNet, class_names
from vsodlib.notes import note
from vsodlib.training.fit import fit
from vsodlib.training.run import FACTS, choose_device, described
from vsodlib.training.speed import has_bfloat16
from vsodlib.training.state import STATE

MEASURES = ("max_f", "s_measure", "mae", "J", "F", "T", "consistency", "seconds_per_frame")
"""What is kept of a run's scores, of J and F the mean; T is ours: `vsodlib.metrics.instability`."""


class Scored(TypedDict):
    """What `scores.json` holds of a run."""

    experiment: str
    seed: int
    scores: dict[str, float | None]
    record: dict


@dataclass(frozen=True)
class Experiment:
    """One row of a table: a network, trained in one way."""

    name: str
    model: ModelConfig
    train: TrainConfig
    own_modules: Mapping[str, Callable[..., nn.Module]] = field(default_factory=dict)
    """Modules of one's own: as the arguments of `VSODNet`, e.g. {"self_attention": MyModule}."""

    @property
    def folder(self) -> str:
        """Its name as part of a path."""
        return "-".join(re.findall(r"\w+", self.name))


def training(profile: Profile) -> TrainConfig:
    """How every row is trained: eight frames (Section 3.5) of one video, and half as many images.

    `smoke`: seconds, to see that it runs; `laptop`: a few minutes on two cores; `full`: a GPU. The
    objective is that of Eq. 10 alone.
    """
    base = replace(TrainConfig.lite(), iou_weight=0.0, ema_decay=0.99)
    if profile == "full":
        return replace(base, steps=3000, height=240, width=432, precision="bf16")
    if profile == "laptop":
        return replace(base, steps=200, warmup_steps=20, height=112, width=192)
    clips_only = replace(base, batch_size=8, image_fraction=0)
    return replace(clips_only, steps=2, warmup_steps=1, height=32, width=48)


def branch(profile: Profile) -> TrainConfig:
    """How every row is trained that starts from a trunk: frozen statistics, the trunk's objective
    with both soft terms, an average over the end. `smoke`: seconds; else some six minutes.
    """
    if profile == "smoke":
        return replace(training(profile), freeze_batch_norm=True)
    return replace(
        TrainConfig.lite(),
        steps=200,
        warmup_steps=20,
        height=192,
        width=336,
        learning_rate=4e-4,
        encoder_learning_rate=1e-4,
        ema_decay=0.99,
        edge_weight=5.0,
        freeze_batch_norm=True,
        freeze_stages=3,
        precision="bf16" if has_bfloat16(choose_device()) else "no",  # of all rows alike
    )


def table3(model: ModelConfig, train: TrainConfig) -> list[Experiment]:
    """The rows of Table 3: attention modules one by one, then the contrastive loss, then mining."""
    plain = replace(model, self_attention=False, co_attention=False)
    no_contrast = replace(train, contrastive_weight=0.0)
    return [
        Experiment("baseline", plain, no_contrast),
        Experiment("+ co-attention", replace(plain, co_attention=True), no_contrast),
        Experiment("+ self-attention", replace(plain, self_attention=True), no_contrast),
        Experiment("+ both", model, no_contrast),
        Experiment("+ L_cl", model, replace(train, mining="random")),
        Experiment("+ hard mining", model, train),
    ]


def table4(model: ModelConfig, train: TrainConfig) -> list[Experiment]:
    """The rows of Table 4: no temporal modelling, co-attention between frames, the paper's method.

    The first and the last are rows of Table 3, and their runs are shared where the folder is.
    """
    baseline, *_, ours = table3(model, train)
    rival = replace(baseline.model, inter_frame_attention=True)
    return [baseline, Experiment("+ inter-frame co-attention", rival, baseline.train), ours]


TABLES = {"table3": table3, "table4": table4}


def run(
    experiments: Sequence[Experiment],
    seeds: Iterable[int],
    dataset: FrameDataset,
    tests: Mapping[str, FrameDataset],
    out: str | Path,
    resume: bool = False,
    pretrained_encoder: bool = True,
    trunk: str | Path | None = None,
    facts: dict[str, Any] | None = None,
    on_run: Callable[[], None] = lambda: None,
    progress: bool = True,
) -> None:
    """Train and score every experiment with every seed, seed by seed.

    A run that is scored leaves `last.safetensors`, `log.jsonl` and `scores.json` in its folder; one
    that another process is at is left to it.

    Args:
        experiments: rows of a table.
        seeds: each trains all of them.
        dataset: to train on; decode it once with `in_memory`.
        tests: what to score on, by what is put behind the names of the measures: `""` for the
            first, `" (held out)"`.
        out: folder of the runs.
        resume: keep the runs that are scored and continue the one that was stopped.
        pretrained_encoder: start the backbone from ImageNet.
        trunk: start every run from this checkpoint instead (`VSODNet.load_trunk`).
        facts: what else the record of every run shall say, as in `fit`.
        on_run: called after each run.
        progress: show a bar for each run.

    Raises:
        ValueError: a run's folder is taken by other settings, data or tests, or taken at all
            without `resume`.
        KeyboardInterrupt: Ctrl-C or SIGTERM, after the training state was saved.
    """
    for test in tests.values():
        test.check_sizes()  # refused now, not after training
    facts = (facts or {}) | ({} if pretrained_encoder else {"random_weights": True})
    asked: dict[str, Any] = {key: facts.get(key) for key in FACTS}
    asked["data"] = described(dataset.labelled())
    asked["trunk"] = checkpoint.fingerprint(trunk) if trunk else None
    asked["test"] = []
    for test in (test.labelled() for test in tests.values()):
        scored = len(test) - 2 * len(test.videos)  # without the ends
        asked["test"].append(f"{test.name}, {scored} frames")
    options: dict[str, Any] = {"resume": resume, "initial": trunk}
    options |= {"progress": progress, "facts": facts}
    runs = []
    for seed, experiment in product(seeds, experiments):
        config = replace(experiment.train, seed=seed)
        folder = Path(out) / f"{experiment.folder}-seed{seed}"
        settings = {"model": experiment.model.to_dict(), "train": config.to_dict()} | asked
        settings["own_modules"] = class_names(**experiment.own_modules) or None
        if _is_scored(folder, settings) and not resume:  # refused now, too
            raise ValueError(f"{folder} is scored already: resume, or name another folder.")
        runs.append((experiment, config, folder, settings))
    fresh = pretrained_encoder and trunk is None
    for experiment, config, folder, settings in runs:
        try:
            with sole_process(folder, folder.with_name(f".{folder.name}.lock")):
                if not _is_scored(folder, settings):  # by another process meanwhile
                    torch.manual_seed(config.seed)
                    net = VSODNet(experiment.model, fresh, **experiment.own_modules)
                    net = fit(experiment.model, config, dataset, folder, net=net, **options)
                    _score(net, experiment, config, tests, folder)
        except Busy:
            note(f"{folder} is left to another process.")
        on_run()


def _score(
    net: VSODNet,
    experiment: Experiment,
    config: TrainConfig,
    tests: Mapping[str, FrameDataset],
    folder: Path,
) -> None:
    """Score a run that is trained, and delete its state."""
    _, record = checkpoint.read(folder / "last")
    kept: dict[str, float] = {}
    record["test"] = []
    for suffix, test in tests.items():
        scores = evaluate(net, test, config.height)
        for name in MEASURES:
            score = scores[name]
            kept[name + suffix] = score["mean"] if name in ("J", "F") else score
        record["test"].append(f"{test.name}, {scores['frames']} frames")
    found = {"experiment": experiment.name, "seed": config.seed, "scores": kept}
    write_json(folder / "scores.json", found | {"record": record})
    for state in folder.glob(Path(STATE).stem + "*"):
        state.unlink()


def _read_scored(path: Path) -> Scored:
    found: Any = read_json(path)
    check_form(found, Scored, f"{path}:")
    return found


def _is_scored(folder: Path, settings: dict[str, Any]) -> bool:
    path = folder / "scores.json"
    if not path.exists():
        return False
    record = _read_scored(path)["record"]
    record["trunk"] = record.get("initial", {}).get("weights_sha256")
    if differing := [key for key in settings if record.get(key) != settings[key]]:
        raise ValueError(f"{path} belongs to another {', '.join(differing)}; name another folder.")
    return True


def collect(experiments: Sequence[Experiment], out: str | Path, csv_path: str | Path) -> int:
    """Gather the scored runs of a folder into a tidy CSV, and their records in a JSON of its name.

    A row of the CSV is one number: experiment, seed, measure, score. The JSON holds settings and
    record of every run, equal parts once. Several processes may share a folder and a table.

    Returns:
        How many runs there are.
    """
    place, csv_path = {e.name: i for i, e in enumerate(experiments)}, Path(csv_path)
    csv_path.parent.mkdir(parents=True, exist_ok=True)
    with sole_process(csv_path, Path(out) / ".table.lock", wait=True):
        runs = [_read_scored(path) for path in sorted(Path(out).glob("*/scores.json"))]
        runs = [found for found in runs if found["experiment"] in place]
        runs.sort(key=lambda found: (place[found["experiment"]], found["seed"]))
        with aside(csv_path) as part, part.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["experiment", "seed", "measure", "score"])
            for found in runs:
                for measure, score in found["scores"].items():
                    if score is not None:  # T of maps without any contour
                        name, seed = found["experiment"], found["seed"]
                        writer.writerow([name, seed, measure, f"{score:.5f}"])
        records = [{"experiment": r["experiment"], "seed": r["seed"]} | r["record"] for r in runs]
        first = records[0] if records else {}
        shared = {k: v for k, v in first.items() if all(r.get(k) == v for r in records)}
        own = [{k: v for k, v in record.items() if k not in shared} for record in records]
        write_json(csv_path.with_suffix(".json"), {**shared, "runs": own})
    return len(runs)
