"""What goes between a worker and its readers: questions with a body (`wire`), and what a crawl says about reading (`rules`). Data only."""
