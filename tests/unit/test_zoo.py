"""Shapes of the built-in networks against the published-shape arithmetic, and their random weights."""

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network.geometry import dense_operations, synapses_inside, weight_count
from simulator.network.zoo import resnet18, vgg9, vgg11

# Layer: neurons, positions per step (padding included), positions inside, weights.
VGG11 = {
    "conv1": (65_536, 1_769_472, 1_696_512, 1_728),
    "conv2": (32_768, 18_874_368, 17_334_272, 73_728),
    "conv3": (16_384, 18_874_368, 15_859_712, 294_912),
    "conv4": (16_384, 37_748_736, 31_719_424, 589_824),
    "conv5": (8_192, 18_874_368, 13_107_200, 1_179_648),
    "conv6": (8_192, 37_748_736, 26_214_400, 2_359_296),
    "conv7": (2_048, 9_437_184, 4_194_304, 2_359_296),
    "conv8": (2_048, 9_437_184, 4_194_304, 2_359_296),
    "fc": (10, 5_120, 5_120, 5_120),
}
_S1 = (65_536, 37_748_736, 36_192_256, 36_864)
_S2 = (32_768, 37_748_736, 34_668_544, 147_456)
_S3 = (16_384, 37_748_736, 31_719_424, 589_824)
_S4 = (8_192, 37_748_736, 26_214_400, 2_359_296)
RESNET18 = {
    "conv1": (65_536, 1_769_472, 1_696_512, 1_728),
    **dict.fromkeys(("s1.b1.conv1", "s1.b1.conv2", "s1.b2.conv1", "s1.b2.conv2"), _S1),
    "s2.b1.conv1": (32_768, 18_874_368, 18_096_128, 73_728),
    "s2.b1.short": (0, 2_097_152, 2_097_152, 8_192),
    **dict.fromkeys(("s2.b1.conv2", "s2.b2.conv1", "s2.b2.conv2"), _S2),
    "s3.b1.conv1": (16_384, 18_874_368, 17_334_272, 294_912),
    "s3.b1.short": (0, 2_097_152, 2_097_152, 32_768),
    **dict.fromkeys(("s3.b1.conv2", "s3.b2.conv1", "s3.b2.conv2"), _S3),
    "s4.b1.conv1": (8_192, 18_874_368, 15_859_712, 1_179_648),
    "s4.b1.short": (0, 2_097_152, 2_097_152, 131_072),
    **dict.fromkeys(("s4.b1.conv2", "s4.b2.conv1", "s4.b2.conv2"), _S4),
    "fc": (10, 5_120, 5_120, 5_120),
}
IDENTITIES = {
    "s1.b1.identity": 65_536,
    "s1.b2.identity": 65_536,
    "s2.b2.identity": 32_768,
    "s3.b2.identity": 16_384,
    "s4.b2.identity": 8_192,
}


def figures(network):
    found = {}
    for p in network.projections:
        source, target = network.population(p.source), network.population(p.target)
        neurons = target.size if p.name == target.name else 0
        found[p.name] = (
            neurons,
            dense_operations(p, source, target),
            synapses_inside(p, source, target),
            weight_count(p, source, target),
        )
    return found


def sums(rows):
    return tuple(sum(column) for column in zip(*rows, strict=True))


def test_vgg11_has_the_shapes_of_the_table():
    found = figures(vgg11())
    assert found == VGG11
    assert sums(v for k, v in found.items() if k != "fc") == (151_552, 152_764_416, 114_320_128, 9_217_728)


def test_resnet18_has_the_shapes_of_the_table():
    found = figures(resnet18())
    identities = {name: found.pop(name) for name in IDENTITIES}
    assert found == RESNET18
    assert {name: row[2] for name, row in identities.items()} == IDENTITIES
    assert sums(v for k, v in found.items() if k != "fc") == (557_056, 555_417_600, 481_854_208, 11_159_232)


def test_shortcuts_end_in_the_second_convolution_of_their_block():
    network = resnet18()
    assert {p.name: p.source for p in network.incoming("s2.b1.conv2")} == {
        "s2.b1.conv2": "s2.b1.conv1",
        "s2.b1.short": "s1.b2.conv2",
    }
    assert {p.name: p.source for p in network.incoming("s1.b1.conv2")} == {
        "s1.b1.conv2": "s1.b1.conv1",
        "s1.b1.identity": "conv1",
    }


def test_classifier_follows_classes_and_small_images_are_refused():
    assert vgg11(classes=100).population("fc").shape == (100, 1, 1)
    with pytest.raises(InputError, match="too small"):
        vgg11(input_shape=(3, 16, 16))
    with pytest.raises(InputError, match="three positive integers"):
        resnet18(input_shape=(3, 0, 16))


def test_random_weights_depend_on_the_seed_only():
    first, again, other = vgg11(seed=3), vgg11(seed=3), vgg11(seed=4)
    assert first.has_weights and not vgg11().has_weights
    assert first.sha256 == again.sha256 != other.sha256
    weights = first.projections[1].weights
    assert weights.dtype == np.int8 and weights.min() == -127 and weights.max() == 127
    assert (first.population("conv2").neuron.threshold > 0).all()


# Shapes of SpikeSim's default network: in_dim 32, 32, 16, 16, 8, 8, 8 with the channel lists of its script.
VGG9 = {
    "conv1": (65_536, 1_769_472, 1_728),
    "conv2": (65_536, 37_748_736, 36_864),
    "conv3": (32_768, 18_874_368, 73_728),
    "conv4": (32_768, 37_748_736, 147_456),
    "conv5": (16_384, 18_874_368, 294_912),
    "conv6": (16_384, 37_748_736, 589_824),
    "conv7": (16_384, 37_748_736, 589_824),
    "fc": (10, 40_960, 40_960),
}


def test_vgg9_has_the_shapes_of_the_spikesim_network():
    found = figures(vgg9())
    assert {name: (row[0], row[1], row[3]) for name, row in found.items()} == VGG9
    assert all(p.weight_bits == 4 for p in vgg9().projections)


def test_vgg9_takes_other_kernels_and_weights():
    for kernel in (1, 5):
        network = vgg9(kernel=kernel)
        assert [network.population(n).shape for n in network.layers] == [vgg9().population(n).shape for n in VGG9]
        assert figures(network)["conv2"][1] == 64 * 64 * 1024 * kernel**2
    weights = vgg9(seed=1).projections[1].weights
    assert weights.min() == -7 and weights.max() == 7
    # Standard deviation of the uniform weights: 4 for 4 bits; a tenth of the 576 inputs of conv2 fire; +- 25 %.
    threshold = vgg9(seed=1).population("conv2").neuron.threshold
    assert 0.75 * 4 * 57.6**0.5 - 1 <= threshold.min() and threshold.max() <= 1.25 * 4 * 57.6**0.5 + 1
    with pytest.raises(InputError, match="odd side"):
        vgg9(kernel=2)
    with pytest.raises(InputError, match=r"2 \.\. 8"):
        vgg9(weight_bits=1)
