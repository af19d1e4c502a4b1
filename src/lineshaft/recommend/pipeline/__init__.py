"""From crawled pages or tables to frozen splits: crawl, parse, reduce, split."""
