"""The title of a page.

In: the page's markup and JSON-LD. Out: `titles.read_title`. `main_heading` chooses the `<h1>` that agrees with a declared title,
`lower_heading` finds titles below it, `site_names` takes the site's name off.
"""
