"""The networks. Each module has one, in the words of every framework; it imports none by itself.

    model(library, job)             the model, by Keras's words; `library` is fjax or Keras
    first_params(job, generator)    the first weights of the hand-written contestants
    outputs(job, params, inputs, key)   their outputs, logits, by `jax.numpy`
    torch_module(job)               the module, whose outputs are logits

A module has those functions that the contestants of its jobs need, `model` in any case.
All first weights are drawn from the same distributions, so that the losses can be compared.
"""
