// Past conversations, wherever they are kept: in this browser, its pictures, and on the server.

import * as api from './api.js';
import { keptTurn } from './conversation.js';
import * as pictures from './picture_store.js';
import * as store from './store.js';

const FETCHED_TURNS = 40;

// Throws a Problem where only the server has it and does not give it.
export async function conversationOf(sessionId) {
  const kept = store.load(sessionId);
  if (kept) return kept;
  const { turns } = await api.turnsOf(sessionId, FETCHED_TURNS);
  return { sessionId, turns: turns.map(keptTurn) };
}

// Throws a Problem where the server keeps it all the same; then it stays here as well.
export async function erase(sessionId) {
  await api.erase(sessionId);
  store.remove(sessionId);
  sweepPictures();
}

export const sweepPictures = () => pictures.sweep(store.turnIds);
