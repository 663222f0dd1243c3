"""Who wrote a page: from declarations and from what readers see."""
