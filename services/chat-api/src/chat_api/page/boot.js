// Starts the page. A network that changes in mid-load leaves a page without some of its scripts, which no
// browser fetches again by itself: such a page is loaded once more.

const TRIES = 'eco2.tries';
const MOST_TRIES = 3;
const PAUSE_MS = 400;

// A browser without storage counts nothing, and is not loaded again: it could go on for ever.
function tries() {
  try {
    return Number(sessionStorage.getItem(TRIES)) || 0;
  } catch {
    return MOST_TRIES;
  }
}

function forget() {
  try {
    sessionStorage.removeItem(TRIES);
  } catch {
    // There is none.
  }
}

try {
  await import('./app.js');
  forget();
} catch (problem) {
  if (tries() < MOST_TRIES) {
    sessionStorage.setItem(TRIES, tries() + 1);
    setTimeout(() => location.reload(), PAUSE_MS * 2 ** tries());
  } else {
    forget();
    document.getElementById('notice').textContent =
      '페이지를 다 불러오지 못했어요. 새로고침해 주세요. · The page did not load. Please reload it.';
    throw problem;
  }
}
