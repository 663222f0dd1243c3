"""One file for each version, `vN_what_changed.py`. See CONTRIBUTING.md, "Change a table"."""
