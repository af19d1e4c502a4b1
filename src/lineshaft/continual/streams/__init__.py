"""Streams: tasks that come one after the other, and the data they are made of; one file each."""
