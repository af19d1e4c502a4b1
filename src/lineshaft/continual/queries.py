"""Which runs bear on a claim, and which row of its table a run belongs to."""

from collections.abc import Mapping

from lineshaft.engine.table.table import Table

STREAM = "continual.stream"
FREE = ("seed", "schedule", "methods", "evaluate", "data_seed")


def cifar10(runs: Table) -> Table:
    """Seq-CIFAR-10 as its table has it: ResNet-18, labels, 10 epochs, whatever the schedule and the
    method.
    """
    from lineshaft.continual.rows import cifar10 as config

    return at_equal_epochs(runs.like(config(), FREE))


def sat7(runs: Table) -> Table:
    """Aerial scenes from ImageNet weights, split by source file; the small table where the full one is not
    there.
    """
    from lineshaft.continual import tables

    full = at_equal_epochs(runs.like(tables.sat7()[0], FREE))
    return full if len(full) else at_equal_epochs(runs.like(tables.sat7_small()[0], FREE))


def self_supervised(runs: Table) -> Table:
    """SimSiam and Barlow Twins with fine-tuning and with LP-FT by every head, and the untrained network."""
    from lineshaft.continual.tables import seq_cifar10_self_supervised as rows

    return at_equal_epochs(runs.like(rows()[0], (*FREE, "loss"))) + row(cifar10(runs), "frozen")


def sentiment(runs: Table) -> Table:
    """19 aspect-sentiment tasks with adapters in MiniLM."""
    from lineshaft.continual.tables import asc19 as rows

    return at_equal_epochs(runs.like(rows()[0], (*FREE, "backbone")))


def at_equal_epochs(runs: Table) -> Table:
    """Without LP-FT whose probing was added to the epochs or kept its norm alone."""
    usual = {"schedule.budget": "epochs", "schedule.keep": "head"}
    return Table([run for run in runs if all(run.values.get(k, v) == v for k, v in usual.items())])


def row(runs: Table, schedule: str, methods: str = "", over: str = "all") -> Table:
    """The runs of one schedule, one list of methods (`si`) and one choice of logits in the loss."""
    found = [run for run in runs if run.values.get("schedule") == schedule]
    found = [run for run in found if (run.values.get("methods") or "") == methods]
    return Table([run for run in found if run.values.get("schedule.loss_over", "all") == over])


SYSTEMS = (
    "adapters",
    "adapters + LP-FT",
    "masks",
    "B-CL",
    "B-CL + LP-FT of the head",
    "B-CL + LP-FT of the task's subset",
)


def kind_of(values: Mapping[str, object]) -> str:
    """Which of SYSTEMS a run is, empty for another."""
    is_lpft, head = values.get("schedule") == "lpft", values.get("schedule.head", "head")
    masked, capsules = (values.get("methods") or "") == "hat", bool(values.get("backbone.capsules"))
    if not masked:
        return ("adapters + LP-FT" if is_lpft else "adapters") if not capsules else ""
    if not capsules:
        return "" if is_lpft else "masks"
    whole = {"head": "B-CL + LP-FT of the head", "task": "B-CL + LP-FT of the task's subset"}
    return whole.get(str(head), "") if is_lpft else "B-CL"
