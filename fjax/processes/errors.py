"""Errors of a job of several processes."""


class ProcessError(RuntimeError):
    """Another process of the job has failed or ended, so that this one cannot go on."""


class DisagreementError(ValueError):
    """The processes of a job do different things, or have different models or data."""
