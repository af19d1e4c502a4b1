"""Mirrors of runs in a tracker."""
