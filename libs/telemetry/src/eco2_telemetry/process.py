"""What every long-lived process of ours does once it has started."""

import gc


def settle() -> None:
    """Takes the start-up heap out of garbage collection, and collects less often.

    The imports leave some 400,000 objects that never die; walking them again and again took a fifth of
    the worker's CPU (docs/decisions/0004).
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 50)
