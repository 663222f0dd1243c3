"""A bundled site to crawl, written for the project: two made-up news sites with ground truth, and misbehaviours that crawlers meet.

`python -m demo.site` serves it. `truth.articles` has what a perfect extractor would read, and `misbehaviours.MISBEHAVIOURS` lists the URLs
under /odd/. It imports nothing else of the project.
"""
