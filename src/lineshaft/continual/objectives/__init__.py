"""Objectives: what a network is trained to do on one batch, and the heads it needs for that; one file
each.
"""
