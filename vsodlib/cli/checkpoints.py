"""The commands of `vsod` that make checkpoints, or files for other programs, of checkpoints."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from tyro.conf import Positional

from vsodlib.cli.options import Command, Flag, many
from vsodlib.config import LARGEST_SIDE, check_form
from vsodlib.files import check_writable, read_json, write_file


@dataclass(kw_only=True)
class Average(Command):
    """Write the mean of several trained networks that descend from one another."""

    checkpoints: Annotated[Positional[tuple[str, ...]], many("CHECKPOINT")]
    """Trained networks, e.g. runs/a/last runs/b/last."""
    out: str
    """The new checkpoint, e.g. runs/mean."""

    def run(self) -> None:
        from vsodlib.model import checkpoint
        from vsodlib.model.vsodnet import check_weights

        check_writable(f"{self.out}.safetensors")
        mean = checkpoint.average(self.checkpoints)
        check_weights(self.checkpoints[-1], *mean)  # the others have the same
        print(checkpoint.write(self.out, *mean))


class Parts(TypedDict):
    mean: float | None
    recall: float | None


class Made(TypedDict):
    """What is published of how scores were made."""

    dataset: str
    split: str | None
    height: int
    flip: bool


class Protocol(TypedDict):
    name: str


class Scores(TypedDict):
    """Of what `vsod evaluate --json` writes, that which is published."""

    mae: float | None
    max_f: float | None
    s_measure: float | None
    J: Parts
    F: Parts
    T: float | None
    frames: int
    record: Made
    protocol: Protocol


@dataclass(kw_only=True)
class Publish(Command):
    """Copy a trained network to checkpoints/, with its scores in the record."""

    checkpoint: Positional[str]
    """The trained network, e.g. runs/lite/last."""
    name: str
    """Its name in checkpoints/."""
    scores: str
    """JSON that `vsod evaluate --json` wrote for it."""

    def run(self) -> None:
        from vsodlib import provenance
        from vsodlib.cli.card import model_card
        from vsodlib.model import checkpoint

        if not re.fullmatch(r"\w[\w.+-]*(?<!\.safetensors)", self.name):
            what = "must be letters, digits and . + - _ alone, without the ending of a file"
            raise ValueError(f"--name {self.name!r} {what}.")
        tensors, record = checkpoint.read(self.checkpoint)
        scores: Any = read_json(self.scores)
        check_form(scores, Scores, f"{self.scores} was not written by `vsod evaluate --json`:")
        kept = {name: scores[name] for name in Scores.__annotations__}
        made = kept.pop("record")
        found = [kept[name] for name in ("mae", "max_f", "s_measure")]
        found += [kept[name][part] for name in "JF" for part in Parts.__annotations__]
        if not (
            all(value is None or 0 <= value <= 1 for value in found)
            and kept["frames"] > 0
            and 1 <= made["height"] <= LARGEST_SIDE
        ):
            raise ValueError(f"{self.scores} holds numbers that no evaluation gives.")
        kept |= {name: made[name] for name in Made.__annotations__}
        kept["protocol"] = kept["protocol"]["name"]
        for special, there in (
            ("refined maps", made.get("refine")),
            ("maps at other scales", made.get("scales", [1]) != [1]),
            ("maps weighed by motion", made.get("motion")),
        ):
            if there:
                raise ValueError(f"{self.scores} holds scores of {special}, not the plain ones.")
        weights = checkpoint.fingerprint(self.checkpoint)
        if self.name in checkpoint.available() and checkpoint.fingerprint(self.name) != weights:
            raise ValueError(
                f"checkpoints/ holds another network {self.name}: delete it, or name another."
            )
        if made.get("weights_sha256") != weights:
            raise ValueError(f"{self.scores} holds scores of other weights than {self.checkpoint}.")
        record |= {"input_height": made["height"], "scores": kept}
        card = model_card(self.name, record).encode()
        path = checkpoint.write(provenance.REPOSITORY / "checkpoints" / self.name, tensors, record)
        write_file(path.with_suffix(".md"), card)
        print(path)


@dataclass(kw_only=True)
class Export(Command):
    """Write a trained network for other runtimes; images of any size in [0, 1] in, the map out."""

    onnx: str
    """The file to write, e.g. lite.onnx."""
    checkpoint: str = "lite-davis"
    """A name in checkpoints/, or a file."""
    half: Flag = False
    """Store filters as float16: half the size, the same map."""

    def run(self) -> None:
        from vsodlib.inference.export import export_onnx
        from vsodlib.model.vsodnet import VSODNet

        path = export_onnx(VSODNet.from_pretrained(self.checkpoint), self.onnx, self.half)
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")
