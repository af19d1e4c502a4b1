"""Every comparison of the recommend page in one go: compare.py OUT [SECONDS] [CORNER].

One process for each data set and task (warm, guest, cold, outside); each writes OUT/SET-TASK.npz with what
every model found of every held-out pair. Models are fitted once and shared: the blend without the net and the
blend with it see the same folds, parts and search. The protocol: docs/results/recommend-protocol.md. SECONDS:
no ablation is begun later; CORNER: the first users and items alone, to rehearse.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine.data.dataset import locate
from lineshaft.recommend import data as sets
from lineshaft.recommend.catalogue import animeulike, citeulike
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate import folds
from lineshaft.recommend.evaluate.folds import Fold
from lineshaft.recommend.evaluate.ranks import Ranks, rank
from lineshaft.recommend.models import closedform, wmf
from lineshaft.recommend.models.blend import Blend, Gated, Inner
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model, Scorer, counts
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.nets.losses import Entmax
from lineshaft.recommend.text.encoders import Words

SEEDS = (0, 1, 2)
TASKS = ("warm", "guest", "cold", "outside")
CHOSEN = {
    ("citeulike-a", "warm"): (0, 0),
    ("citeulike-a", "guest"): (1, 0),
    ("citeulike-a", "cold"): (1, 1),
    ("citeulike-a", "outside"): (1, 1),
    ("animeulike", "warm"): (1, 2),
    ("animeulike", "guest"): (1, 2),
    ("animeulike", "cold"): (1, 2),
    ("animeulike", "outside"): (1, 2),
}
"""Of three settings of the net and three of DropoutNet, the one that validation took (STEP=tune)."""
QUICK = os.environ.get("QUICK") == "1"


class Setting:
    """Settings of one data set, as the protocol names them."""

    def __init__(self, name: str, task: str) -> None:
        library = name == "citeulike-a"
        self.ease = Ease(lam=140 if library else 400)
        self.l3ae = L3ae(lam=40, pull=100) if library else L3ae(lam=150, pull=500, fewest=3)
        alpha = (10 if task in ("cold", "outside") else 20) if library else (10 if task == "warm" else 5)
        bridge = Bridge(lam=3 if library else 10)
        self.wmf = (
            Wmf(factors=200, alpha=alpha, bridge=bridge)
            if library
            else Wmf(factors=32, reg=20, alpha=alpha, bridge=bridge)
        )
        start = Wmf(factors=200, alpha=10) if library else Wmf(factors=96, reg=20, alpha=5)
        epochs = 2 if QUICK else 50
        self.net = DeepNaniNet(epochs=epochs, distil=0.5 if library else 1.5, start=start, teacher=self.l3ae)
        self.net_tries = [
            self.net,
            self.net.model_copy(update={"epochs": 2 * epochs}),
            self.net.model_copy(update={"id_drop": 0.6}),
        ]
        base = DropoutNet(
            epochs=4 if QUICK else 200,
            hops=0 if library else 2,
            wmf=self.wmf.model_copy(update={"bridge": None}),
        )
        self.rival_tries = [
            base,
            base.model_copy(update={"item_drop": 0.7}),
            base.model_copy(update={"fold_in": False}),
        ]
        power = 6 if library else 4
        self.parts: list[tuple[Model, bool]] = [
            (self.ease, False),
            (self.l3ae, False),
            (self.wmf, True),
            (Content(), False),
            (Content(power=power), True),
            (Content(encoder=Words()), True),
            (Graph(), True),
            (Popularity(), False),
        ]
        if not library:
            self.parts.append((Prior(), False))


def opened(name: str, corner: int) -> Data:
    if name == "citeulike-a":
        made = citeulike.opened(
            *(locate(one) for one in (sets.CITEULIKE, sets.CITEULIKE_COLD, sets.CITEULIKE_ITEMS))
        )
    else:
        users, likes = animeulike.likes(locate(sets.ANIMEULIKE))
        made = Data(users, likes, animeulike.catalogue(locate(sets.ANIMEULIKE_ITEMS)))
    return cut(made, corner) if corner else made


def cut(data: Data, size: int) -> Data:
    """The first users and items alone, to rehearse; its figures mean nothing."""
    from dataclasses import replace

    from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges

    c = data.catalogue
    inside = (c.edges.source < size) & (c.edges.target < size)
    texts = [t for t, i in zip(c.edges.texts or [""] * len(inside), inside) if i]
    edges = Edges(c.edges.source[inside], c.edges.target[inside], c.edges.weight[inside], texts)
    prior = None if c.prior is None else c.prior[:size]
    small = Catalogue(c.ids[:size], c.titles[:size], c.texts[:size], c.tags[:size], prior=prior, edges=edges)
    likes = data.likes[: 3 * size, :size].tocsr()
    return replace(
        data,
        users=data.users[: 3 * size],
        likes=likes,
        catalogue=small,
        published_warm=None,
        published_cold=None,
    )


def task_folds(data: Data, task: str) -> tuple[csr_matrix, dict[str, Fold], Fold]:
    """Training part, the folds to be judged, and a validation fold of the same kind inside the former."""
    lots = data.lots.under("compare")
    guests = folds.draw_guests(data.likes, lots, 0.2, 1100)
    if task == "warm":
        fold = folds.warm_fold(data.warm(0))
        inner = folds.warm_fold(data.validation(fold.train, "compare"))
        return fold.train, {"warm": fold}, inner
    if task == "guest":
        made = {
            f"guest{b or '80%'}": folds.guest_fold(data.likes, guests, b, lots) for b in (None, 1, 3, 5, 10)
        }
        train = made["guest1"].train
        own = folds.draw_guests(train, lots.under("validation"), 0.2, 1100)
        return train, made, folds.guest_fold(train, own, 3, lots.under("validation"))
    fold = folds.warm_fold(data.cold(0))
    fold = folds.asked_alone(
        fold, (folds.sizes(data.likes) >= folds.FEWEST) & (folds.sizes(fold.baskets) > 0)
    )
    if task == "outside":
        fold = folds.apart(fold, guests)
    liked = np.unique(fold.train.indices)
    drawn = liked[np.argsort(lots.of_items()[liked])][: len(np.unique(data.cold(0).test.indices))]
    return fold.train, {task: fold}, folds.warm_fold(folds.cold_of(fold.train, np.sort(drawn)))


def memo(function, key):
    """The function, computing each answer once."""
    known: dict = {}

    def asked(*words):
        name = key(*words)
        if name not in known:
            known[name] = function(*words)
        return known[name]

    return asked


def work(name: str, task: str, out: Path, seconds: float, corner: int) -> None:
    import torch

    torch.set_num_threads(2)
    torch.backends.cuda.matmul.allow_tf32 = True
    began = time.time()
    closedform.fit = memo(
        closedform.fit,
        lambda l, c, p, r: (l.nnz, l.indices.tobytes()[:4000], p.lam, p.side, p.pull, p.fewest, r),
    )
    shared = memo(
        wmf.item_factors, lambda l, w, s, t: (l.nnz, l.indices.tobytes()[:4000], w.model_dump_json())
    )
    wmf.item_factors = shared
    import lineshaft.recommend.models.deepnaninet as net_module

    net_module.item_factors = shared

    def say(*words: object) -> None:
        print(f"{time.time() - began:5.0f}s {name} {task}", *words, flush=True)

    data, how = opened(name, corner), Setting(name, task)
    train, judged, inner_fold = task_folds(data, task)
    catalogue, kept, log = data.catalogue, {}, {"tuning": {}}
    say("opened", train.shape, train.nnz)

    def fit(model: Model, likes: csr_matrix, seed: int = 0) -> Scorer:
        return model.fit(likes, catalogue, seed=seed, threads=2)

    def tune(tries: list) -> Model:
        """The best of three settings on the validation fold, by recall@100 + recall@20 / 2."""
        found = []
        for model in tries:
            ranks = judge_on(fit(model, inner_fold.train), inner_fold)
            value = float(ranks.recall(100).mean() + ranks.recall(20).mean() / 2)
            found.append(value)
            say(
                "tune",
                model.name,
                model.model_dump(include={"epochs", "id_drop", "item_drop", "fold_in"}),
                f"{value:.4f}",
            )
        log["tuning"][tries[0].name] = found
        return tries[int(np.argmax(found))]

    def judge_on(scorer: Scorer, fold: Fold) -> Ranks:
        return rank(lambda rows: scorer.score(fold.baskets[rows]), fold)

    def put(label: str, scorer: Scorer) -> None:
        for stage, fold in judged.items():
            ranks = judge_on(scorer, fold)
            kept[f"{stage}|{label}|100"] = ranks.hits(100).astype(np.float16)
            kept[f"{stage}|{label}|20"] = ranks.hits(20).astype(np.float16)
            kept[f"{stage}|{label}|ndcg"] = ranks.ndcg(20).astype(np.float16)
            kept[f"{stage}|pairs"] = np.stack([ranks.user, ranks.item]).astype(np.int32)
            say(
                stage,
                label,
                f"{ranks.recall(100).mean():.4f} {ranks.recall(20).mean():.4f}",
                f"{ranks.item_recall(100).mean():.4f}",
            )

    def save() -> None:
        log["seconds"] = time.time() - began
        np.savez_compressed(out / f"{name}-{task}.npz", log=np.array(json.dumps(log)), **kept)

    if os.environ.get("STEP") == "tune":
        tune(how.net_tries)
        tune(how.rival_tries)
        save()
        return
    net, rival = how.net_tries[CHOSEN[name, task][0]], how.rival_tries[CHOSEN[name, task][1]]
    for label, model in (
        ("popularity", Popularity()),
        ("ease", how.ease),
        ("wmf", how.wmf),
        ("l3ae", how.l3ae),
    ):
        put(label, fit(model, train))
    save()
    inner = Inner.draw(train, catalogue, Blend(most=300), 0)
    say("inner", inner.baskets.shape, len(inner.hidden))
    features = [inner.judge(part, 0, 2).z for part, _ in how.parts]
    rare = [flag for _, flag in how.parts]
    plain = inner.gate(features, rare, 0)
    say("gate without the net")
    with_net = inner.gate([*features, inner.judge(net, 0, 2).z], [*rare, False], 0)
    log["gate"] = {
        "plain": plain.rated.tolist(),
        "net": with_net.rated.tolist(),
        "net_unrated": with_net.unrated.tolist(),
    }
    del features
    parts = {f"{n}_{part.name}": fit(part, train) for n, (part, _) in enumerate(how.parts)}
    blend = Gated(catalogue, counts(train), parts, plain)
    put("blend", blend)
    save()

    def both(label: str, scorer: Scorer) -> None:
        put(f"net {label}", scorer)
        put(f"blend+net {label}", Gated(catalogue, counts(train), {**parts, "net": scorer}, with_net))

    for seed in SEEDS:
        both(str(seed), fit(net, train, seed))
        save()
    changes = {
        "no graph": {"edges": "none"},
        "shuffled edges": {"edges": "shuffled"},
        "edges without text": {"edges": "plain"},
        "no distillation": {"distil": 0.0},
        "id drop 0.1": {"id_drop": 0.1},
        "id drop 0.8": {"id_drop": 0.8},
        "entmax": {"loss": Entmax()},
    }
    for seed in SEEDS if task in ("cold", "warm") else ():
        for label, change in changes.items():
            if time.time() - began > seconds:
                say("no time for", label, seed)
                continue
            both(f"{seed} {label}", fit(net.model_copy(update=change), train, seed))
        save()
    for seed in SEEDS:
        if time.time() - began < seconds:
            put(f"dropoutnet {seed}", fit(rival, train, seed))
            save()
    say("done")


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1e9
    corner = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    chosen = os.environ.get("SETS", "citeulike-a,animeulike").split(",")
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=work, args=(name, task, out, seconds, corner))
        for task in TASKS
        for name in chosen
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    sys.exit(max(abs(process.exitcode or 0) for process in running))


if __name__ == "__main__":
    main()
