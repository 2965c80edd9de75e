"""The expressions that the dashboards share."""

HERE = 'namespace=~"$namespace", instance=~"$instance"'
"""What the variables of a dashboard choose."""
WITH_INTENT = f'{HERE}, intent=~"$intent"'


def total(metric: str, *by: str, where: str = HERE) -> str:
    """The sum of a gauge."""
    return f"sum{_by(by)}({metric}{{{where}}})"


def rate(metric: str, *by: str, where: str = HERE, over: str = "5m") -> str:
    """How much of a counter comes a second."""
    return f"sum{_by(by)}(rate({metric}{{{where}}}[{over}]))"


def share(metric: str, part: str, *by: str, where: str = HERE) -> str:
    """The part of a counter's growth that matches more labels, from 0 to 1; 0 while nothing happens."""
    whole = rate(metric, *by, where=where)
    # A series of failures that has never been seen is no data, not 0.
    matching = f"({rate(metric, *by, where=f'{where}, {part}')} or 0 * {whole})"
    return f"{matching} / clamp_min({whole}, 1e-9)"


def quantile(share: float, histogram: str, *by: str, where: str = HERE) -> str:
    """A quantile of a histogram, over all processes chosen."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', 'le', *by, where=where)})"


def mean(histogram: str, *by: str, where: str = HERE) -> str:
    """The mean of what a histogram has seen."""
    return f"{rate(f'{histogram}_sum', *by, where=where)} / {rate(f'{histogram}_count', *by, where=where)}"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
