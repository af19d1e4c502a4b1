"""Intervals over dialogues, with known answers."""

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap


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


def test_seeds_that_agree_add_no_width_and_seeds_that_differ_do():
    rng = np.random.default_rng(3)
    dialogue = np.repeat(np.arange(400), 5)
    right = (rng.random(2000) < 0.5).astype(float)
    once, copies = bootstrap(right, dialogue), bootstrap(np.array([right] * 3), dialogue)
    assert once[0] == copies[0] and abs(np.ptp(once[1:]) - np.ptp(copies[1:])) < 0.5
    shifted = np.array([right - 0.2, right, right + 0.2])
    mean, low, high = bootstrap(shifted, dialogue)
    assert abs(mean - once[0]) < 1e-9 and high - low > 3 * np.ptp(once[1:])
