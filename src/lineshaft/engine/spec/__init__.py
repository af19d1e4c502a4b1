"""What is computed: configurations, the words that spell them, names, experiments."""
