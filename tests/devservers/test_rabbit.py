import aio_pika
from aio_pika.abc import AbstractQueue, AbstractRobustConnection
from eco2_devservers import RabbitServer


async def _quorum_queue(connection: AbstractRobustConnection) -> AbstractQueue:
    channel = await connection.channel()
    return await channel.declare_queue("jobs", durable=True, arguments={"x-queue-type": "quorum"})


async def _publish(url: str, body: bytes) -> None:
    async with await aio_pika.connect_robust(url) as connection:
        queue = await _quorum_queue(connection)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await queue.channel.default_exchange.publish(message, routing_key="jobs")


async def _take(url: str) -> bytes:
    async with await aio_pika.connect_robust(url) as connection:
        message = await (await _quorum_queue(connection)).get(timeout=10)
        await message.ack()
        return message.body


async def test_a_confirmed_message_of_a_quorum_queue_survives_a_kill(rabbit: RabbitServer) -> None:
    await _publish(rabbit.url, b"a question")
    rabbit.settle()
    rabbit.kill()
    rabbit.start()
    assert await _take(rabbit.url) == b"a question"


def test_the_control_program_reaches_the_private_node(rabbit: RabbitServer) -> None:
    assert f"eco2-{rabbit.port}@localhost" in rabbit.ctl("cluster_status")
