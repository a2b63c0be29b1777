"""The commands of `vsod` that run networks."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any

from tyro.conf import Positional

from vsodlib.cli.options import Command, Count, DataRoot, Flag, MaskLevels, Network, many, one_of
from vsodlib.files import check_writable
from vsodlib.notes import note, one_line


@dataclass(kw_only=True)
class Predict(Network, Command):
    """Find the salient object in any video or photographs, and write its maps.

    Exit code 3: something was read in part; 2: something could not be read, the rest was.
    """

    sources: Annotated[Positional[tuple[str, ...]], many("SOURCE")]
    """Films, animated GIFs or WebPs, photographs, folders of these or of frames, camera numbers."""
    checkpoint: str = "lite-davis"
    """A name in checkpoints/, or a file."""
    out: str | None = None
    """Folder to write to; None: NAME-saliency next to each source."""
    no_overlay: Flag = False
    """Write no film of tinted frames."""
    cutout: Annotated[str | None, one_of("webm", "mov", "png")] = None
    """Write the object on a transparent background too; alone: webm (photographs: always png)."""
    background: str | None = None
    """Write the object in front of this too: a colour, an image, or the word blur."""
    sheet: Flag = False
    """Write twelve moments on one page too."""
    flip: Flag = False
    """Average with the map of the mirrored frame."""
    refine: Flag = False
    """Bring maps to the frame's size along its edges: more overlap, softer maps."""
    motion: Flag = False
    """Weigh the maps of a video by what moves against the camera: steadier, fewer false objects."""
    bf16: Flag = False
    """Compute in bfloat16, which is faster where the processor has it."""

    def run(self) -> None:
        from vsodlib.inference.video import Outputs, predict_sources
        from vsodlib.training.speed import has_bfloat16

        outputs = Outputs(not self.no_overlay, self.cutout, self.background, self.sheet)
        (net, weights), code = load_network(self), 0
        name = f"weights {weights[:12]}"
        options = (self.height, self.flip, self.batch_size, self.bf16, True, name)
        if self.bf16 and not has_bfloat16(next(net.parameters()).device):
            note("this device has no bfloat16 units: --bf16 makes it slower.")
        for done in predict_sources(
            net, self.sources, self.out, outputs, *options, refine=self.refine, motion=self.motion
        ):
            if told := done.get("error") or done["damage"]:
                print(f"vsod: {told}", file=sys.stderr)
                code = 2 if "error" in done else code or 3
            if "out" in done:
                speed = f"{done['seconds']:.1f} s, {done['fps']:.1f} frames a second"
                print(
                    f"{done['frames']} frames ({done['kept']} kept from before) in {speed}: "
                    f"{one_line(done['out'])}"
                )
        if code:
            raise SystemExit(code)


@dataclass(kw_only=True)
class Embed(Network, MaskLevels, DataRoot, Command):
    """Write the features of foregrounds and backgrounds (Eq. 9), and tell them apart."""

    dataset: str = "davis2016"
    """Data set, as `vsod data list` names it."""
    split: str | None = None
    """Part of the data set; None: the one commonly scored."""
    every: Count = 5
    """Frames from one to the next."""
    out: str
    """File NAME.npz for the features; NAME.json has the record."""

    def run(self) -> None:
        from vsodlib.analysis import embeddings
        from vsodlib.data import open_dataset, scored_split

        path = embeddings.place(self.out)
        check_writable(path, path.with_suffix(".json"))
        net, weights = load_network(self)
        split = self.split or scored_split(self.dataset)
        dataset = open_dataset(self.dataset, split, self.data, self.foreground, self.void)
        record = record_of(self, net, weights, self.dataset, split)
        options = (self.height, self.every, self.batch_size, True)
        found = embeddings.region_embeddings(net, dataset, *options)
        separation: dict[str, float] = {}
        try:
            separation = vars(embeddings.separation(found))
        except ValueError as error:  # the features are worth keeping all the same
            note(str(error))
        record |= {
            "every": self.every,
            "regions": len(found),
            "separation": {
                name: round(value, 5) if value == value else None  # JSON knows no nan
                for name, value in separation.items()
            },
        }
        path = embeddings.save(found, self.out, record)
        for name, value in separation.items():
            print(f"{name:20} {value:.4f}")
        print(f"Wrote {len(found)} regions of {len(dataset.videos)} videos: {path}")


def load_network(options: Network) -> tuple[Any, str]:
    """The network of `--checkpoint`, on the device that was asked for, and its weights' SHA-256."""
    import torch

    from vsodlib import provenance
    from vsodlib.inference.folding import fold_batch_norms
    from vsodlib.model import checkpoint
    from vsodlib.model.vsodnet import VSODNet

    fastest = torch.accelerator.current_accelerator(check_available=True)
    device = provenance.find_device(options.device or str(fastest or "cpu"))
    weights = None
    while weights != (weights := checkpoint.fingerprint(options.checkpoint)):
        net = VSODNet.from_pretrained(options.checkpoint)  # which a training run may write anew
    net.encoder = fold_batch_norms(net.encoder)  # where all batch norms are
    return net.to(device).to(memory_format=torch.channels_last), weights


def record_of(
    options: Network, net: Any, weights: str, dataset: str, split: str | None
) -> dict[str, Any]:
    """What a number about a network on a data set is made from."""
    from vsodlib import provenance
    from vsodlib.model import checkpoint

    return {
        "checkpoint": checkpoint.locate(options.checkpoint).stem,
        "weights_sha256": weights,
        "dataset": dataset,
        "split": split,
        "height": options.height or net.input_height,
        **provenance.made_with(next(net.parameters()).device),
    }
