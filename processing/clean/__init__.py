"""Clean: remove the blocks that recur on a host's pages, then add text, language, quality signals, digests and MinHash to each row.

In: extracted rows of one part: some host buckets. Out: cleaned rows, each with the rule that it breaks, if any: `policy.check_policy`
decides that. `cleaning.cleaned_part` cleans a part for `processing.resolve`. `site_memory.SiteMemory` knows which blocks recur on a host.
`folding` gives texts the form by which they are compared, many at once. `identity` has the ids of articles and host buckets.
"""
