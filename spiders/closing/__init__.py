"""What closing a run needs: its numbers (`run_statistics`), its `thresholds`, and the runs that nobody closed (`abandoned`).

The run is closed in `spiders.run.close`, which uses `storage.frontier.closing`.
"""
