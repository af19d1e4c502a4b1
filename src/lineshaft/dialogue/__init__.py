"""Dialogue agents in a new language: translate, annotate, find wrong annotations, measure the gain."""
