"""What a DRAM consists of, how an address is cut into its parts, and what its controller does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.errors import InputError, nearest
from simulator.hardware.field_types import Cycles, PositiveCycles, Structure
from simulator.hardware.specs.base import Part

FIELDS = ("column", "bank_group", "bank", "rank", "row", "channel")
"""Parts of an address, numbered as the kernels number them."""


class DramGeometry(Part):
    """Sizes of a memory, all powers of two, and the order of the parts of an address."""

    channels: Annotated[Structure, Field(description="channels, each with its own controller and buses")] = 1
    ranks: Annotated[Structure, Field(description="ranks per channel")]
    bank_groups: Annotated[Structure, Field(description="bank groups per rank; 1: none")]
    banks_per_group: Annotated[Structure, Field(description="banks per bank group")]
    rows: Annotated[Structure, Field(description="rows per bank")]
    columns: Annotated[Structure, Field(description="bursts per row of a rank")]
    burst_bytes: Annotated[Structure, Field(description="bytes of one burst of a channel")]
    address_order: Annotated[
        tuple[str, ...],
        Field(
            description="parts of an address from the most significant on: row, rank, bank, bank_group, column, "
            "channel; `column:3` is a part of three bits of a column that lies apart from the rest"
        ),
    ] = ("row", "rank", "bank", "bank_group", "column", "channel")

    @property
    def banks(self) -> int:
        """Banks of one channel."""
        return self.ranks * self.bank_groups * self.banks_per_group

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all channels."""
        return self.channels * self.banks * self.rows * self.columns * self.burst_bytes

    def address_fields(self) -> list[tuple[str, int]]:
        """(field, bits) from the least significant bit above the burst's bytes on; InputError where they do not fit."""
        sizes = dict(
            zip(FIELDS, (self.columns, self.bank_groups, self.banks_per_group, self.ranks, self.rows, self.channels),
                strict=True)
        )  # fmt: skip
        for name, size in (*sizes.items(), ("burst_bytes", self.burst_bytes)):
            if size & (size - 1):
                raise InputError("the parts of an address must be powers of two", key=name, found=size)
        left = {name: size.bit_length() - 1 for name, size in sizes.items()}
        parts: list[tuple[str, int | None]] = []
        for item in self.address_order:
            name, _, text = item.partition(":")
            if name not in left or (text and not text.isdecimal()):
                raise InputError(
                    "unknown part of an address", key="address_order", found=item, allowed=list(FIELDS),
                    nearest=nearest(name, FIELDS),
                )  # fmt: skip
            parts.append((name, int(text) if text else None))
            left[name] -= int(text) if text else 0
        fields = []
        for name, bits in reversed(parts):
            fields.append((name, left[name] if bits is None else bits))
            left[name] -= left[name] if bits is None else 0
        wrong = {name: bits for name, bits in left.items() if bits}
        if wrong:
            raise InputError(
                "the address order does not name every bit once", key="address_order",
                found=", ".join(f"{name}: {bits} bits left" for name, bits in wrong.items()),
                allowed="as many bits of each part as its size has",
            )  # fmt: skip
        return [(name, bits) for name, bits in fields if bits]


class DramController(Part):
    """Queues and policies of each channel's controller; the defaults are those of DRAMsim3 2981759."""

    scheduler: Annotated[
        Literal["frfcfs", "fcfs"],
        Field(description="first ready in age order per bank, banks in turn; or strictly first come first served"),
    ] = "frfcfs"
    page: Annotated[Literal["open", "close"], Field(description="rows stay open, or every burst closes its row")] = (
        "open"
    )
    refresh: Annotated[
        Literal["rank", "bank", "none"], Field(description="refresh of all banks of a rank, bank by bank, or none")
    ] = "rank"
    read_queue: Annotated[Structure, Field(description="reads held before they move to their bank queue")] = 32
    write_queue: Annotated[Structure, Field(description="writes held before they move to their bank queue")] = 32
    bank_queue: Annotated[Structure, Field(description="bursts per bank queue")] = 8
    row_hit_cap: Annotated[
        Structure, Field(description="bursts of an open row after which a waiting conflict may close it")
    ] = 4
    drain_above: Annotated[
        Cycles, Field(description="held writes above which an idle controller starts to drain them")
    ] = 8
    posted_cycles: Annotated[
        PositiveCycles, Field(description="cycles from acceptance to completion of a write, or of a read it serves")
    ] = 2
    outstanding_limit: Annotated[
        Cycles, Field(description="bursts of one client accepted and not done; 0: only the queues limit them")
    ] = 0
