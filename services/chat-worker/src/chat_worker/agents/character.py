"""The assistant's characters, one per kind of material."""

import re

from chat_worker.agents.findings import found, not_found, passage, thing_of, together, told
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.characters import Character, Characters

CHARACTERS_SHOWN = 20
_SOURCE = "Eco² 캐릭터 도감"
_NONE: dict[Language, str] = {
    "ko": "'{thing}'에 맞는 캐릭터는 없어요.",
    "en": "There is no character for '{thing}'.",
}


async def character(turn: Turn, tools: Tools) -> Finding:
    """The character that is named, or whose material is; else all of them. Raises a VendorError."""
    assert tools.characters is not None
    words = [word for word in (turn.asked.item, turn.asked.material) if word]
    for word in words:
        if one := await _known(tools.characters, word):
            return found("character", [_passage(turn, one)])
    everybody = await tools.characters.all()
    named = [one for one in everybody if _is_named(one, turn.question)]
    if not named and words:
        return not_found("character", told(turn, _NONE, thing=thing_of(turn)))
    return found("character", [_passage(turn, one) for one in (named or everybody)[:CHARACTERS_SHOWN]])


async def _known(characters: Characters, word: str) -> Character | None:
    for ask in (characters.match, characters.named):
        try:
            return await ask(word)
        except NoData:
            continue
    return None


def _is_named(one: Character, question: str) -> bool:
    names = [name for name in (one.name, one.english_name, one.material) if name]
    return any(re.search(re.escape(name), question, re.IGNORECASE) for name in names)


def _passage(turn: Turn, one: Character) -> Passage:
    if turn.language == "en" and one.english_line:
        title, text = one.english_name or one.name, together(f'"{one.english_line}"', one.english_tip)
    else:
        title, text = one.name, together(one.personality, f'"{one.line}"', one.tip)
    return passage(title, text, _SOURCE, section=one.material)
