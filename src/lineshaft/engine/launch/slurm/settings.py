"""What a person may ask of Slurm, `partition=main time=2:00:00 gpus=1`, in submitit's terms."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.run.queue import JOB_NAME

WALLTIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<clock>\d+(?::\d+){0,2})")
LONGEST_SIGNAL = 90
NO_LIMIT = 10**9


def minutes(text: str) -> int:
    """Slurm's own spellings: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].

    >>> minutes("90"), minutes("1:30:00"), minutes("2-12"), minutes("0:30")
    (90, 90, 3600, 1)
    """
    match = WALLTIME.fullmatch(text)
    if not match:
        raise ValueError("is not a time; write minutes, HH:MM:SS or D-HH:MM:SS")
    parts = [int(part) for part in match["clock"].split(":")]
    if match["days"] or len(parts) == 3:
        hours, minute, second = [*parts, 0, 0][:3]
    else:
        hours, minute, second = [0, *parts, 0][:3]
    seconds = ((int(match["days"] or 0) * 24 + hours) * 60 + minute) * 60 + second
    if not seconds:
        raise ValueError("leaves no time to run in")
    return -(-seconds // 60)


def count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise ValueError("is not a positive whole number")
    return int(text)


SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "account": ("account", str),
    "constraint": ("constraint", str),
    "cpus": ("cpus_per_task", count),
    "exclude": ("exclude", str),
    "gpus": ("gpus_per_node", str),
    "gres": ("gres", str),
    "mem": ("mem", str),
    "nodelist": ("nodelist", str),
    "nodes": ("nodes", count),
    "partition": ("partition", str),
    "qos": ("qos", str),
    "tasks": ("ntasks_per_node", count),
    "time": ("time", minutes),
}


def parameters(settings: Mapping[str, str], threads: int, at_once: int) -> dict[str, Any]:
    """Submitit's parameters; an unknown or impossible setting is an error that names the known ones.

    srun gets the number of cores again: since Slurm 22.05 a step inherits only one. SIGUSR2 comes up to a
    minute earlier than `signal_delay_s` says, so a short job gets a short delay.
    """
    given = dict(read(key, text) for key, text in settings.items())
    given = {"time": 60, "cpus_per_task": threads, **given}
    return {
        **given,
        "job_name": JOB_NAME,
        "array_parallelism": at_once,
        "srun_args": [f"--cpus-per-task={given['cpus_per_task']}"],
        "signal_delay_s": min(LONGEST_SIGNAL, 15 * given["time"]),
    }


def read(key: str, text: str) -> tuple[str, Any]:
    if key not in SETTINGS:
        raise RequestError(f"unknown Slurm setting {key[:80]}{nearest(key, SETTINGS)}")
    name, kind = SETTINGS[key]
    try:
        return name, kind(text)
    except ValueError as error:
        raise RequestError(f"Slurm setting {key}={text[:80]} {error}") from None
