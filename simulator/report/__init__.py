"""What people look at: tables, CSV, pictures and run directories, made of a Record."""

from simulator.report.plots import PLOTS, write_plots
from simulator.report.write import write_run_directory

__all__ = ["PLOTS", "write_plots", "write_run_directory"]
