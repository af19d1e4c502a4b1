"""Parts of the neural recommenders: towers, propagation over the item graph, denoising draws, losses."""
