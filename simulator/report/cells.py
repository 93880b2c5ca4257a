"""What all tables for the terminal share: a plain frame, names that are no markup, counts with separators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def new_table(title: str) -> Table:
    """A table without lines but one below its head."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(title=plain_name(title), title_justify="left", box=SIMPLE_HEAD, title_style="bold", pad_edge=False)


def plain_name(text: str) -> str:
    """A name as it is: square brackets in it are no markup."""
    from rich.markup import escape

    return escape(text)


def count(value: Any) -> str:
    """A whole number with separators; None is a dash."""
    return "–" if value is None else f"{value:,}"
