"""Tests of crawlhouse/: the installed command, run as its users run it."""
