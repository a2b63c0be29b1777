"""Training: fit() on Hugging Face Accelerate, from one CPU to many GPUs.

Section 3.5: SGD, learning rate 1e-4, batches of 8, binary cross-entropy and the contrastive loss
(Eq. 10). What a step does depends on the seed and the step's number alone (batch, augmentation,
dropout), so that a run that was stopped continues as if it never had been.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from vsodlib import checkpoint
from vsodlib.allocator import keep_freed_memory
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import FrameDataset
from vsodlib.data.batches import TrainBatches, seed_of
from vsodlib.data.transforms import train_transform
from vsodlib.losses import contrastive_loss, is_finite, pool_regions, saliency_loss
from vsodlib.model import Output, VSODNet
from vsodlib.optim import WeightAverage, build_optimizer, learning_rate_factor
from vsodlib.predict import predict_maps, reference_frames
from vsodlib.run_folder import (
    LOG,
    STATE,
    Log,
    leave_signals_to_the_loop,
    load_state,
    save_state,
    sole_process,
    stop_requests,
    training_record,
)
from vsodlib.temporal import training_partners


def objective(
    output: Output,
    masks: Tensor,
    groups: Tensor,
    config: TrainConfig,
    anchor_count: Callable[[Tensor], Tensor] = lambda count: count,
) -> dict[str, Tensor]:
    """L = L_bce + L_cl (Eq. 10), with the weights and the extra term of the configuration.

    Args:
        output: of the network.
        masks: (B, 1, H, W) float in [0, 1].
        groups: (B,) int64, equal for frames of one video.
        anchor_count: this process's number of anchors -> the average over all processes, so that
            every anchor weighs the same wherever it is.

    Returns:
        `"loss"` to minimise, and its parts by name; scalars.
    """
    losses = saliency_loss(output.logits, masks, config.iou_weight)
    if config.contrastive_weight:
        saliency = output.logits.detach().float().sigmoid()
        regions = pool_regions(output.features, masks, saliency, groups, config.region_grid)
        terms = contrastive_loss(regions, config.samples, config.mining, config.temperature)
        count = anchor_count(terms.new_tensor(len(terms))).clamp(min=1e-6)
        contrastive = terms.sum() / count
        losses["loss"] = losses["loss"] + config.contrastive_weight * contrastive
        losses["contrastive"] = contrastive.detach()
    return losses


def set_training_mode(net: nn.Module, config: TrainConfig) -> None:
    """Training mode, batch norms excepted where the configuration freezes them."""
    net.train()
    if config.freeze_batch_norm:
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def mean_iou(net: VSODNet, dataset: FrameDataset, height: int, every: int = 4) -> float:
    """Intersection over union at threshold 0.5, averaged over every `every`-th frame of each video:
    a quick measure to choose a checkpoint by, not a published protocol.

    Leaves the network in evaluation mode.
    """
    net.eval()
    scores = []
    for indices in dataset.videos.values():
        references = reference_frames(net, dataset, indices)
        frames = dataset.images(indices[::every])
        maps = predict_maps(net, frames, height, references=references)
        for index, saliency in zip(indices[::every], maps, strict=True):
            predicted, mask = saliency >= 0.5, dataset.mask(index)
            union = (predicted | mask).sum()
            scores.append((predicted & mask).sum() / union if union else 1.0)
    return float(np.mean(scores))


def fit(
    model_config: ModelConfig,
    config: TrainConfig,
    dataset: FrameDataset,
    out: str | Path,
    validation: FrameDataset | None = None,
    resume: bool = False,
    pretrained_encoder: bool = True,
    initial: str | Path | None = None,
    workers: int = 0,
    progress: bool = True,
    on_log: Callable[[dict[str, Any]], None] | None = None,
) -> VSODNet:
    """Train a network and leave in `out`: `log.jsonl`, `last.safetensors`, `best.safetensors` (with
    a validation set), and `state.pt` to resume from.

    Launch under `accelerate launch` or Accelerate's notebook launcher for several devices.

    Args:
        model_config, config: what to train and how.
        dataset: labelled frames (`FrameDataset.in_memory` saves decoding them every epoch).
        out: folder of the run.
        validation: held-out training videos; their mean IoU chooses `best`.
        resume: continue the run in `out`, from the beginning when it holds none.
        pretrained_encoder: start the backbone from ImageNet.
        initial: start from this checkpoint (a name or path) instead, in a new run of its own.
        workers: processes that load and augment.
        progress: show a progress bar.
        on_log: called with every logged line, for live curves.

    Returns:
        The trained network (averaged weights with `ema_decay`), on the CPU, in evaluation mode.

    Raises:
        ValueError: `out` holds another run or one on other data, or another process trains there,
            the data do not fit the configuration, or the loss stopped being finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM, after the state was saved.
    """
    keep_freed_memory()
    out = Path(out)
    AcceleratorState._reset_state()  # it remembers the precision of an earlier fit()
    accelerator = Accelerator(mixed_precision=config.precision)
    state = load_state(out, model_config, config, resume)
    torch.manual_seed(config.seed)
    fresh = state is None and initial is None
    net = VSODNet(model_config, pretrained_encoder=pretrained_encoder and fresh)
    if initial and not state:
        net.load_state_dict(VSODNet.from_pretrained(initial, model_config).state_dict())
    net = net.to(accelerator.device, memory_format=torch.channels_last)
    if accelerator.num_processes > 1 and accelerator.device.type == "cuda":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    optimizer = build_optimizer(net, config)
    average = WeightAverage(net, config.ema_decay) if config.ema_decay else None
    first, best = 0, -1.0
    if state:
        first, best = state["step"], state["best"]
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        if average:
            average.net.load_state_dict(state["average"])
            average.updates = first
    model, optimizer = accelerator.prepare(net, optimizer)
    if config.compile:
        model = torch.compile(model)

    dataset = copy.copy(dataset.labelled())
    dataset.transform = train_transform(config)
    batches = TrainBatches(dataset, config, accelerator.process_index, accelerator.num_processes)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, config.steps),
        num_workers=workers,
        worker_init_fn=leave_signals_to_the_loop,
    )
    chosen = average.net if average else net
    average_over_processes = partial(accelerator.reduce, reduction="mean")
    record = training_record(
        model_config, config, dataset, accelerator.device, None if state else initial
    )
    if state and "record" in state:
        before = state["record"]
        if before["data"] != record["data"]:
            raise ValueError(
                f"{out} holds a run on {before['data']}, not on {record['data']}; give the same "
                "data to resume it, or name another folder."
            )
        record |= {key: before[key] for key in ("initial",) if key in before}

    def save(step: int) -> None:
        nonlocal best
        if not accelerator.is_main_process:
            return
        if validation is not None and step:
            score = mean_iou(chosen, validation, config.height)
            set_training_mode(net, config)
            log.write({"step": step, "validation_iou": score})
            if score > best:
                best = score
                found = {"step": step, "validation_iou": score}
                checkpoint.write(out / "best", chosen.state_dict(), record | found)
        save_state(
            out / STATE,
            {
                "step": step,
                "best": best,
                "model_config": model_config.to_dict(),
                "config": config.to_dict(),
                "record": record,
                "net": net.state_dict(),
                "optimizer": optimizer.state_dict(),
                "average": average.net.state_dict() if average else None,
            },
        )

    out.mkdir(parents=True, exist_ok=True)
    set_training_mode(net, config)
    step = first
    writes = accelerator.is_main_process
    with (
        sole_process(out, writes),
        stop_requests() as stop,
        tqdm(
            total=config.steps,
            initial=first,
            desc="Training",
            unit="step",
            disable=not (progress and writes),
        ) as bar,
    ):
        log = Log(out / LOG, first, writes, on_log)
        for step, batch in enumerate(loader, first + 1):
            rank = config.batch_size + accelerator.process_index  # behind the samples' places
            torch.manual_seed(seed_of(config.seed, step, rank))
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * learning_rate_factor(step - 1, config)
            images = batch["image"].to(accelerator.device, memory_format=torch.channels_last)
            masks, groups = (batch[k].to(accelerator.device) for k in ("mask", "group"))
            partners = {}
            if model_config.inter_frame_attention:
                partners = {"partners": training_partners(groups)}
            with accelerator.autocast():
                output = model(images, **partners)
            losses = objective(output, masks, groups, config, average_over_processes)
            if not is_finite(losses["loss"]):
                raise ValueError(
                    f"The loss stopped being finite at step {step} (frames {_names(batch)}); "
                    "start anew with a lower learning rate."
                )
            optimizer.zero_grad()
            accelerator.backward(losses["loss"])
            if config.clip_gradient:
                accelerator.clip_grad_norm_(model.parameters(), config.clip_gradient)
            optimizer.step()
            if average:
                average.update(net)
            log.add(
                step, {k: v.item() for k, v in losses.items()}, optimizer.param_groups[-1]["lr"]
            )
            bar.update()
            bar.set_postfix(loss=f"{log.recent:.3f}", refresh=False)
            stopping = stop.agreed(accelerator)
            if step % config.checkpoint_every == 0 or step == config.steps or stopping:
                save(step)
            if stopping:
                raise KeyboardInterrupt(f"Stopped after step {step}; resume from {out / STATE}.")
    chosen = copy.deepcopy(accelerator.unwrap_model(chosen)).cpu().eval()
    chosen.input_height = config.height
    if accelerator.is_main_process:
        checkpoint.write(out / "last", chosen.state_dict(), record | {"step": step})
    accelerator.wait_for_everyone()
    return chosen


def _names(batch: dict[str, Any]) -> str:
    return ", ".join(f"{v}/{f}" for v, f in zip(batch["video"], batch["frame"], strict=True))
