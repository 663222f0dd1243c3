"""The parsed page: `parse.parse` makes the tree from HTML, `visible.visible_text` gives the text that readers see."""
