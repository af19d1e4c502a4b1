"""What compare.py wrote, as one small file: summary.py OUT.json FOLDER ...; later folders replace."""

import json
import sys
from pathlib import Path

import numpy as np


def mean_by(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    _, index, count = np.unique(group, return_inverse=True, return_counts=True)
    return np.bincount(index, values) / count


def summary(path: Path) -> dict:
    """Per stage and model: recall, item-macro recall, paired gains over rivals with 1.96 standard errors."""
    held = np.load(path)
    found: dict = {"tuning": json.loads(str(held["log"]))["tuning"], "stages": {}}
    for stage in [name.split("|")[0] for name in held.files if name.endswith("|pairs")]:
        user, item = held[f"{stage}|pairs"]
        own = [n for n in held.files if n.startswith(f"{stage}|") and n.endswith("|100")]
        labels = [name.split("|")[1] for name in own]
        users = {label: mean_by(user, held[f"{stage}|{label}|100"].astype(float)) for label in labels}
        rows = {}
        for label in labels:
            row = {
                "recall@100": users[label].mean(),
                "recall@20": mean_by(user, held[f"{stage}|{label}|20"].astype(float)).mean(),
                "recall@100_item": mean_by(item, held[f"{stage}|{label}|100"].astype(float)).mean(),
            }
            for rival in {"ease", "wmf", "blend"} & set(labels) - {label}:
                gain = users[label] - users[rival]
                row[f"over_{rival}"] = [gain.mean(), 1.96 * gain.std() / len(gain) ** 0.5]
            rows[label] = {k: np.round(v, 4).tolist() for k, v in row.items()}
        found["stages"][stage] = {"users": len(np.unique(user)), "models": rows}
    return found


def main() -> None:
    latest: dict = {
        "command": "python benchmarks/recommend/compare.py OUT; summary.py",
        "hardware": "one H100",
    }
    for folder in map(Path, sys.argv[2:]):
        for path in sorted(folder.glob("*.npz")):
            made = summary(path)
            before = latest.get(path.stem, {"tuning": {}})
            made["tuning"] = made["tuning"] or before["tuning"]
            latest[path.stem] = made
    Path(sys.argv[1]).write_text(json.dumps(latest, indent=1))


if __name__ == "__main__":
    main()
