"""Resolve: decide what each record of a process run is: known, a new version, a duplicate, quarantined or rejected.

In: the staged rows of all segments (`processing.extract`) and the rows that are in the lake already. Out: staged cleaned rows with a
decision each; `processing.publish.gate` reads them. `resolution.resolve_run` is the stage; `resolution.read_resolve_mark` tells whether
it is done. `portions` decides on a run of any size, with the rules of `decisions` for articles, also what is a duplicate;
`row_history.decide_version` decides for rows of other datasets; the number of a version comes from `replaced.FormerNumbers`;
`near_duplicates` only finds similar texts, and `identities` decides whether an article is known by its canonical URL or its own.
"""
