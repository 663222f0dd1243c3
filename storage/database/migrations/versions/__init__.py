"""One file a version, `vN_what_changed.py`; CONTRIBUTING.md, "Change a table", says how one is made."""
