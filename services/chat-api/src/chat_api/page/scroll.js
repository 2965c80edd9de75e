// Keeps the newest line in sight, but only for a reader who is already there.

const NEAR_PX = 56;

export class BottomKeeper {
  #scroller;
  #isAtBottom = true;
  #top = 0;

  constructor(scroller, content, downButton) {
    this.#scroller = scroller;
    scroller.addEventListener('scroll', () => {
      const { scrollTop } = scroller;
      const isNear = scroller.scrollHeight - scrollTop - scroller.clientHeight < NEAR_PX;
      // Only a reader who goes up leaves the bottom; what has grown since the last frame is still followed.
      if (isNear || scrollTop < this.#top) this.#isAtBottom = isNear;
      this.#top = scrollTop;
      downButton.hidden = this.#isAtBottom;
    }, { passive: true });
    downButton.addEventListener('click', () => this.toBottom());
    // Growing text, and the on-screen keyboard.
    const sizes = new ResizeObserver(() => {
      if (this.#isAtBottom) this.toBottom();
    });
    sizes.observe(content);
    sizes.observe(scroller);
  }

  toBottom() {
    this.#isAtBottom = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
