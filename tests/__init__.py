"""Tests: they mirror the rooms and their packages; real servers on loopback."""

from pathlib import Path

PROJECT = Path(__file__).parents[1]
"""The folder of the checkout."""
