"""Options that `run`, `sweep` and `relaunch` share: how runs are computed, never what."""

from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import RUNS_HELP
from lineshaft.engine.run.options import Options

Runs = Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1; auto is the GPU where there is one")]
Every = Annotated[float, typer.Option("--checkpoint-every", min=0, help="seconds between checkpoints")]
Track = Annotated[list[str] | None, typer.Option("--track", help="mirror metrics to wandb or tensorboard")]
Strict = Annotated[bool, typer.Option("--strict", help="refuse to go on with what other code computed")]
Retry = Annotated[bool, typer.Option("--retry", help="try failed runs again")]
Workers = Annotated[int | None, typer.Option(min=1, help="runs at once (default: cores, or GPUs)")]
PerGpu = Annotated[int, typer.Option("--per-gpu", min=1, help="runs that share one GPU")]
Threads = Annotated[int | None, typer.Option(min=1, help="threads a run (default: cores // runs at once)")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="start nothing more after a failure")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="list the runs and their states, start none")]
Slurm = Annotated[list[str] | None, typer.Option("--slurm", help="submit: partition=.. time=.. gpus=..")]
PerJob = Annotated[int, typer.Option("--per-job", min=1, help="runs in one Slurm job")]
MaxJobs = Annotated[int | None, typer.Option("--max-jobs", min=1, help="a site's limit of jobs")]


def launched(
    device: str, threads: int, every: float, retry: bool, track: list[str] | None, strict: bool = False
) -> Options:
    """What a launcher hands to every run."""
    return Options(device, threads, every, retry, track=tuple(track or ()), strict=strict)
