"""What keeps publishing cheap: few snapshots (`retention`), few small files (`joining`), and time for readers of old files (`replaced`).

In: tables of the lake. Out: new metadata of them, as `storage.lake.staged_metadata` makes it. `expire_surplus` and `join_small_files` are
what publishing and maintenance use.
"""
