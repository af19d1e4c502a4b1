"""The systems of a loop as one table."""

from __future__ import annotations

from collections.abc import Mapping

from lineshaft.dialogue.systems import SYSTEMS

LABELS = {
    "empty": "empty state",
    "copy": "copy the previous state",
    **{name: system.label for name, system in SYSTEMS.items()},
    "ceiling": "oracle among the candidates",
}


def systems(result: Mapping[str, float]) -> str:
    """One line a system: joint goal accuracy, its gain with the interval, above its random control, and the
    other metrics."""
    there = [key.removesuffix("/jga") for key in result if key.endswith("/jga") and key != "val/jga"]
    names = [name for name in LABELS if name in there] + [name for name in there if name not in LABELS]
    head = ["system", "JGA", "above lower", "above its control", "turn EM", "JGA strict", "JGA authors"]
    rows = [head] + [_row(result, name) for name in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )


def _row(result: Mapping[str, float], name: str) -> list[str]:
    return [
        LABELS.get(name, name),
        _number(result, f"{name}/jga"),
        _interval(result, f"{name}/gain"),
        _interval(result, f"{name}/over_random"),
        _number(result, f"{name}/turn_em"),
        _number(result, f"{name}/jga_strict"),
        _number(result, f"{name}/jga_authors"),
    ]


def _number(result: Mapping[str, float], key: str) -> str:
    return f"{result[key]:.1f}" if key in result else ""


def _interval(result: Mapping[str, float], key: str) -> str:
    if key not in result:
        return ""
    return f"{result[key]:+.1f} [{result[f'{key}_low']:+.1f}, {result[f'{key}_high']:+.1f}]"
