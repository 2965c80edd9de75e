"""Reading the product's event stream."""

import httpx
import orjson

from evaluation.asking import ask
from evaluation.reply import Reply


def events(*some: tuple[str, object]) -> httpx.Response:
    frames = [
        f"id: 1-{n}\nevent: {name}\ndata: {orjson.dumps(data).decode()}\n\n"
        for n, (name, data) in enumerate(some)
    ]
    return httpx.Response(200, text=": ok\n\n" + "".join(frames))


def token(text: str) -> tuple[str, object]:
    return "token", {"text": text, "node": "answer"}


def done(answer: str, *intents: str) -> tuple[str, object]:
    return "done", {"answer": answer, "intents": intents, "usage": {"model": "m"}, "duration_ms": 7}


async def heard(response: httpx.Response | Exception, requests: list[httpx.Request] | None = None) -> Reply:
    def answer(request: httpx.Request) -> httpx.Response:
        if requests is not None:
            requests.append(request)
        if isinstance(response, Exception):
            raise response
        return response

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://product") as client:
        return await ask(client, "질문")


async def test_the_streamed_text_the_intents_and_the_model_are_read():
    requests: list[httpx.Request] = []
    reply = await heard(events(token("가"), token("나"), done("가나", "waste", "weather")), requests)
    assert reply == Reply("가나", ("waste", "weather"), "m", 7)
    assert orjson.loads(requests[0].content)["message"] == "질문"


async def test_text_before_a_reset_is_no_part_of_the_answer():
    reply = await heard(events(token("x"), ("reset", {"attempt": 2, "reason": "r"}), token("가"), done("가")))
    assert (reply.answer, reply.failure) == ("가", "")


async def test_an_answer_that_is_not_the_streamed_text_is_a_failure():
    assert (await heard(events(token("가"), done("나")))).failure == "the streamed text is not the answer"


async def test_an_error_event_is_a_failure_with_its_code():
    assert (await heard(events(("error", {"code": "deadline"})))).failure == "error deadline"


async def test_a_question_back_instead_of_an_answer_is_a_failure():
    assert (await heard(events(("input_required", {"kind": "location"})))).failure == "input_required"


async def test_a_stream_without_an_end_is_a_failure():
    assert (await heard(events(token("가")))).failure == "the stream ended without `done`"


async def test_a_refused_question_is_a_failure_with_its_status():
    assert (await heard(httpx.Response(503))).failure == "HTTP 503"


async def test_a_broken_connection_is_a_failure_and_not_the_end_of_the_evaluation():
    assert (await heard(httpx.ReadError("cut"))).failure == "no answer (ReadError)"
