"""The exchange and the queues on RabbitMQ, as `topology` names them."""

from dataclasses import dataclass

from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue, ExchangeType

from eco2_bus import topology


@dataclass(frozen=True)
class Queues:
    """What is published to, and the queues that are consumed, by name."""

    exchange: AbstractExchange
    lanes: dict[str, AbstractQueue]


async def declare(channel: AbstractChannel, max_length: int, waiting_s: float, later_s: float) -> Queues:
    """Declares everything; raises ChannelPreconditionFailed when it exists with other arguments."""
    exchange = await channel.declare_exchange(topology.EXCHANGE, ExchangeType.DIRECT, durable=True)
    await channel.declare_queue(topology.DEAD, durable=True, arguments={"x-queue-type": "quorum"})
    lanes: dict[str, AbstractQueue] = {}
    for name in topology.LANES:
        arguments = topology.jobs_arguments(max_length)
        lanes[name] = await channel.declare_queue(name, durable=True, arguments=arguments)
        await lanes[name].bind(exchange, name)
    for name, away_s in ((topology.WAITING, waiting_s), (topology.LATER, later_s)):
        arguments = topology.waiting_arguments(away_s)
        away = await channel.declare_queue(name, durable=True, arguments=arguments)
        await away.bind(exchange, name)
    return Queues(exchange, lanes)
