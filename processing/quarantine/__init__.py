"""Leave quarantine: rows are released, judged again or dropped, each time in one commit with the outcome of their record.

In: rows of the table `quarantine` by a `selection.QuarantineFilter`. Out: a process run that replaces (`schemas.runs.Replacement`).
`decisions` has what a person decides, `rejudge` what happens by itself when the rules have changed, `settlement` the commit.
"""
