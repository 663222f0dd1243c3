"""Tests: they mirror the rooms; real servers on loopback."""
