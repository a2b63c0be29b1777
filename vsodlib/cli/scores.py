"""The commands of `vsod` that score maps, and what they print and write."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, create_mutex_group

from vsodlib.cli.network import load_network, record_of
from vsodlib.cli.options import Command, Count, DataRoot, Flag, MaskLevels, MaybeCount, Network
from vsodlib.files import check_writable, read_json, write_json
from vsodlib.notes import note, one_line

ProtocolName = Literal["davis2016", "davsod", "frames"]
TRUTH = create_mutex_group(required=True, title="ground truth, one of")
MEASURES = create_mutex_group(required=False, title="measures, at most one of")


@dataclass(kw_only=True)
class Report(MaskLevels, DataRoot):
    split: str | None = None
    """Part of the data set; None: the one commonly scored."""
    protocol: ProtocolName | None = None
    """Official tool whose rules hold, or frames: every frame counts alike; None: the data set's."""
    json: str | None = None
    """File for all scores; None: they are only printed."""
    per_frame: Flag = False
    """Keep the scores of every frame in that file too."""


@dataclass(kw_only=True)
class Evaluate(Network, Report, Command):
    """Score a network on a data set."""

    dataset: str = "davis2016"
    """Data set, as `vsod data list` names it, or folder:PATH for one's own."""
    flip: Flag = False
    """Average with the map of the mirrored frame."""
    refine: Flag = False
    """Bring maps to the frame's size along its edges: more overlap, softer maps."""
    motion: Flag = False
    """Weigh the maps of each video by what moves against the camera."""
    scales: tuple[float, ...] = (1.0,)
    """Average the maps at these multiples of the height, e.g. 1 0.75."""
    held_out: Flag = False
    """Score only what the checkpoint's training held out, of the split train."""
    workers: Count = 1
    """Threads that score."""
    save_maps: str | None = None
    """Folder for the maps; None: they are not kept."""

    def run(self) -> None:
        from vsodlib.data import open_dataset, scored_protocol, scored_split
        from vsodlib.inference.evaluate import evaluate, held_out

        check_writable(self.json)
        if self.held_out and self.split not in (None, "train"):
            raise ValueError(f"--held-out is of the split train, not of --split {self.split}.")
        split = "train" if self.held_out else self.split or scored_split(self.dataset)
        net, weights = load_network(self)
        dataset = open_dataset(self.dataset, split, self.data, self.foreground, self.void)
        record = record_of(self, net, weights, self.dataset, split)
        if self.held_out:
            dataset = held_out(self.checkpoint, dataset, self.dataset)
            record["held_out"] = len(dataset.videos)
        switches: dict[str, Any] = {
            name: getattr(self, name) for name in ("flip", "refine", "scales", "motion")
        }
        scores = evaluate(
            net,
            dataset,
            self.height,
            protocol=self.protocol or scored_protocol(self.dataset),
            batch_size=self.batch_size,
            workers=self.workers,
            save_to=self.save_maps,
            **switches,
        )
        _report(scores, self, record | switches)
        print(f"Network: {scores['seconds_per_frame']:.3f} s a frame")


@dataclass(kw_only=True)
class Score(Report, Command):
    """Score anyone's maps or masks."""

    predictions: Positional[str]
    """Folder of maps, one folder per sequence, or flat."""
    dataset: Annotated[str | None, TRUTH] = None
    """Data set whose masks are the truth, e.g. davis2016 or folder:PATH."""
    gt: Annotated[str | None, TRUTH] = None
    """Folder of ground-truth masks."""
    allow_missing_first: Flag = False
    """Let sequences lack an end frame."""

    measures: Annotated[tuple[str, ...], MEASURES] = ()
    """Take only these measures, e.g. J max_f (? lists them)."""
    all: Annotated[Flag, MEASURES] = False
    """Take weighted F, T and consistency too, which are slow."""
    explain: str | None = None
    """Say which measure and protocol give this number, e.g. 0.83, as it is printed."""
    workers: MaybeCount = None
    """Processes or threads that score; None: as many as there are processors."""

    def run(self) -> None:
        from vsodlib.inference.score_folder import score_folder

        check_writable(self.json)
        measures = "all" if self.all else self.measures or "default"
        workers = self.workers or _cores()
        if self.explain is not None:
            if self.protocol:
                raise ValueError("--explain tries every protocol: give it without --protocol.")
            return self._explain(self.explain, measures, workers)
        scores = score_folder(
            self.predictions,
            self.dataset,
            self.gt,
            self.data,
            self.protocol,
            self.allow_missing_first,
            measures,
            workers,
            split=self.split,
            foreground=self.foreground,
            void=self.void,
        )
        _report(scores, self, {"predictions": Path(self.predictions).name})

    def _explain(self, number: str, measures: str | tuple[str, ...], workers: int) -> None:
        """Print the measures and protocols that give a number."""
        from vsodlib.inference.score_folder import are_stills, find_truth, match_frames
        from vsodlib.metrics import explain

        place = (self.dataset, self.gt, self.data, self.split)
        truth, records = find_truth(*place, self.foreground, self.void)
        frames = match_frames(self.predictions, truth, records, self.allow_missing_first)
        hit, ways = explain(frames, number, measures, workers, stills=are_stills(records))
        print(f"{number} is" if hit else f"Nothing tried gives {number}; the nearest are")
        for way in ways:
            changes = ", ".join(f"{name} {value}" for name, value in way.changes.items())
            protocol = f"{way.protocol} with {changes}" if changes else way.protocol
            print(f"  {way.measure:12} {way.value:.4f}  {protocol}")
        _write(self.json, {"number": number, "found": hit, "ways": [vars(w) for w in ways]})


@dataclass(kw_only=True)
class Compare(Command):
    """Compare two sets of scores, sequence by sequence."""

    first: Positional[str]
    """What `vsod score --json` or `vsod evaluate --json` wrote."""
    second: Positional[str]
    """The same of other maps."""
    json: str | None = None
    """File for all differences; None: they are only printed."""

    def run(self) -> None:
        from vsodlib.metrics import compare

        both = self.first, self.second
        check_writable(self.json)
        if self.json and Path(self.json).resolve() in map(Path.resolve, map(Path, both)):
            raise ValueError(f"--json {self.json} is one of the two; name another file.")
        found = compare(*map(read_json, both))
        if found["left_out"]:
            left_out = one_line(", ".join(found["left_out"]))
            print(f"Left out, because only one of the two has it: {left_out}")
        names = {"first": self.first, "second": self.second}
        means = f"means over {len(found['sequences'])} sequences"
        print(f"{names['second']} against {names['first']}, {means}")
        print(
            f"{'':12} {'A':>7} {'B':>7} {'B - A':>8}  {found['level']:.0%} interval     B better in"
        )
        for measure, row in found["measures"].items():
            low, high = [f"{x:+.3f}" for x in row["interval"] or ()] or ("     -", "     -")
            n = len(row["per_sequence"])
            verdict = f"{names[row['verdict']]} is better" if row["verdict"] in names else "open"
            print(
                f"{measure:12} {row['first']:7.3f} {row['second']:7.3f} {row['difference']:+8.3f}  "
                f"{low} to {high}  {row['second_better']:3} of {n:<3}  {verdict}"
            )
        _write(self.json, found)


def _cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


COLUMNS = {
    "J": "J", "F": "F", "max_f": "maxF", "mean_f": "meanF", "s_measure": "S", "e_measure": "E",
    "mae": "MAE", "weighted_f": "wF", "T": "T", "consistency": "C",
}  # fmt: skip
"""The measures of the table and their headings; asked for by name, any other stands there too."""


def _report(scores: dict[str, Any], args: Report, record: dict[str, Any]) -> None:
    """Write scores to `--json`, and print them by sequence and overall whether it works or not."""
    if not args.per_frame:
        for row in scores["per_sequence"].values():
            row.pop("per_frame")
    try:
        _write(args.json, {**scores, "record": record})
    finally:
        _print_scores(scores)
        note("; ".join(f"{what} read as {how}" for what, how in scores["levels"].items() if how))


def _print_scores(scores: dict[str, Any]) -> None:
    """The table of sequences, and below it the whole with its 95 % interval."""
    shown = scores["measures"]
    if {"J", "F", "max_f", "mean_f", "s_measure", "e_measure", "mae"} <= set(shown):
        shown = [name for name in COLUMNS if name in shown]
    headings = [COLUMNS.get(name, name) for name in shown]
    rows = [*scores["per_sequence"].items(), ("all", scores)]
    if found := scores["intervals"]:
        rows += [
            (f"{word} {found['level']:.0%}", found, k) for k, word in enumerate(("from", "to"))
        ]
    width = max(len(one_line(row[0])) for row in rows)
    cells = max(7, *(len(heading) + 2 for heading in headings))
    print(f"{'':{width}}" + "".join(f"{heading:>{cells}}" for heading in headings))
    for name, row, *end in rows:
        values = [row[key]["mean"] if key in ("J", "F") else row[key] for key in shown]
        if end:
            values = [value and value[end[0]] for value in values]
        line = "".join(f"{'-' if value is None else f'{value:.3f}':>{cells}}" for value in values)
        print(f"{one_line(name):{width}}{line}")
    if found:
        print(f"The interval is over {found['units']} {found['over']}, drawn anew.")


def _write(path: str | None, content: dict[str, Any]) -> None:
    """Write JSON where a path was given, and say so."""
    if path:
        write_json(Path(path), content)
        print(f"Wrote {path}")
