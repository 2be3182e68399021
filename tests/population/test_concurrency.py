"""Programs that run at the same time on the cores of a CPU."""

import threading

import jax
import jax.numpy as jnp
import pytest

from fjax.population.concurrency import call_concurrently


def in_threads(count=3):
    """Return the threads that call some functions."""
    return call_concurrently([threading.get_ident] * count)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1})


def test_results_are_in_order_and_complete():
    doubled = jax.jit(lambda x: 2 * x)
    results = call_concurrently([lambda n=n: doubled(jnp.arange(n)) for n in range(1, 6)])
    assert [result.tolist() for result in results] == [
        [2 * i for i in range(n)] for n in range(1, 6)
    ]


def test_the_functions_are_called_at_the_same_time():
    both = threading.Barrier(2, timeout=30)
    assert sorted(call_concurrently([both.wait, both.wait])) == [0, 1]


def test_a_context_of_the_calling_thread_applies_to_all_programs():
    def product():
        return str(jax.make_jaxpr(jnp.dot)(jnp.ones((2, 2)), jnp.ones((2, 2))))

    assert threading.get_ident() not in in_threads()
    with jax.default_matmul_precision("highest"):
        assert set(in_threads()) == {threading.get_ident()}
        assert all("HIGHEST" in text for text in call_concurrently([product] * 3))
    assert not any("HIGHEST" in text for text in call_concurrently([product] * 3))


def test_a_system_that_does_not_tell_the_cores_of_a_process(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert threading.get_ident() not in in_threads()


def test_one_function_needs_no_thread():
    assert in_threads(1) == [threading.get_ident()]


def test_an_error_is_raised_as_it_is():
    def fail():
        raise ValueError("no such member")

    with pytest.raises(ValueError, match="no such member"):
        call_concurrently([lambda: 1, fail])
