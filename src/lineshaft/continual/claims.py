"""This system's rows of the ledger; values come from the runs' own files, each with the control that could
break it.
"""

from functools import partial

from lineshaft.continual.comparisons import (
    adapted,
    against_the_mask,
    coupled,
    on_scenes,
    subset_on_sentiment,
    without_labels,
)
from lineshaft.continual.queries import STREAM, cifar10, sat7, self_supervised, sentiment
from lineshaft.engine.claims.claim import Claim
from lineshaft.engine.claims.verdict import AtLeast

NEARLY_EQUAL = 1.0
"""Points that count as nearly equal."""

CLAIMS = [
    Claim(
        id="continual.knn",
        text="under kNN, LP-FT alone forgets less than fine-tuning and compares well with strong methods",
        how="LP-FT minus fine-tuning with and without the loss over the task's logits (the control), points "
        "of task-incremental kNN on Seq-CIFAR-10, equal epochs, lr tuned on validation, paired over seeds",
        experiment=STREAM,
        query=cifar10,
        measure=partial(against_the_mask, metric="knn_task"),
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.probe",
        text="and under few-shot probing it is nearly equal or better",
        how="the same runs and the same control under a linear probe of 50 images a class; nearly equal: the "
        "interval lies above -1 point",
        experiment=STREAM,
        query=cifar10,
        measure=partial(against_the_mask, metric="probe"),
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.adapt",
        text="under few-shot fine-tuning of the final representation strong methods do worse than naive "
        "fine-tuning, LP-FT does better",
        how="LP-FT minus fine-tuning with and without the control, all of the final network adapted by 50 "
        "images a class, five seeds; SI, LwF, DER minus fine-tuning beside it: partly where none does worse",
        experiment=STREAM,
        query=cifar10,
        measure=adapted,
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.couple",
        text="LP-FT coupled with SI, DER, LwF maintains or improves them",
        how="the least of six paired differences, each method with and without LP-FT at equal epochs on "
        "Seq-CIFAR-10, under kNN and under few-shot fine-tuning; maintains: above -1 point",
        experiment=STREAM,
        query=cifar10,
        measure=coupled,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.ssl",
        text="LP-FT works with a Siamese network",
        how="SimSiam and Barlow Twins on Seq-CIFAR-10, fine-tuning against probing the predictor or all that "
        "is behind the features, equal epochs, kNN; control: the untrained network, which both must beat",
        experiment=STREAM,
        query=self_supervised,
        measure=without_labels,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.real",
        text="LP-FT scales to real-world data",
        how="LP-FT minus fine-tuning from ImageNet weights on aerial scenes in five domains, split by source "
        "file, few-shot fine-tuning of the final representation; the control is a frozen network under "
        "heads in closed form, which LP-FT must not fall behind in class accuracy",
        experiment=STREAM,
        query=sat7,
        measure=on_scenes,
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.nlp",
        text="a variant that probes only the task-specific subset is best on the ASC benchmark",
        how="19 aspect-sentiment tasks, B-CL in MiniLM: probing masks, capsules and head rows of the task "
        "minus the best of adapters, masks, B-CL and LP-FT by the head alone (the control), paired by order",
        experiment=STREAM,
        query=sentiment,
        measure=subset_on_sentiment,
        verdict=AtLeast(0),
    ),
]
