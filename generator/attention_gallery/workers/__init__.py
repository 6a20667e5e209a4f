"""Run what a stranger's file makes of a text in a process of its own, under limits of time and memory.

A chat template is a program; a normalizer can double a text a hundred times; Markdown can be written so that
it takes years to read. No check of what they say can tell them all, and Python cannot interrupt them.
"""

from attention_gallery.workers.limited import LimitedProcess, Limits, LimitsExceededError, TaskFailedError

__all__ = ["LimitedProcess", "Limits", "LimitsExceededError", "TaskFailedError"]
