"""Runs of several processes: their messages and failures, and the arrays that they share."""
