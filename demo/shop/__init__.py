"""A made-up shop with prices that change from tick to tick, goods that vanish and return, and a few pages with broken data.

`catalogue.goods` has what a perfect reader would find; `pages.ShopPages` makes the pages. The shop has a clock of its own, in the folder
`shop` of the site's home, so that a second visit to it changes nothing on the news sites.
"""
