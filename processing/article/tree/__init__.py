"""The parsed page.

In: HTML. Out: the tree (`parse.parse`), and the text that readers see (`visible.visible_text`).
"""
