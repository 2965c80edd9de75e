"""A picture that is drawn: kept, told by its address, and its bytes nowhere else."""

import base64

import orjson
import pytest
from chat_worker.agents.image_generation import WISH_MAX_CHARS, image_generation
from chat_worker.errors import AnswerRefused, Transient
from chat_worker.ports.images import MadeImage
from eco2_bus.log import LogUnavailable
from eco2_bus.pictures import MemoryPictures, Picture

from tests.worker.fakes import findings_in
from tests.worker.fakes_vendors import PNG, FakeImages, tools, turn
from tests.worker.world import World, until

WISH = "분리배출하는 고양이 그려줘"


class FullPictures(MemoryPictures):
    """A store that cannot be written."""

    async def put(self, picture: Picture) -> str:
        raise LogUnavailable("away")


def kept(pictures: MemoryPictures) -> list[tuple[str, Picture]]:
    return [(picture_id, picture) for picture_id, (_, picture) in pictures._pictures.items()]


def remembered(world: World) -> str:
    """All that is saved of the session, as it is saved."""
    return repr((world.store.storage, world.store.writes, world.store.blobs))


async def test_what_is_drawn_is_kept_and_told_by_its_address() -> None:
    pictures, images = MemoryPictures(), FakeImages()
    finding = await image_generation(turn(WISH), tools(images=images, pictures=pictures))
    ((picture_id, picture),) = kept(pictures)
    assert (picture.data, picture.owner, picture.session_id) == (PNG, "someone", "s1")
    assert finding["status"] == "ok"
    assert finding.get("image") == {"url": f"/api/v1/images/{picture_id}", "alt": WISH}
    (passage,) = finding["passages"]
    assert (passage["title"], passage["text"]) == ("요청하신 그림을 그렸어요.", "초록 고양이")
    assert images.asked == [WISH]
    assert orjson.dumps(finding)


async def test_a_picture_without_a_description_is_described_by_the_wish() -> None:
    images = FakeImages(MadeImage("image/png", PNG, ""))
    finding = await image_generation(
        turn(WISH, language="en"), tools(images=images, pictures=MemoryPictures())
    )
    (passage,) = finding["passages"]
    assert (passage["title"], passage["text"]) == ("The picture has been drawn.", WISH)


async def test_a_long_wish_is_cut() -> None:
    images = FakeImages()
    finding = await image_generation(turn("가" * 5_000), tools(images=images, pictures=MemoryPictures()))
    assert len(images.asked[0]) == WISH_MAX_CHARS
    assert len(finding["image"]["alt"]) == 200  # pyright: ignore[reportTypedDictNotRequiredAccess]


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "이 그림은 그릴 수 없어요. 다르게 부탁해 주세요."),
        ("en", "This picture cannot be drawn. Please ask for something else."),
    ],
)
async def test_a_wish_that_is_refused_is_told(language: str, note: str) -> None:
    pictures = MemoryPictures()
    finding = await image_generation(
        turn(WISH, language=language),  # pyright: ignore[reportArgumentType]
        tools(images=FakeImages(fails=AnswerRefused()), pictures=pictures),
    )
    assert (finding["status"], finding["passages"], finding["note"]) == ("failed", [], note)
    assert "image" not in finding
    assert kept(pictures) == []


async def test_a_vendor_that_fails_is_left_to_the_wrapper() -> None:
    with pytest.raises(Transient):
        await image_generation(
            turn(WISH), tools(images=FakeImages(fails=Transient("down")), pictures=MemoryPictures())
        )


async def test_a_picture_that_cannot_be_kept_is_not_drawn_again_by_another_attempt() -> None:
    images = FakeImages()
    async with World(tools=tools(images=images, pictures=FullPictures())) as world:
        world.model.intents[WISH] = [("image_generation", WISH)]
        story = await world.answer(WISH)
    assert (story.end, story.ended["attempts"], len(images.asked)) == ("done", 1, 1)
    (finding,) = findings_in(world.model.prompts[-1])
    assert (finding["status"], finding["note"]) == ("failed", "그림 생성 정보를 지금 불러올 수 없어요.")
    assert story.all("image") == []


async def test_a_drawn_picture_is_an_event_of_its_own_and_its_bytes_are_nowhere() -> None:
    pictures = MemoryPictures()
    async with World(tools=tools(images=FakeImages(), pictures=pictures), save_after_s=0) as world:
        world.model.intents[WISH] = [("image_generation", WISH)]
        world.model.hold_after = 2
        job_id = await world.ask(WISH)
        await world.model.held.wait()
        ((picture_id, _),) = kept(pictures)
        await until(lambda: picture_id in remembered(world))
        in_mid_turn = remembered(world)
        world.model.go_on.set()
        story = await world.story(job_id)
        at_the_end = remembered(world)
    assert story.all("image") == [{"url": f"/api/v1/images/{picture_id}", "alt": WISH}]
    assert story.names.index("image") < story.names.index("token")
    for place in (in_mid_turn, at_the_end, repr(story.entries), repr(world.model.prompts)):
        assert "the bytes of a picture" not in place
        assert base64.b64encode(PNG).decode()[:60] not in place
