"""Leave quarantine: rows are released, judged again or dropped, each time in one commit with the outcome of their record.

In: rows of the table `quarantine` by a `selection.QuarantineFilter`. Out: a process run that replaces (`schemas.runs.Replacement`). Rows
come here by a crawl's policy (`processing.clean.policy`, `processing.resolve.decisions`), by values that do not fit or keys that are
taken (`processing.resolve.datasets`, `processing.resolve.row_history`), and by expectations (`processing.publish.dataset_gate`).
`decisions` has what a person decides, `rejudge` what happens by itself when the rules have changed, `settlement` the commit.
"""
