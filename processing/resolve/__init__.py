"""Resolve: what became of each record of a run: known, a new version, a duplicate, quarantined or rejected.

`resolution.resolve_run` is the stage; `decisions` decides; `duplicates` finds near-duplicates; `earlier_rows` is what the lake has already.
Next comes `processing.publish.gate`.
"""
