"""Who wrote a page.

In: the page's markup and JSON-LD. Out: `authors.read_authors`, the names of persons. `declared` and `bylines` find the texts that may name
authors, each a `Candidate`; `names` reads names from a text, with the words of `labels` around them, and `name_lists` divides several.
"""
