"""One fresh process a run: `python -m lineshaft.engine.bench.peers.plain LR SEED`."""

import sys

from lineshaft.engine.bench.tiny import train

if __name__ == "__main__":
    print(train(float(sys.argv[1]), int(sys.argv[2])))
