"""What the SIA reconstruction must reproduce: published facts and the arithmetic that follows from them.

Stated in the abstract of arXiv 2410.16298: 38.4 GOPS, 1.54 W, 0.6 GOPS per processing element (PE), 2.25 GOPS per DSP
slice, networks VGG-11 and ResNet-18, 8 timesteps.  The paper names the networks, not their shapes: the rows below hold
for the usual CIFAR variants (3 x 32 x 32 images, 3x3 stem, no max pooling in the ResNet stem) and are plain
arithmetic on those shapes.
"""

from __future__ import annotations

from typing import NamedTuple

PEAK_OPS = 38_400_000_000
PE_OPS = 600_000_000
BOARD_MW = "1540"
DSP_GOPS = "2.25"
DSP_SLICES = 17
STEPS = 8
PAIRS = ((50, 12), (75, 8), (100, 6), (150, 4), (200, 3), (300, 2))
"""(clock in MHz, operations per PE and cycle) of which each gives 38.4 GOPS with 64 PEs."""


class Row(NamedTuple):
    """One line of a workload table.

    neurons      outputs of the layer (0 for a shortcut, which ends in the block's second convolution)
    positions    dense synaptic positions per timestep, zero padding included
    inside       the same without positions in the padding: what an event-driven core executes if every input fires
    weights      stored weights
    int8_kib     weights at 8 bits, KiB with one decimal
    v16_kib      membranes at 16 bits, KiB
    s8_kib       output spikes of 8 timesteps at 1 bit, KiB
    dense_ms     8 x positions / 38.4 G operations per second, one operation per position, ms with three decimals
    """

    name: str
    neurons: int
    positions: int
    inside: int
    weights: int
    int8_kib: str
    v16_kib: int
    s8_kib: int
    dense_ms: str


class Totals(NamedTuple):
    """Sums over the convolutions, and what the closed forms give for them.

    dense_ms, dense_mj   for one and two operations per position, at full use of the array and 1.54 W; two decimals
                         and one decimal
    """

    neurons: int
    positions: int
    inside: int
    weights: int
    dense_ms: tuple[str, str]
    dense_mj: tuple[str, str]


VGG11: tuple[Row, ...] = (
    Row("conv1", 65_536, 1_769_472, 1_696_512, 1_728, "1.7", 128, 64, "0.369"),
    Row("conv2", 32_768, 18_874_368, 17_334_272, 73_728, "72.0", 64, 32, "3.932"),
    Row("conv3", 16_384, 18_874_368, 15_859_712, 294_912, "288.0", 32, 16, "3.932"),
    Row("conv4", 16_384, 37_748_736, 31_719_424, 589_824, "576.0", 32, 16, "7.864"),
    Row("conv5", 8_192, 18_874_368, 13_107_200, 1_179_648, "1152.0", 16, 8, "3.932"),
    Row("conv6", 8_192, 37_748_736, 26_214_400, 2_359_296, "2304.0", 16, 8, "7.864"),
    Row("conv7", 2_048, 9_437_184, 4_194_304, 2_359_296, "2304.0", 4, 2, "1.966"),
    Row("conv8", 2_048, 9_437_184, 4_194_304, 2_359_296, "2304.0", 4, 2, "1.966"),
)

RESNET18: tuple[Row, ...] = (
    Row("conv1", 65_536, 1_769_472, 1_696_512, 1_728, "1.7", 128, 64, "0.369"),
    Row("s1.b1.conv1", 65_536, 37_748_736, 36_192_256, 36_864, "36.0", 128, 64, "7.864"),
    Row("s1.b1.conv2", 65_536, 37_748_736, 36_192_256, 36_864, "36.0", 128, 64, "7.864"),
    Row("s1.b2.conv1", 65_536, 37_748_736, 36_192_256, 36_864, "36.0", 128, 64, "7.864"),
    Row("s1.b2.conv2", 65_536, 37_748_736, 36_192_256, 36_864, "36.0", 128, 64, "7.864"),
    Row("s2.b1.conv1", 32_768, 18_874_368, 18_096_128, 73_728, "72.0", 64, 32, "3.932"),
    Row("s2.b1.conv2", 32_768, 37_748_736, 34_668_544, 147_456, "144.0", 64, 32, "7.864"),
    Row("s2.b1.short", 0, 2_097_152, 2_097_152, 8_192, "8.0", 0, 0, "0.437"),
    Row("s2.b2.conv1", 32_768, 37_748_736, 34_668_544, 147_456, "144.0", 64, 32, "7.864"),
    Row("s2.b2.conv2", 32_768, 37_748_736, 34_668_544, 147_456, "144.0", 64, 32, "7.864"),
    Row("s3.b1.conv1", 16_384, 18_874_368, 17_334_272, 294_912, "288.0", 32, 16, "3.932"),
    Row("s3.b1.conv2", 16_384, 37_748_736, 31_719_424, 589_824, "576.0", 32, 16, "7.864"),
    Row("s3.b1.short", 0, 2_097_152, 2_097_152, 32_768, "32.0", 0, 0, "0.437"),
    Row("s3.b2.conv1", 16_384, 37_748_736, 31_719_424, 589_824, "576.0", 32, 16, "7.864"),
    Row("s3.b2.conv2", 16_384, 37_748_736, 31_719_424, 589_824, "576.0", 32, 16, "7.864"),
    Row("s4.b1.conv1", 8_192, 18_874_368, 15_859_712, 1_179_648, "1152.0", 16, 8, "3.932"),
    Row("s4.b1.conv2", 8_192, 37_748_736, 26_214_400, 2_359_296, "2304.0", 16, 8, "7.864"),
    Row("s4.b1.short", 0, 2_097_152, 2_097_152, 131_072, "128.0", 0, 0, "0.437"),
    Row("s4.b2.conv1", 8_192, 37_748_736, 26_214_400, 2_359_296, "2304.0", 16, 8, "7.864"),
    Row("s4.b2.conv2", 8_192, 37_748_736, 26_214_400, 2_359_296, "2304.0", 16, 8, "7.864"),
)

TABLES: dict[str, tuple[Row, ...]] = {"vgg11": VGG11, "resnet18": RESNET18}

TOTALS: dict[str, Totals] = {
    "vgg11": Totals(151_552, 152_764_416, 114_320_128, 9_217_728, ("31.83", "63.65"), ("49.0", "98.0")),
    "resnet18": Totals(557_056, 555_417_600, 481_854_208, 11_159_232, ("115.71", "231.42"), ("178.2", "356.4")),
}

CLASSIFIER_WEIGHTS = 5_120
"""512 -> 10, in both networks; which classifier the paper used is not known."""

IDENTITY_ADDITIONS = 188_416
"""Additions per timestep of ResNet-18's identity shortcuts if every source neuron fires."""
