"""`eco2 ask` and `eco2 chat`, as processes."""

import asyncio
import os
import pty
from pathlib import Path

import pytest
from eco2_bus.log import Claim
from eco2_chat.cli.screen import printable
from eco2_devservers import TcpProxy

from tests.api.conversation import PNG
from tests.api.services import MemoryWorld, World
from tests.api.serving import Api
from tests.api.worker import Worker, answer
from tests.client.asking import QUESTION, next_job
from tests.client.terminal import Command


async def test_a_question_is_answered_on_standard_output_and_nothing_else_is(world: World, api: Api) -> None:
    command = await Command.start("ask", QUESTION, "--url", api.url)
    job = await next_job(world)
    await answer(world.log, job.job_id, "라벨을 ", "떼요 [1].")
    code, output, errors = await command.end()

    assert (code, output, job.message) == (0, "라벨을 떼요 [1].\n", QUESTION)
    assert "[1] 분리배출 안내 플라스틱" in errors


async def test_ctrl_c_cancels_the_job(world: World, api: Api) -> None:
    command = await Command.start("ask", QUESTION, "--url", api.url, "--progress")
    job_id = (await next_job(world)).job_id
    worker = await Worker.begin(world.log, job_id)
    await worker.everything_else()
    await command.says("intent completed 2 ms")
    command.interrupt()
    code, output, errors = await command.end()

    assert (code, output) == (130, "")
    assert "cancelled" in errors
    assert await world.log.is_cancel_requested(job_id)


async def test_a_cut_connection_is_taken_up_again_and_the_text_is_whole(
    world: World, api: Api, network: TcpProxy
) -> None:
    command = await Command.start("ask", QUESTION, "--url", f"http://127.0.0.1:{network.port}", "--progress")
    worker = await Worker.begin(world.log, (await next_job(world)).job_id)
    await worker.everything_else()
    await command.says("intent started")
    for piece in ("라벨을 ", "떼고 ", "헹궈요."):
        network.cut()
        await worker.say(piece)
    await worker.end()

    assert (await command.end())[:2] == (0, "라벨을 떼고 헹궈요.\n")


async def test_a_terminal_sees_the_text_as_it_comes(memory_world: MemoryWorld, memory_api: Api) -> None:
    screen, keyboard = pty.openpty()
    command = await Command.start("ask", QUESTION, "--url", memory_api.url, out=keyboard)
    os.close(keyboard)
    job_id = (await next_job(memory_world)).job_id
    worker = await Worker.begin(memory_world.log, job_id)
    await worker.say("라벨을 ")
    first = await asyncio.to_thread(os.read, screen, 1_000)
    second = await Worker.begin(memory_world.log, job_id, Claim.REDELIVERED)
    await second.say("떼요.")
    await second.end()
    code, _, errors = await command.end()
    rest = await asyncio.to_thread(os.read, screen, 1_000)
    os.close(screen)

    assert first.decode() == "라벨을 "
    assert "떼요." in rest.decode()
    assert "begins anew" in errors
    assert code == 0


async def test_a_job_that_fails_fails_the_command(memory_world: MemoryWorld, memory_api: Api) -> None:
    command = await Command.start("ask", QUESTION, "--url", memory_api.url)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "반쯤", event="error")
    code, output, errors = await command.end()

    assert (code, output) == (1, "")
    assert "job_failed: It failed too often." in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ask", " "), "invalid_fields"),
        (("ask", "x", "--image", "/dev/null"), "PNG"),
        (("ask", "x", "--image", "/no/such/file"), "No such file"),
        (("ask", "x", "--location", "here"), "--location"),
        (("ask", "x", "--session", "no such id"), "invalid_fields"),
    ],
)
async def test_what_cannot_be_asked_is_told_without_a_traceback(
    memory_api: Api, arguments: tuple[str, ...], said: str
) -> None:
    code, _, errors = await (await Command.start(*arguments, "--url", memory_api.url)).end()

    assert code in (1, 2)
    assert said in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(("arguments", "said"), [(("ask", "x"), "no connection"), (("doctor",), "refused")])
async def test_a_server_that_is_not_there_is_told_without_a_traceback(
    arguments: tuple[str, ...], said: str
) -> None:
    code, _, errors = await (await Command.start(*arguments)).end()

    assert code == 1
    assert said in errors
    assert "ECO2_URL" in errors
    assert "None" not in errors
    assert "Traceback" not in errors


async def test_a_question_can_come_from_a_pipe_with_a_picture_and_a_place(
    memory_world: MemoryWorld, memory_api: Api, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    more = ("--image", str(tmp_path / "a.png"), "--location", "37.5,127.0", "--session", "s-1")
    command = await Command.start("ask", "-", "--url", memory_api.url, *more, typed="이건 어떻게 버려?\n")
    job = await next_job(memory_world)
    await answer(memory_world.log, job.job_id, "네.")

    assert (await command.end())[0] == 0
    assert (job.message, job.session_id, job.location.latitude) == ("이건 어떻게 버려?", "s-1", 37.5)
    assert job.image_url


async def test_a_chat_is_one_session(memory_world: MemoryWorld, memory_api: Api) -> None:
    command = await Command.start("chat", "--url", memory_api.url, typed="하나\n\n둘\n")
    first = await next_job(memory_world)
    await answer(memory_world.log, first.job_id, "1.")
    second = await next_job(memory_world)
    await answer(memory_world.log, second.job_id, "2.")
    code, output, _ = await command.end()

    assert (code, output) == (0, "1.\n2.\n")
    assert (first.message, second.message) == ("하나", "둘")
    assert first.session_id == second.session_id


async def test_ctrl_c_in_a_chat_cancels_the_answer_and_the_chat_goes_on(
    memory_world: MemoryWorld, memory_api: Api
) -> None:
    command = await Command.start("chat", "--url", memory_api.url, "--progress", typed="하나\n둘\n")
    first = await next_job(memory_world)
    worker = await Worker.begin(memory_world.log, first.job_id)
    await worker.everything_else()
    await command.says("intent started")
    command.interrupt()
    await command.says("cancelled")
    await worker.end("cancelled")
    second = await next_job(memory_world)
    await answer(memory_world.log, second.job_id, "2.")
    code, output, _ = await command.end()

    assert (code, output) == (0, "2.\n")


async def test_a_question_that_is_refused_does_not_end_a_chat(
    memory_world: MemoryWorld, memory_api: Api
) -> None:
    command = await Command.start("chat", "--url", memory_api.url, typed=f"{'x' * 8_001}\n둘\n")
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "2.")
    code, output, errors = await command.end()

    assert (code, output) == (0, "2.\n")
    assert "invalid_fields" in errors


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert printable("물\x1b[2J\x07\r\n\tx\x9b") == "물[2J\n\tx"
