"""The commands of `vsod` that run networks: call the library, print.

The library is imported inside the functions, so that `vsod --help` answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from vsodlib.cli.options import Command, Count, DataRoot, Flag, Network
from vsodlib.files import check_writable


@dataclass(kw_only=True)
class Predict(Network, Command):
    """Write the saliency maps of a video, and the video with the object tinted."""

    source: Positional[str]
    """Video file, folder of frames, or webcam number."""
    checkpoint: str = "lite-davis"
    """A name in checkpoints/, or a file."""
    out: str | None = None
    """Folder for the maps and the overlay video; None: NAME-saliency beside the source."""
    no_overlay: Flag = False
    """Write maps only."""
    flip: Flag = False
    """Average with the map of the mirrored frame."""

    def run(self) -> None:
        from vsodlib.inference.predict import predict_maps
        from vsodlib.inference.video import predict_video, video_references
        from vsodlib.model import checkpoint

        source = Path(self.source)
        out = self.out or source.with_name(f"{source.stem or 'video'}-saliency")
        net = load_network(self)
        references = video_references(net, self.source)
        weights = checkpoint.fingerprint(self.checkpoint)[:12]
        summary = predict_video(
            self.source,
            out,
            lambda frames: predict_maps(
                net, frames, self.height, self.flip, self.batch_size, references
            ),
            batch_size=self.batch_size,
            overlay=not self.no_overlay,
            predictor_name=f"weights {weights}, height {self.height or net.input_height}, "
            f"flip {self.flip}",
        )
        print(
            f"{summary['frames']} frames ({summary['kept']} kept from before) in "
            f"{summary['seconds']:.1f} s, {summary['fps']:.1f} frames a second: {out}"
        )


@dataclass(kw_only=True)
class Embed(Network, DataRoot, Command):
    """Write the features of foregrounds and backgrounds (Eq. 9), and tell them apart."""

    dataset: str = "davis2016"
    """Data set, as `vsod data list` names it."""
    split: str = "val"
    """Part of the data set."""
    every: Count = 5
    """Frames from one to the next."""
    out: str
    """File NAME.npz for the features; NAME.json has the record."""

    def run(self) -> None:
        from vsodlib.analysis import embeddings
        from vsodlib.data import open_dataset

        check_writable(Path(self.out).with_suffix(".npz"))
        net = load_network(self)
        dataset = open_dataset(self.dataset, self.split, self.data)
        record = record_of(self, net, self.dataset, self.split)
        found = embeddings.region_embeddings(net, dataset, self.height, self.every, self.batch_size)
        separation = vars(embeddings.separation(found))
        record |= {
            "every": self.every,
            "regions": len(found),
            "separation": {name: round(value, 5) for name, value in separation.items()},
        }
        path = embeddings.save(found, self.out, record)
        for name, value in separation.items():
            print(f"{name:20} {value:.4f}")
        print(f"Wrote {len(found)} regions of {len(dataset.videos)} videos: {path}")


def load_network(options: Network) -> Any:
    """The network of `--checkpoint`, on the device that was asked for."""
    import torch

    from vsodlib import provenance
    from vsodlib.inference.folding import fold_batch_norms
    from vsodlib.model.vsodnet import VSODNet

    device = provenance.find_device(
        options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    )
    net = VSODNet.from_pretrained(options.checkpoint)
    net.encoder = fold_batch_norms(net.encoder)  # where all batch norms are
    return net.to(device, memory_format=torch.channels_last)


def record_of(options: Network, net: Any, dataset: str, split: str | None) -> dict[str, Any]:
    """What a number about a network on a data set is made from."""
    import torch

    from vsodlib import provenance
    from vsodlib.model import checkpoint

    return {
        "checkpoint": checkpoint.locate(options.checkpoint).stem,
        "weights_sha256": checkpoint.fingerprint(options.checkpoint),
        "dataset": dataset,
        "split": split,
        "height": options.height or net.input_height,
        "commit": provenance.commit(),
        "device": provenance.describe_device(next(net.parameters()).device),
        "torch": torch.__version__,
    }
