"""The mover of tensors between main memory and on-chip memories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError
from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Bytes, Cycles, PositiveCycles, Structure
from simulator.hardware.specs.base import Part, UnitSpec


class DramTile(Part):
    """Size of a tile of a tensor."""

    channels: Annotated[Structure, Field(description="channels of a tile")]
    rows: Annotated[Structure, Field(description="rows of a tile")]
    columns: Annotated[Structure, Field(description="columns of a tile")]


class DramLayout(Part):
    """How tensors of channels x rows x columns lie in main memory."""

    order: Annotated[
        Literal["row_major", "channel_last", "tiled"],
        Field(description="channel by channel; pixel by pixel; tile by tile, row-major inside and outside"),
    ]
    tile: Annotated[DramTile | None, Field(description="size of a tile; for tiled, and for no other order")] = None


class Dma(UnitSpec):
    """Cuts a transfer into chunks and keeps up to `buffers` of them outstanding (2 = double buffering).

    With `layout`, states and bit maps of spikes are read and written as the bursts that hold them: a chunk then is
    bursts in a row, and what else lies in them is over-fetch.  Weights and lists of addresses lie in one piece.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = moves((("transfer", "transfer_energy_pj_per_bit"),), "interconnect")
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "memory")
    COMPONENT: ClassVar[str] = "simulator.components.dma:Dma"
    REFERENCES: ClassVar[dict[str, tuple[str, ...]]] = {"far": ("dram", "banked_dram"), "via": ("bus", "link")}

    type: Annotated[Literal["dma"], Field(description="engine that moves tensors between memories")]
    chunk_bytes: Annotated[Bytes, Field(description="bytes of one request to main memory")]
    buffers: Annotated[Structure, Field(description="chunks that may be outstanding; 2 is double buffering")]
    setup_cycles: Annotated[Cycles, Field(description="clock cycles to set up one transfer")]
    link_latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles of the link to main memory")]
    far: Annotated[str, Field(strict=True, description="name of the main memory (a dram unit)")]
    transfer_energy_pj_per_bit: Annotated[Constant, Field(description="energy of moving one bit, pJ")]
    via: Annotated[
        str | None, Field(strict=True, description="bus or link that every chunk takes too; left out: none")
    ] = None
    priority: Annotated[
        Cycles | None,
        Field(description="higher goes first at units of type sram, dram and bus (arbitration: priority); left out: 0"),
    ] = None
    layout: Annotated[
        DramLayout | None, Field(description="where elements lie in main memory; left out: every transfer in one piece")
    ] = None

    @model_validator(mode="after")
    def _tile_fits(self) -> Dma:
        """A tile belongs to the tiled order, and to no other."""
        if self.layout is not None and (self.layout.tile is None) == (self.layout.order == "tiled"):
            raise InputError(
                "a tile belongs to the tiled order, and to no other", key="layout.tile", found=self.layout.order,
                allowed="{channels: .., rows: .., columns: ..} with order: tiled",
            )  # fmt: skip
        return self
