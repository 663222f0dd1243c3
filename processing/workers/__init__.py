"""Killable worker processes with a time and a memory limit per page: `pool.run_limited`, `pool.read_pages`."""
