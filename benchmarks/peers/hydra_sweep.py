"""The same grid under Hydra: `python -m benchmarks.peers.hydra_sweep -m lr=0.1,0.01 seed=0,1`."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from benchmarks.tiny import train

ConfigStore.instance().store(name="config", node={"lr": 0.01, "seed": 0})


@hydra.main(version_base=None, config_name="config")
def main(config: DictConfig) -> None:
    print(train(config.lr, config.seed))


if __name__ == "__main__":
    main()
