"""The article's blocks.

In: an outline with its container. Out: the blocks of the article. `boilerplate.remove_boilerplate` removes what does not belong to the
article, `blocks.to_blocks` converts the rest. `confidence` tests how plausible they are, and `calibration` makes a probability of it;
`fallback` is a second extractor for pages that are hardly plausible.
"""
