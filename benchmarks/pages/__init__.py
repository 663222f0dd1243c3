"""The dataset `pages`: `measure` compares types and texts with their labels, `train` fits the models behind them."""

from benchmarks.pages.measure import main

__all__ = ["main"]
