"""Responses are read in killable child processes with limits of time and memory: a hostile one costs itself.

`readers.ResponseReaders` is the worker's side, `reader_process` the child's. `journal` says what is being read now,
`crash_counts` at which URLs workers died.
"""
