"""The reference with aiohttp below the SDK, for information: the transport that the product chose."""

from bench.reference import run_graph
from bench.reference_process import main

CHAIN = "reference-aio"

if __name__ == "__main__":
    main(CHAIN, run_graph, has_aiohttp=True)
