"""The reference pipeline without LangGraph, for information: what the graph itself costs."""

from bench.reference_process import main
from bench.reference_worker import stream_answer

CHAIN = "no-langgraph"

if __name__ == "__main__":
    main(CHAIN, stream_answer, has_aiohttp=True)
