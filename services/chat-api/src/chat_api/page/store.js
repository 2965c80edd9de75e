// Conversations as they are kept in this browser: a list of titles, and each conversation by itself.

import { newConversation } from './conversation.js';

const CURRENT = 'eco2.current';
const LIST = 'eco2.conversations';
const ONE = 'eco2.conversation.';
const KEPT_TURNS = 40;
const LISTED = 100;
// The turns of older ones are fetched from the API when they are opened.
const KEPT_WHOLE = 20;
const TITLE_CHARS = 80;

// Conversations that have been in the list: one that has gone from it was deleted, and stays so.
const listed = new WeakSet();

// A tab stays with its conversation; a new tab begins with the one that was used last.
export const loadCurrent = () => load(read(CURRENT, 'sessionStorage') ?? read(CURRENT)) ?? newConversation();

// The conversation with its turns, or null when only its title is kept, or nothing.
export function load(sessionId) {
  const kept = sessionId && read(ONE + sessionId);
  if (kept?.sessionId !== sessionId || !Array.isArray(kept?.turns)) return null;
  if (titles().some(({ id }) => id === sessionId)) listed.add(kept);
  return kept;
}

// `{id, title, at}` of each conversation, the newest first.
export function titles() {
  const list = read(LIST);
  return Array.isArray(list) ? list.filter((one) => typeof one?.id === 'string') : [];
}

export function setCurrent({ sessionId }) {
  write(CURRENT, sessionId);
  write(CURRENT, sessionId, 'sessionStorage');
}

// Of every turn that is kept in this browser.
export const turnIds = () =>
  wholeOnes().flatMap((key) => load(key.slice(ONE.length))?.turns ?? []).map(({ id }) => id);

export const isRemoved = (conversation) =>
  listed.has(conversation) && !titles().some(({ id }) => id === conversation.sessionId);

export function save(conversation) {
  const { sessionId, turns } = conversation;
  if (turns.length === 0 || isRemoved(conversation)) return;
  if (list(conversation)) listed.add(conversation);
  writeInAnyCase(ONE + sessionId, { ...conversation, turns: turns.slice(-KEPT_TURNS) }, sessionId);
}

// Out of room, older conversations give way, one by one.
function writeInAnyCase(key, value, spared) {
  while (!write(key, value)) {
    if (!forgetOldest(spared)) return false;
  }
  return true;
}

function list({ sessionId, turns }) {
  const known = titles();
  const [newest] = known;
  const at = turns.at(-1).at;
  if (newest?.id === sessionId && newest.at === at) return true;
  const others = known.filter(({ id }) => id !== sessionId);
  const title = known.find(({ id }) => id === sessionId)?.title ?? turns[0].question.slice(0, TITLE_CHARS);
  const all = [{ id: sessionId, title, at }, ...others].sort((a, b) => b.at - a.at);
  while (wholeOnes().length > KEPT_WHOLE && forgetOldest(sessionId));
  return writeInAnyCase(LIST, all.slice(0, LISTED), sessionId);
}

function wholeOnes() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(ONE));
  } catch {
    return [];
  }
}

function forgetOldest(spared) {
  const order = titles().map(({ id }) => ONE + id);
  const age = (key) => (order.includes(key) ? order.indexOf(key) : Infinity);
  const [oldest] = wholeOnes().filter((key) => key !== ONE + spared).sort((a, b) => age(b) - age(a));
  if (!oldest) return false;
  localStorage.removeItem(oldest);
  return true;
}

export function remove(sessionId) {
  write(LIST, titles().filter(({ id }) => id !== sessionId));
  try {
    localStorage.removeItem(ONE + sessionId);
  } catch {
    // No storage: nothing was kept.
  }
}

// `tell(sessionId)` when another tab has saved a conversation, or null when it has used or removed one.
export function onSavedElsewhere(tell) {
  window.addEventListener('storage', ({ key }) => {
    if (key?.startsWith(ONE)) tell(key.slice(ONE.length));
    else if (key === null || key === CURRENT || key === LIST) tell(null);
  });
}

function read(key, store = 'localStorage') {
  try {
    return JSON.parse(window[store].getItem(key));
  } catch {
    // Nothing readable, or no storage.
    return null;
  }
}

// Naming a store that the browser forbids is itself an exception.
function write(key, value, store = 'localStorage') {
  try {
    window[store].setItem(key, JSON.stringify(value));
    return true;
  } catch {
    // No storage, or no room: the chat goes on, a reload forgets it.
    return false;
  }
}
