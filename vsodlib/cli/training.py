"""The commands of `vsod` that train networks."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from vsodlib.cli.options import Command, DataRoot, Flag, MaskLevels, Processes, gathered
from vsodlib.config import ModelConfig, Profile, TrainConfig
from vsodlib.files import check_writable, unlinked
from vsodlib.notes import note


@dataclass(kw_only=True)
class Preset:
    preset: Literal["lite", "paper"] = "lite"
    """Network and training that the options below change: a laptop's, or the paper's."""


class TrainingData(MaskLevels, DataRoot):
    def facts(self, held_out: dict[str, int]) -> dict[str, Any]:
        """What records say of the data besides its name and size."""
        found = {"held_out": held_out, "foreground": self.foreground, "void": self.void}
        return {name: fact for name, fact in found.items() if fact not in (None, {})}

    def opened(self, name: str, split: str = "train") -> Any:
        """The labelled frames of a data set."""
        from vsodlib.data import open_dataset

        return open_dataset(name, split, self.data, self.foreground, self.void).labelled()

    def opened_all(self, names: Sequence[str]) -> tuple[list[Any], list[str]]:
        """The training sets of these names, and a sentence for each that cannot be had, unknown
        names first.
        """
        from vsodlib.data import DATASETS, OWN

        opened: list[Any] = []
        faults: list[str] = []
        of: dict[str, str] = {}  # a frame twice would be trained on and held out
        for name in names:
            try:
                opened.append(self.opened(name))
                if (first := _first_file(opened[-1])) in of:
                    raise ValueError(f"{of[first]} and {name} are the same data: name one of them.")
                of[first] = name
            except (ValueError, OSError) as error:
                unknown = name not in DATASETS and not name.startswith(OWN)
                faults.insert(0 if unknown else len(faults), str(error))
        return opened, faults


def _first_file(dataset: Any) -> str:
    storage = dataset.storage
    file = storage.locate(dataset.records[0].image) if storage else dataset.name
    return os.path.realpath(file)


class _Unchecked:
    def __post_init__(self) -> None:
        """Nothing: all is checked at once, when the data is known."""


@dataclass(frozen=True)
class Training(_Unchecked, TrainConfig):
    """One training run: objective, optimiser, schedule, batches, augmentation.

    What is not given fits the data and the options that are.
    """


@dataclass(frozen=True)
class Model(_Unchecked, ModelConfig):
    """The network: backbone, feature encoder, attention modules, decoder."""


@dataclass(kw_only=True)
class Train(Preset, TrainingData, Command):
    """Train a network."""

    out: str
    """Folder of the run."""
    datasets: tuple[str, ...] = ("davis2016",)
    """Data sets to train on, e.g. davis2016 duts-tr, or folder:PATH for one's own."""
    resume: Flag = False
    """Continue the run in --out."""
    hold_out: tuple[str, ...] = ()
    """Videos or images of a data set kept out, e.g. davis2016=6; videos choose `best`."""
    random_weights: Flag = False
    """Start from random weights, not from a backbone trained on ImageNet."""
    initial: str | None = None
    """Start from this trained network, a name in checkpoints/ or a file."""
    first_step: int = 0
    """Pass over so many steps of the schedule, which --initial has had."""
    last_step: int = 0
    """Stop at this step of the schedule, to branch there; 0: at its end."""
    device: str | None = None
    """cpu, cuda, cuda:1 ...; None: the fastest there is."""
    workers: Processes = 0
    """Processes that load data."""
    tensorboard: Flag = False
    """Log for TensorBoard too, to the folder tensorboard in --out."""
    training: OmitArgPrefixes[Training]
    model: OmitArgPrefixes[Model]
    _named: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The fields that were given."""

    @classmethod
    def start(cls, words: Sequence[str]) -> Self:
        """The preset's values, so that --help shows them and options change only what they name."""
        preset = tyro.cli(Preset, args=words, add_help=False, return_unknown_args=True)[0].preset
        training = Training(**asdict(getattr(TrainConfig, preset)()))
        model = Model(**asdict(getattr(ModelConfig, preset)()))
        options = (word.partition("=")[0] for word in words if word.startswith("--"))
        named = tuple(re.sub("^--(no[-_])?", "", one).replace("-", "_") for one in options)
        return cls(preset=preset, out=tyro.MISSING, training=training, model=model, _named=named)

    def run(self) -> None:
        from vsodlib.training.fit import fit
        from vsodlib.training.log import tensorboard

        out = Path(self.out)
        config, counts, parts = self._fitted(out)
        on_log = tensorboard(unlinked(out, "tensorboard/0").parent) if self.tensorboard else None
        dataset, validation = _in_memory(parts, config)
        fit(
            ModelConfig(**asdict(self.model)),
            config,
            dataset,
            out,
            validation=validation,
            resume=self.resume,
            pretrained_encoder=not self.random_weights,
            initial=self.initial,
            first_step=self.first_step,
            last_step=self.last_step,
            workers=self.workers,
            device=self.device,
            on_log=on_log,
            facts=self.facts(counts),
        )
        print(f"Wrote {out / 'last.safetensors'}")

    def _fitted(self, out: Path) -> tuple[TrainConfig, dict[str, int], Any]:
        """The configuration fitted to the data and to what was given, how much of each data set is
        held out, and what `_divided` makes of them; a ValueError tells all that is wrong at once.
        """
        from vsodlib.data import concat
        from vsodlib.data.sampling import TrainBatches
        from vsodlib.training.run import check_span
        from vsodlib.training.state import load_state

        given = {name: v for name, v in asdict(self.training).items() if name in self._named}
        preset = getattr(TrainConfig, self.preset)()
        mix = given.get("mix", ())
        names = list(dict.fromkeys([w.rpartition("=")[0] or w for w in mix] or self.datasets))
        opened, faults = self.opened_all(names)
        lengths = [[len(frames) for frames in dataset.videos.values()] for dataset in opened]
        if mix and "datasets" in self._named and {*names} != {*self.datasets}:
            faults.append("--datasets and --mix name other data sets: give --mix alone.")
        if faults:  # what the missing data would hold is not known: suppose both
            lengths = [[1, 2]]
        images, videos = (sum((n > 1) == many for of in lengths for n in of) for many in (0, 1))
        share = None
        with suppress(ValueError):  # told below
            weights = replace(TrainConfig(), mix=mix).weights
            if weights and not faults:
                stills = [name for name, of in zip(names, lengths, strict=True) if max(of) == 1]
                share = sum(weights[name] for name in stills) / sum(weights.values())
        holds = any(out.glob("state*.pt"))
        with gathered(faults):
            config = preset.for_data(given, videos, images, share)
            check_span(config, 0 if holds else self.first_step, self.last_step)
        with gathered(faults):
            counts = _held_out_counts(self.hold_out, names)
            parts = _divided(opened, counts)
        with gathered(faults):
            self._check_network()
        if self.first_step and not (self.initial or holds):
            faults.append("--first-step goes on from weights: name them with --initial.")
        if self.initial and self.resume:
            faults.append(
                "--initial begins a new run and --resume goes on with one: give one of them."
            )
        with gathered(faults):
            check_writable(out / "last.safetensors")
        if not faults:
            with gathered(faults):
                TrainBatches(concat(parts[0]), config)
                load_state(out, ModelConfig(**asdict(self.model)), config, self.resume, tell=False)
        if faults:
            raise ValueError(" ".join(dict.fromkeys(faults)))
        changed = [name for name, value in asdict(config).items() if value != getattr(preset, name)]
        if fitted := [f"{n} {getattr(config, n):g}" for n in changed if n not in given]:
            note(f"{', '.join(fitted)}, to fit the data and the options given.")
        return config, counts, parts

    def _check_network(self) -> None:
        """Refuse what cannot be built, started or put where it is wanted; takes no memory."""
        import torch

        from vsodlib.model.vsodnet import VSODNet
        from vsodlib.provenance import find_device

        with torch.device("meta"):
            net = VSODNet(ModelConfig(**asdict(self.model)))
            if self.initial:
                net.load_trunk(self.initial)
            if self.training.freeze_stages:
                net.encoder.stages(self.training.freeze_stages)
        if self.device is not None:
            find_device(self.device)


def _held_out_counts(words: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """`davis2016=6 duts-tr=500` as data set -> count."""
    counts = {}
    for word in words:
        name, _, count = word.rpartition("=")
        if name not in names or name in counts or not count.isdecimal() or not int(count):
            raise ValueError(
                f"--hold-out takes NAME=COUNT with a name of {', '.join(names)}, each once, not "
                f"{word!r}."
            )
        counts[name] = int(count)
    return counts


def _divided(opened: Sequence[Any], held_out: dict[str, int]) -> tuple[list[Any], list[Any]]:
    """Of each data set what is trained on; and of what is held out the videos of several frames."""
    kept, clips = [], []
    for dataset in opened:
        held = dataset.spread_out(held_out.get(dataset.name, 0))
        kept.append(dataset.subset(set(dataset.videos) - set(held)))
        if of_several := [video for video in held if len(dataset.videos[video]) > 1]:
            clips.append(dataset.subset(of_several))
    return kept, clips


def _in_memory(parts: Sequence[list[Any]], config: TrainConfig) -> tuple[Any, Any]:
    """What is trained on as one, and what is held out, or None: decoded once, and kept at one and
    a half times crop height.
    """
    from vsodlib.data import concat

    height = round(1.5 * max(phase.height for _, phase in config.schedule))
    decoded = [[dataset.in_memory(height) for dataset in part] for part in parts]
    training, validation = (concat(part) if part else None for part in decoded)
    return training, validation


@dataclass(kw_only=True)
class Ablate(TrainingData, Command):
    """Train and score the rows of an ablation table of the paper."""

    table: Positional[Literal["table3", "table4"]]
    """Table of the paper."""
    out: str
    """Folder of the runs."""
    trunk: str | None = None
    """Branch every run off this trained network; None: each is trained from its start."""
    hold_out: tuple[str, ...] = ()
    """Videos kept out of training and scored too, e.g. davis2016=6."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds with which each row is trained."""
    rows: tuple[str, ...] = ()
    """Train only these rows; none: all."""
    datasets: tuple[str, ...] = ("davis2016", "duts-tr")
    """Data sets to train on."""
    test: tuple[str, ...] = ("davis2016",)
    """What is scored: data sets' val, or the split of NAME=SPLIT, e.g. fbms=train."""
    profile: Profile | None = None
    """Size of the runs; None: $VSOD_PROFILE, else laptop."""
    resume: Flag = False
    """Keep what --out holds and go on."""
    csv: str | None = None
    """File for the scores; None: TABLE.csv in --out."""
    random_weights: Flag = False
    """Start from random weights, not from a backbone trained on ImageNet."""

    def run(self) -> None:
        from vsodlib.analysis.seeds import read_table
        from vsodlib.config import profile
        from vsodlib.data import concat
        from vsodlib.data.sampling import TrainBatches
        from vsodlib.model import checkpoint
        from vsodlib.training import ablations

        recipe = ablations.branch if self.trunk else ablations.training
        config, model = recipe(self.profile or profile()), ModelConfig.lite()
        if self.trunk:
            trunk = ModelConfig.from_dict(checkpoint.read(self.trunk)[1]["model"])
            model = replace(trunk, self_attention=True, co_attention=True)
        table = ablations.TABLES[self.table](model, config)
        chosen = [row for row in table if not self.rows or row.name in self.rows]
        faults: list[str] = []
        if self.rows and len(chosen) < len(set(self.rows)):
            faults.append(f"{self.table} has the rows {', '.join(row.name for row in table)}.")
        csv = Path(self.csv or Path(self.out) / f"{self.table}.csv")
        if csv.suffix == ".json":
            faults.append(f"--csv {csv}: a JSON of this name goes beside it; name a .csv.")
        with gathered(faults):
            check_writable(csv, csv.with_suffix(".json"), Path(self.out) / "run")
        chosen_tests: dict[str, Any] = {}
        for word in self.test:
            name, _, split = word.rpartition("=") if "=" in word else (word, "", "")
            suffix = f" ({name})" if chosen_tests else ""
            if suffix in chosen_tests:
                faults.append(f"--test names {name} twice; score its splits in two tables.")
            with gathered(faults):
                chosen_tests[suffix] = self.opened(name, split or "val")
        opened, missing = self.opened_all(self.datasets)
        faults += missing
        with gathered(faults):
            counts = _held_out_counts(self.hold_out, self.datasets)
            parts = _divided(opened, counts)
            if not missing:
                TrainBatches(concat(parts[0]), config)
        if faults:
            raise ValueError(" ".join(dict.fromkeys(faults)))
        dataset, held_out = _in_memory(parts, config)
        tests = {suffix: test.in_memory() for suffix, test in chosen_tests.items()}
        tests |= {" (held out)": held_out} if held_out else {}
        seeds = dict.fromkeys(self.seeds)  # each once
        total = len(chosen) * len(seeds)

        def on_run() -> None:
            print(f"{ablations.collect(table, self.out, csv)} runs scored ({total} asked): {csv}")

        options = (self.resume, not self.random_weights, self.trunk, self.facts(counts), on_run)
        ablations.run(chosen, seeds, dataset, tests, self.out, *options)
        _report_table(read_table(csv))


def _report_table(scores: dict[str, dict[str, dict[int, float]]]) -> None:
    """Print mean and spread of every row, and its paired difference to the row before."""
    from statistics import mean, stdev

    from vsodlib.analysis.seeds import paired_difference

    width = max((len(name) for rows in scores.values() for name in (*scores, *rows)), default=0)
    for measure, rows in scores.items():
        print(f"\n{measure:{width}} seeds    mean  spread   against the row above")
        before = None
        for name, by_seed in rows.items():
            values = list(by_seed.values())
            spread = stdev(values) if len(values) > 1 else float("nan")
            line = f"{name:{width}} {len(values):5} {mean(values):7.4f} {spread:7.4f}"
            if before and before.keys() & by_seed.keys():
                change = paired_difference(by_seed, before)
                line += f"   {change.mean:+.4f} ± {change.margin():.4f}  {change.verdict()}"
            print(line)
            before = by_seed
