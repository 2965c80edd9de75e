"""All dashboards."""

from observability.dashboards import api, queue, streaming, subagents
from observability.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (streaming.BOARD, api.BOARD, subagents.BOARD, queue.BOARD)
