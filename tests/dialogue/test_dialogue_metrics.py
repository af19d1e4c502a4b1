"""Intervals over dialogues, with known answers."""

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap, per_dialogue


def test_right_turns_are_counted_by_dialogue():
    assert per_dialogue(np.array([1, 0, 1, 1.0]), np.array([0, 0, 1, 1])).tolist() == [1, 2]


def test_a_constant_difference_has_no_spread():
    assert bootstrap(np.ones(12), np.repeat(np.arange(4), 3)) == (100, 100, 100)


def test_the_interval_holds_the_mean_and_narrows_with_more_dialogues():
    rng = np.random.default_rng(1)
    widths = []
    for dialogues in (40, 640):
        right = (rng.random(dialogues * 5) < 0.3).astype(float)
        mean, low, high = bootstrap(right, np.repeat(np.arange(dialogues), 5))
        assert low < mean < high
        widths.append(high - low)
    assert 3 < widths[0] / widths[1] < 5.5


def test_turns_of_one_dialogue_are_not_independent():
    rng = np.random.default_rng(2)
    dialogue = np.repeat(np.arange(60), 8)
    together = np.repeat(rng.random(60) < 0.5, 8).astype(float)
    apart = (rng.random(480) < 0.5).astype(float)
    width = [np.ptp(bootstrap(right, dialogue)[1:]) for right in (together, apart)]
    assert width[0] > 2 * width[1]
