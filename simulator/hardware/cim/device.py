"""RRAM devices: what a programmed conductance becomes, as named models with sources, and the options of a run.

Conductances are in microsiemens, times in seconds since programming.  Level l of a cell with L + 1 levels is programmed
to g_min + l / L * (g_max - g_min); a model then says how far the cell lies from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError, unknown
from simulator.hardware.constant import Grade
from simulator.hardware.field_types import Structure
from simulator.hardware.specs.base import Part

if TYPE_CHECKING:
    import numpy as np

READ_TIME_S = 1e-6
"""Duration of one read of the CMO/HfOx read-noise fit."""
_AIHWKIT = "IBM/aihwkit:src/aihwkit/inference/noise/reram.py@4545f11"
_CROSSSIM = "sandialabs/cross-sim:simulator/devices/custom"
_WAN = "Wan et al., Nature 2022, as fitted in " + _AIHWKIT
_DAY = 86400.0


@dataclass(frozen=True)
class DeviceModel:
    """Spread and drift of a published device.

    g_min_us, g_max_us   range that the fits cover, or that its source recommends, uS
    sigma                coefficients of the standard deviation after programming, sum of sigma[i] * g^i, uS
    sigma_relative       standard deviation of the resistance, a share of it
    at_seconds           when the fit of `sigma` was taken; 0: right after programming
    drift_mean           shift of the mean, drift_mean * ln(t), uS
    drift_sigma          a, b of the standard deviation a + b * ln(t) that drift adds, uS
    read_log             k of the read noise k * log10(g) * sqrt(ln((t + tr) / (2 tr))), tr = READ_TIME_S, uS
    read_relative        standard deviation of one read, a share of the conductance
    stuck_off, stuck_on  share of cells that stay at g_min and at g_max
    source, grade        where the numbers come from, and what that is worth
    """

    g_min_us: float
    g_max_us: float
    source: str
    grade: Grade = "published"
    sigma: tuple[float, ...] = ()
    sigma_relative: float = 0.0
    at_seconds: float = 0.0
    drift_mean: float = 0.0
    drift_sigma: tuple[float, float] = (0.0, 0.0)
    read_log: float = 0.0
    read_relative: float = 0.0
    stuck_off: float = 0.0
    stuck_on: float = 0.0

    @property
    def drifts(self) -> bool:
        """Whether the model says what time does."""
        return self.drift_mean != 0.0 or self.drift_sigma != (0.0, 0.0)


def _wan(coefficients: tuple[float, ...], seconds: float) -> DeviceModel:
    """Fourth-order fit in x = g / 40 uS; the source's hint of 1 % short-term read noise is part of the model."""
    sigma = tuple(c / 40.0**i for i, c in enumerate(coefficients))
    return DeviceModel(0.0, 40.0, _WAN, sigma=sigma, at_seconds=seconds, read_relative=0.01)


def _cmo(sigma: tuple[float, ...], acceptance: str) -> DeviceModel:
    """Falcone et al., as fitted in aihwkit; the range of conductance is our choice, the source leaves it open."""
    return DeviceModel(
        10.0, 90.0, f"CMO/HfOx, programmed within {acceptance} of the target: {_AIHWKIT}; range 10 .. 90 uS assumed",
        sigma=sigma, drift_mean=-0.0890, drift_sigma=(0.4118, 0.0420), read_log=0.0277,
    )  # fmt: skip


DEVICE_MODELS: dict[str, DeviceModel] = {
    "ideal": DeviceModel(0.0, 1.0, "conductances are what was asked for, at any range", "assumed"),
    "wan2022_1s": _wan((0.348, 16.030, -43.853, 45.393, -16.815), 1.0),
    "wan2022_1day": _wan((0.701, 22.086, -50.773, 47.095, -16.458), _DAY),
    "wan2022_2days": _wan((0.782, 20.274, -43.507, 37.062, -11.934), 2 * _DAY),
    "wan2022_cubic": DeviceModel(
        0.0, 39.26, f"Wan et al., Nature 2022, data at 1 s, cubic fit of {_CROSSSIM}/RRAM_Wan.py@0a2eb1e",
        sigma=(1.053, 0.2374, -1.167e-2, 1.536e-4), at_seconds=1.0,
    ),
    "milo2021": DeviceModel(
        50.0, 225.0, f"Milo et al., IRPS 2021, linear fit of {_CROSSSIM}/RRAM_Milo.py@0a2eb1e",
        sigma=(4.782, -0.009107),
    ),
    "cmo_hfox_2pct": _cmo((0.01122, 0.01129), "2 %"),
    "cmo_hfox_0.2pct": _cmo((0.00081, 0.00107), "0.2 %"),
    "mnsim": DeviceModel(
        1.0, 100.0, "thu-nics/MNSIM-2.0:SimConfig.ini@ca39ccb: 1 % of R, stuck-at .1 % each, 1e4 and 1e6 ohm",
        sigma_relative=0.01, stuck_off=0.001, stuck_on=0.001,
    ),
}  # fmt: skip
"""Named devices (reference numbers of each: its `source`)."""


class IrDrop(Part):
    """Attenuation of a column's current by the wires, as a closed form of active rows and column position.

    With row drivers at column 0, sense amplifiers at row 0, cells of conductance g and wire segments of `wire_ohm`:
    attenuation(n, j) = 1 / (1 + wire_ohm * g * (bitline * n * b + wordline * (j * C - j * (j + 1) / 2))), where
    b = (R - 1) * (2 * R - 1) / (6 * R),
    for n of R rows, evenly spread, and column j of the C that conduct: first order of Kirchhoff's laws.  The weights
    are there to fit a solution of the whole mesh; where rows drive gates only (1T1R) that of the wordline is 0.
    """

    wire_ohm: Annotated[float, Field(ge=0, le=1e3, description="resistance of the wire between two cells, ohm")]
    bitline: Annotated[float, Field(ge=0, le=10, description="weight of the bitline term; 1 is first order")] = 1.0
    wordline: Annotated[float, Field(ge=0, le=10, description="weight of the wordline term; 1 is first order")] = 1.0

    def bitline_drop(self, siemens: float, rows: int) -> float:
        """Relative drop per active row, averaged over where it lies, with cells of `siemens` in a column of `rows`."""
        return self.wire_ohm * siemens * self.bitline * (rows - 1) * (2 * rows - 1) / (6 * rows)

    def wordline_drop(self, siemens: float, place: np.ndarray, columns: int) -> np.ndarray:
        """Relative drop at each column `place` (0 at the driver) of a row with `columns` columns that conduct."""
        return self.wire_ohm * siemens * self.wordline * (place * columns - place * (place + 1) / 2)


class Device(Part):
    """What is not ideal in the cells and converters of a tile (functional only; everything defaults to ideal).

    `model` names the device; the other fields replace or add single effects, so that each can be studied alone.
    """

    model: Annotated[str, Field(strict=True, description="named device (simulator/hardware/cim/device.py)")] = "ideal"
    seconds: Annotated[
        float | None, Field(gt=0, le=1e10, description="time since programming, s; models that drift need it")
    ] = None
    on_off_ratio: Annotated[
        float | None, Field(gt=1, le=1e9, description="g_max / g_min; null: the model's range, or no off current")
    ] = None
    off_current: Annotated[
        Literal["subtracted", "kept"],
        Field(description="current of cells in their lowest level: subtracted by an exact dummy column, or converted"),
    ] = "subtracted"
    sigma_relative: Annotated[
        float, Field(ge=0, le=10, description="extra spread of each conductance, a share of it")
    ] = 0.0
    sigma_levels: Annotated[
        float, Field(ge=0, le=100, description="extra spread of each conductance, in steps between levels")
    ] = 0.0
    stuck_off: Annotated[
        float | None, Field(ge=0, le=1, description="share of cells stuck at g_min; null: the model's")
    ] = None
    stuck_on: Annotated[
        float | None, Field(ge=0, le=1, description="share of cells stuck at g_max; null: the model's")
    ] = None
    read_noise: Annotated[
        float | None,
        Field(ge=0, le=10, description="spread of each read, a share of the conductance; null: the model's"),
    ] = None
    ir_drop: Annotated[IrDrop | None, Field(description="attenuation by the wires; null: none")] = None
    adc_range: Annotated[
        Literal["max", "calibrated", "granular"],
        Field(description="full scale: largest possible sum, percentile of seen sums, or one code per level step"),
    ] = "max"
    adc_percentile: Annotated[
        float, Field(gt=0, le=100, description="percentile of the sums that a calibrated range covers")
    ] = 99.9
    calibration_samples: Annotated[Structure, Field(description="samples that a calibrated range is taken from")] = 4

    @model_validator(mode="after")
    def _sound(self) -> Device:
        if self.model not in DEVICE_MODELS:
            raise unknown("device model", self.model, DEVICE_MODELS, key="device.model")
        model = self.physics
        if model.drifts and self.seconds is None:
            raise InputError("this device drifts: say how long ago it was programmed", key="device.seconds")
        if self.seconds is not None and not model.drifts:
            raise InputError(
                f"device {self.model} has no law of drift",
                key="device.seconds",
                found=self.seconds,
                allowed=f"null, or one of the devices {', '.join(n for n, m in DEVICE_MODELS.items() if m.drifts)}",
            )
        if self.stuck_shares[0] + self.stuck_shares[1] > 1:
            raise InputError("more cells are stuck than there are", key="device.stuck_off", found=self.stuck_shares)
        return self

    @property
    def physics(self) -> DeviceModel:
        """The named model."""
        return DEVICE_MODELS[self.model]

    @property
    def range_us(self) -> tuple[float, float]:
        """(g_min, g_max), uS."""
        model = self.physics
        if self.on_off_ratio is None:
            return model.g_min_us, model.g_max_us
        return model.g_max_us / self.on_off_ratio, model.g_max_us

    @property
    def stuck_shares(self) -> tuple[float, float]:
        """Shares of cells stuck at g_min and at g_max."""
        model = self.physics
        return (
            model.stuck_off if self.stuck_off is None else self.stuck_off,
            model.stuck_on if self.stuck_on is None else self.stuck_on,
        )

    @property
    def noisy_reads(self) -> bool:
        """Whether two reads of the same cells differ."""
        return bool(self.physics.read_log) or self.read_share > 0

    @property
    def read_share(self) -> float:
        """Standard deviation of one read, a share of the conductance."""
        return self.physics.read_relative if self.read_noise is None else self.read_noise

    @property
    def ideal(self) -> bool:
        """Whether every cell holds exactly what was asked for and every read returns it."""
        return self.model == "ideal" and self == Device(
            adc_range=self.adc_range,
            adc_percentile=self.adc_percentile,
            calibration_samples=self.calibration_samples,
            off_current=self.off_current,
        )

    def spread(self, target: np.ndarray) -> np.ndarray:
        """Standard deviation in uS of cells programmed to `target` (uS, any shape), before drift.

        The parts of a model and the extra spreads are independent, so their variances add up.
        """
        model = self.physics
        fitted = sum((c * target**i for i, c in enumerate(model.sigma)), 0.0 * target)
        relative = model.sigma_relative * target
        return (fitted.clip(0) ** 2 + relative**2 + (self.sigma_relative * target) ** 2) ** 0.5
