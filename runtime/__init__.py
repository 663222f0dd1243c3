"""Killable child processes, for whatever reads bytes from the web: how they are started, limited, heard and judged.

`runtime.child` is the parent's side, `runtime.child_process` the inside of a child, `runtime.frames` the pieces that go between them and
`runtime.results` the results, which are data and never code. Rooms that read hostile bytes build on it: `spiders` for answers,
`processing` for pages.
"""
