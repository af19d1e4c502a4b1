"""Make a solver to ship of a training's weights: its first member, the nets' weights in half precision.

    python -m tools.ship_lhpc MODEL src/lineshaft/plasma/lhpc/trained/front.safetensors

The first member, not the best: choosing among members would be one more choice. Scales stay float32.
"""

import json
import sys
from pathlib import Path

from lineshaft.plasma.lhpc import weights
from lineshaft.plasma.lhpc.build import picked


def main(source: Path, out: Path) -> None:
    config, parts = weights.read(source)
    small = {
        part: {k: picked(v, 0).half() if k.startswith("net.") else v for k, v in values.items()}
        for part, values in parts.items()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    weights.write(out, json.dumps(config | {"members": 1}), small)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
