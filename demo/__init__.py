"""Bundled sites to crawl, written for the project: two made-up news sites, a shop, and misbehaviours that crawlers meet.

`python -m demo.site` serves them. `truth.articles` has what a perfect extractor would read, `shop.catalogue.goods` what the shop sells at a
tick, and `misbehaviours.MISBEHAVIOURS` lists the URLs under /odd/. It imports nothing else of the project.
"""
