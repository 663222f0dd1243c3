"""Reads responses in child processes with limits of time and memory. If a response is harmful, only that response is lost.

In: a `messages.wire.Question` with a body. Out: a `ReaderReply`, or a `ReadFailure` with its reason. `readers.ResponseReaders` is the
worker's side, `reader_process` the child's. `journal` records which URL is being read now, `crash_counts` at which URLs workers crashed.
"""
