"""Eco² Chat in one process."""

import gc

# Nothing that the imports make is garbage; `settle` turns collection on again once the product stands.
gc.disable()
