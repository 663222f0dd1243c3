"""What is told about an article: title, authors, times and the rest."""
