"""One fresh process a run: `python -m benchmarks.peers.plain LR SEED`."""

import sys

from benchmarks.tiny import train

if __name__ == "__main__":
    print(train(float(sys.argv[1]), int(sys.argv[2])))
