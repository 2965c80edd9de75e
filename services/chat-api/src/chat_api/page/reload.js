// A network that changes in mid-load leaves a page without some of its scripts or its style, which no browser
// fetches again by itself: such a page is loaded once more. A plain script, there before the others.

(() => {
  const TRIES = 'eco2.tries';
  const MOST_TRIES = 3;
  const PAUSE_MS = 400;
  let isWhole = true;

  function failed({ target }) {
    if (!isWhole || !(target instanceof Element) || !target.matches('script, link[rel="stylesheet"]')) return;
    isWhole = false;
    const tries = counted();
    if (tries < MOST_TRIES) setTimeout(() => location.reload(), PAUSE_MS * 2 ** tries);
    else tell();
  }

  // A browser without storage counts nothing, and is not loaded again: it could go on for ever.
  function counted() {
    try {
      const tries = Number(sessionStorage.getItem(TRIES)) || 0;
      sessionStorage.setItem(TRIES, (tries + 1) % (MOST_TRIES + 1));
      return tries;
    } catch {
      return MOST_TRIES;
    }
  }

  function forget() {
    try {
      if (isWhole) sessionStorage.removeItem(TRIES);
    } catch {
      // There is none.
    }
  }

  function tell() {
    const text = '페이지를 다 불러오지 못했어요. 새로고침해 주세요. · The page did not load. Please reload it.';
    document.addEventListener('DOMContentLoaded', () => say(text));
    if (document.readyState !== 'loading') say(text);
  }

  const say = (text) => { document.getElementById('notice').textContent = text; };

  // Failed loads do not bubble.
  window.addEventListener('error', failed, true);
  window.addEventListener('load', forget);
})();
