"""Decide on a run of any size in portions: the records of one portion are in memory at a time, and the decisions do not depend on it.

In: cleaned rows (`processing.resolve.resolution`). Out: a decision beside each, and sightings. `deciding.stage_decisions` is the entry
point. `links` puts records into one portion that have a page, an article or a claim in common. Texts are compared with those of the whole
run: `decided_records` has them on the local disk, `similar_pairs` finds those that are alike.

`dataset_records` has the records of a run for a dataset of the user's own, `record_outcomes` what became of each.
"""
