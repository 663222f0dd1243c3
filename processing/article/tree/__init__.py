"""The parsed page.

In: HTML. Out: the tree (`parse.parse`), and the text that readers see (`visible.visible_text`, `inline.inline_text`): with what `raised`,
`formulas`, `images` and `quotes` make of elements that are more than their letters.
"""
