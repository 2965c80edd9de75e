"""`make page-figures`: what the page weighs, how soon it is there, how calm it stays while it streams."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, ViewportSize, async_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.teller import BLOCK, Teller, tokens_of

LOADS = 5
TOKENS_PER_S = 100
STREAM_S = 10
THROTTLED = 4
ENDS_WITHIN_S = 60
PHONE: ViewportSize = {"width": 390, "height": 844}
# One block that is built anew in each frame, up to the length that an answer may have.
ONE_PARAGRAPH = BLOCK.replace("\n", " ").replace("#", "").replace("- ", "")

WATCH = """
window.seen = { longTasks: [], shifts: [], frames: 0 };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.longTasks.push(entry.duration);
}).observe({ type: 'longtask', buffered: true });
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        if (!entry.hadRecentInput) seen.shifts.push(entry.value);
    }
}).observe({ type: 'layout-shift', buffered: true });
"""
FORGET = "() => { seen.longTasks.length = 0; seen.shifts.length = 0; }"
PAINT = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => {
        const first = list.getEntriesByName('first-contentful-paint')[0];
        const { domInteractive } = performance.getEntriesByType('navigation')[0];
        if (first) resolve([first.startTime, domInteractive]);
    }).observe({ type: 'paint', buffered: true });
})"""


@dataclass(frozen=True)
class Load:
    """A load with nothing in the browser's cache."""

    bytes_of: dict[str, int]
    """Over the wire, headers included, by kind of resource."""
    requests: int
    first_paint_ms: float
    interactive_ms: float


@dataclass(frozen=True)
class Stream:
    """An answer from its first token to its last."""

    took_s: float
    long_tasks_ms: list[float]
    """Each task over 50 ms: what makes a page stutter."""
    layout_shift: float
    """The sum of all; a page may have .1 in its whole life to be called good."""
    heap_growth_bytes: int
    """What is left after the garbage is gone."""


async def measure_load(browser: Browser, url: str) -> Load:
    """Loads the page in a browser that has never seen it."""
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    weights: Counter[str] = Counter()

    def begun(event: dict[str, Any]) -> None:
        # The icon is part of the document.
        if not event["request"]["url"].startswith("data:"):
            kinds[event["requestId"]] = event.get("type", "Other")

    def ended(event: dict[str, Any]) -> None:
        if event["requestId"] in kinds:
            weights[kinds[event["requestId"]]] += int(event["encodedDataLength"])

    session.on("Network.requestWillBeSent", begun)
    session.on("Network.loadingFinished", ended)
    await session.send("Network.enable")
    await page.goto(url, wait_until="networkidle")
    first_paint_ms, interactive_ms = await page.evaluate(PAINT)
    await context.close()
    return Load(dict(weights), len(kinds), first_paint_ms, interactive_ms)


async def measure_stream(browser: Browser, url: str, slowdown: int = 1) -> Stream:
    """Asks one question, on a phone's screen, and watches until the answer has ended."""
    context = await browser.new_context(viewport=PHONE, locale="ko-KR")
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await page.add_init_script(WATCH)
    await page.goto(url, wait_until="networkidle")
    before = await _heap_bytes(session)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    await page.evaluate(FORGET)
    await page.locator("#question").fill("페트병은?")
    await page.locator("#question").press("Enter")
    begun = time.monotonic()
    await page.locator('.turn[data-status="done"]').wait_for(timeout=ENDS_WITHIN_S * 1000)
    took_s = time.monotonic() - begun
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    seen = await page.evaluate("seen")
    growth = await _heap_bytes(session) - before
    await context.close()
    return Stream(took_s, seen["longTasks"], sum(seen["shifts"]), growth)


async def _heap_bytes(session: CDPSession) -> int:
    await session.send("HeapProfiler.collectGarbage")
    return (await session.send("Runtime.getHeapUsage"))["usedSize"]


async def measure_growth(page: Page, answers: int) -> list[int]:
    """The heap in bytes after each of so many answers in one conversation."""
    session = await page.context.new_cdp_session(page)
    sizes: list[int] = []
    for number in range(1, answers + 1):
        await page.locator("#question").fill("페트병은?")
        await page.locator("#question").press("Enter")
        done = page.locator(f'.turn[data-status="done"]:nth-child({number})')
        await done.wait_for(timeout=ENDS_WITHIN_S * 1000)
        sizes.append(await _heap_bytes(session))
    return sizes


async def main() -> None:
    """Prints all figures."""
    teller = Teller(tokens_of(BLOCK, TOKENS_PER_S * STREAM_S), TOKENS_PER_S)
    async with async_playwright() as playwright, teller.serving() as url:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        loads = [await measure_load(browser, url) for _ in range(LOADS)]
        say_loads(loads)
        print(f"{TOKENS_PER_S} tokens/s for {STREAM_S} s, on a phone's screen")
        say_stream("headings, lists, paragraphs", await measure_stream(browser, url))
        say_stream(f"the same, CPU {THROTTLED} times slower", await measure_stream(browser, url, THROTTLED))
        teller.tokens = tokens_of(ONE_PARAGRAPH, TOKENS_PER_S * STREAM_S)
        say_stream("all in one paragraph", await measure_stream(browser, url))
        teller.tokens, teller.tokens_per_s = tokens_of(BLOCK, 300), 10 * TOKENS_PER_S
        page = await browser.new_page(viewport=PHONE)
        await page.goto(url)
        sizes = await measure_growth(page, 12)
        print(f"heap after 2 answers {kib(sizes[1])}, after 12 {kib(sizes[-1])}")
        await browser.close()


def say_loads(loads: list[Load]) -> None:
    load = loads[0]
    weights = ", ".join(f"{kind.lower()} {kib(size)}" for kind, size in sorted(load.bytes_of.items()))
    print(f"weight {kib(sum(load.bytes_of.values()))} in {load.requests} requests: {weights}")
    paint, interactive = median(x.first_paint_ms for x in loads), median(x.interactive_ms for x in loads)
    print(f"cold, median of {len(loads)}: first paint {paint:.0f} ms, interactive {interactive:.0f} ms")


def say_stream(name: str, stream: Stream) -> None:
    tasks = stream.long_tasks_ms
    long = f"{len(tasks)} long tasks" + (f" (longest {max(tasks):.0f} ms)" if tasks else "")
    print(
        f"  {name:32} {stream.took_s:5.1f} s, {long}, layout shift {stream.layout_shift:.3f},"
        f" heap +{kib(stream.heap_growth_bytes)}"
    )


def kib(size: float) -> str:
    return f"{size / 1024:.0f} KiB"


if __name__ == "__main__":
    asyncio.run(main())
