"""Training: fit() on Hugging Face Accelerate, from one CPU to many GPUs.

Section 3.5: SGD, learning rate 1e-4, batches of 8, binary cross-entropy and the contrastive loss
(Eq. 10). What a step does depends on the seed and the step's number alone (batch, augmentation,
dropout), so that a run that was stopped continues as if it never had been; only where the length is
given in minutes does it also depend on the clock.
"""

from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import FrameDataset
from vsodlib.data.sampling import TrainBatches, seed_of
from vsodlib.files import sole_process
from vsodlib.losses.objective import objective
from vsodlib.model.inter_frame import training_partners
from vsodlib.model.vsodnet import VSODNet
from vsodlib.training.allocator import keep_freed_memory
from vsodlib.training.log import LOG, Log
from vsodlib.training.optimizer import learning_rate_factor
from vsodlib.training.run import Run, saved_on_failure
from vsodlib.training.signals import from_workers, leave_signals_to_the_loop, stop_requests
from vsodlib.training.state import STATE


def fit(
    model_config: ModelConfig,
    config: TrainConfig,
    dataset: FrameDataset,
    out: str | Path,
    validation: FrameDataset | None = None,
    resume: bool = False,
    pretrained_encoder: bool = True,
    initial: str | Path | None = None,
    first_step: int = 0,
    last_step: int = 0,
    workers: int = 0,
    progress: bool = True,
    device: str | None = None,
    on_log: Callable[[dict[str, Any]], None] | None = None,
    facts: dict[str, Any] | None = None,
    net: VSODNet | None = None,
) -> VSODNet:
    """Train a network and leave in `out`: `log.jsonl`, `last.safetensors`, `best.safetensors` (with
    a validation set), and `state.pt` to resume from. `accelerate launch` takes several devices.

        >>> from vsodlib import ModelConfig, TrainConfig, fit, open_dataset
        >>> config = TrainConfig(steps=1, batch_size=2, frames_per_video=2, height=32, width=64)
        >>> tiny, dataset = ModelConfig.lite(), open_dataset("synthetic", "train")
        >>> options = {"pretrained_encoder": False, "progress": False, "device": "cpu"}
        >>> fit(tiny, config, dataset, "runs/tiny", **options).training
        False

    Args:
        model_config, config: what to train and how.
        dataset: labelled frames (`in_memory` saves decoding them); its `transform` is not used.
        out: folder of the run.
        validation: held-out training videos; their mean IoU chooses `best`.
        resume: continue the run in `out`, from the beginning when it holds none.
        pretrained_encoder: start the backbone from ImageNet.
        initial: start a new run from this checkpoint instead, as `VSODNet.load_trunk` does.
        first_step: steps of the schedule to pass over, where `initial` is of a lost run.
        last_step: where to stop, to branch there; 0: at the end.
        workers, progress: processes that load and augment; show a progress bar.
        device: "cpu", "cuda:1" ...; None: the fastest there is.
        on_log: called with every logged line, for live curves.
        facts: what else the record of the checkpoints shall say.
        net: the network to train, e.g. with a module of one's own; None: a new one.

    Returns:
        The trained network (averaged weights with `ema_decay`), on the CPU, in evaluation mode.

    Raises:
        ValueError: `out` holds another run or one that goes on; data do not fit; a loss not finite.
        OSError: the disk is full or a loading process was killed, after the state was saved.
        KeyboardInterrupt: Ctrl-C or SIGTERM, after the state was saved.
    """
    keep_freed_memory()
    data, validation = dataset.labelled(), validation and validation.labelled()
    given = (Path(out), model_config, config, data, validation, device, facts or {}, net)
    run = Run(*given, resume, pretrained_encoder, initial, first_step, last_step)
    accelerator, clock, state = run.accelerator, run.clock, run.out / STATE
    writes = accelerator.is_main_process
    loader = DataLoader(
        TrainBatches(data, config, accelerator.process_index, accelerator.num_processes),
        batch_size=None,
        sampler=clock.upcoming(),
        num_workers=workers,
        pin_memory=accelerator.device.type == "cuda",
        worker_init_fn=leave_signals_to_the_loop,
    )
    bar = partial(tqdm, total=config.steps, initial=clock.step, desc="Training", unit="step")
    with (
        sole_process(run.out) if writes else nullcontext(),
        stop_requests(accelerator) as asked_to_stop,
        bar(disable=not (progress and writes)) as bar,
        saved_on_failure(run),
        closing(from_workers(loader)) as batches,
    ):
        log = Log(run.out / LOG, clock.step, writes, on_log)
        for batch in batches:
            losses = _step(run, batch)
            clock.tick(accelerator)
            log.add(clock.step, losses, run.optimizer.param_groups[-1]["lr"], _names(batch))
            bar.update()
            bar.set_postfix_str(log.shown, refresh=False)
            stopping = asked_to_stop()
            if clock.step % config.checkpoint_every == 0 or clock.over or stopping:
                log.check()
                run.save(log)
            if stopping:
                raise KeyboardInterrupt(f"Stopped after step {clock.step}; resume from {state}.")
            if clock.over:
                break
    return run.trained()


def _step(run: Run, batch: dict[str, Any]) -> dict[str, Tensor]:
    """Forward, loss, backward, step; returns the losses."""
    config, accelerator, optimizer = run.config, run.accelerator, run.optimizer
    rank = config.batch_size + accelerator.process_index  # behind the samples' places
    torch.manual_seed(seed_of(config.seed, run.clock.step + 1, rank))
    rate = learning_rate_factor(run.clock.position, config)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * rate
    losses = _losses(run.model, batch, config, accelerator)
    optimizer.zero_grad()
    accelerator.backward(losses["loss"])
    if config.clip_gradient:
        accelerator.clip_grad_norm_(run.model.parameters(), config.clip_gradient)
    optimizer.step()
    if run.average:
        run.average.update(run.net)
    return losses


def _losses(
    model: nn.Module, batch: dict[str, Any], config: TrainConfig, accelerator: Accelerator
) -> dict[str, Tensor]:
    """Forward pass and objective of one batch; `"loss"` carries the gradient."""
    _, phase = config.schedule[batch["phase"]]
    move = {"device": accelerator.device, "non_blocking": True}
    images = batch["image"].to(memory_format=torch.channels_last, **move)
    masks, groups = (batch[k].to(**move) for k in ("mask", "group"))
    partners = {}
    if accelerator.unwrap_model(model).config.inter_frame_attention:
        partners = {"partners": training_partners(groups)}
    with accelerator.autocast():
        output = model(images, **partners)
    over_processes = partial(accelerator.reduce, reduction="mean")
    losses = objective(output.logits, output.features, masks, groups, phase, over_processes)
    with torch.no_grad():  # which half of the data is learned, and which is not yet
        errors = F.binary_cross_entropy_with_logits(output.logits.float(), masks, reduction="none")
        errors = errors.mean(dim=(1, 2, 3))
        for name, mine in (("image", batch["is_image"]), ("video", ~batch["is_image"])):
            losses[f"bce_{name}"] = errors[mine.to(errors.device)].mean()
    return losses


def _names(batch: dict[str, Any]) -> str:
    return ", ".join(f"{v}/{f}" for v, f in zip(batch["video"], batch["frame"], strict=True))
