"""The networks that are trained on streams, and the drawn samples."""

import dataclasses

import numpy as np

from benchmarks.jobs import Job, find_job

# Of each network the job that has it, and the steps of an epoch in full and tiny form.
NETWORKS = {"dense": ("california", 400, 6), "convolutions": ("mnist_cnn", 20, 3)}


def network_job(network: str, quick: bool) -> Job:
    """Return a network's job, with full batches alone."""
    name, full, tiny = NETWORKS[network]
    job = find_job(name, quick)
    return dataclasses.replace(job, rows=(tiny if quick else full) * job.batch_size)


def draw(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((job.rows, *job.input_shape), dtype="float32")
    if job.task.counts:
        return x, generator.integers(job.units[-1], size=job.rows, dtype="int32")
    return x, generator.standard_normal((job.rows, job.units[-1]), dtype="float32")
