// A conversation, and what each event of a job changes in it.

import { heardStage } from './runs.js';

// A picture of this very service, and nothing else, is ever fetched for an answer.
export const PICTURE = /^\/api\/v1\/images\/[0-9a-f]{32}(\?ticket=[\w.-]+)?$/;

export const isPending = (turn) => turn?.status === 'sending' || turn?.status === 'running';

export const newConversation = () => ({ sessionId: randomId(), turns: [] });

// `picture`, when one comes with the question, is a small version of it as a data URL.
export function newTurn(question, picture = null) {
  return { id: randomId(), at: Date.now(), question, picture, ...fresh() };
}

// The same turn, asked once more. Without a job nobody knows whether the first POST arrived, so it goes out under
// its key, as the same question; one that the API refused has left its key free.
export function askAgain(turn, interrupts) {
  const mayHaveArrived = turn.job === null && turn.problem?.code !== 'idempotency_mismatch';
  const same = mayHaveArrived ? { key: turn.key, interrupts: interrupts || turn.interrupts } : { interrupts };
  Object.assign(turn, fresh(), same);
}

// Only its viewer was refused, for want of a key: the job has gone on.
export const isRefusedView = (turn) => turn.job !== null && turn.problem?.status === 401;

export function viewAgain(turn) {
  turn.status = 'running';
  turn.problem = null;
}

// A key per asking: a POST that is repeated after a reload or a lost reply gives the same job.
function fresh() {
  return {
    key: randomId(), interrupts: false, status: 'sending', job: null, isWaiting: true, isRetried: false,
    text: '', runs: [], sources: [], images: [], wish: null, deadlines: {}, isSample: false, durationMs: null,
    problem: null, traceId: '', rating: null,
  };
}

export function submitted(turn, queued) {
  turn.status = 'running';
  turn.traceId = queued.trace_id;
  turn.ahead = queued.position ?? 0;
  turn.job = {
    statusUrl: queued.status_url, eventsUrl: queued.events_url, cancelUrl: queued.cancel_url,
    inputUrl: `${queued.status_url}/input`,
  };
}

export function failed(turn, { code, status }) {
  turn.status = 'error';
  turn.wish = null;
  turn.problem = { code, status };
}

// A turn as the API lists it; the course of it is not kept there.
export function keptTurn(kept) {
  const turn = newTurn(kept.question, PICTURE.test(kept.image_url) ? kept.image_url : null);
  turn.at = kept.created_at_ms;
  submitted(turn, apiUrls(kept));
  if (kept.status === 'error') failed(turn, kept.error);
  else ended(turn, kept.status, { ...kept, duration_ms: kept.ended_at_ms - kept.created_at_ms });
  return turn;
}

function apiUrls({ job_id: id, trace_id: traceId }) {
  const url = `/api/v1/chat/${id}`;
  return { status_url: url, events_url: `${url}/events`, cancel_url: `${url}/cancel`, trace_id: traceId };
}

// What the status call says of a job whose events are gone.
export function endedByStatus(turn, status) {
  if (status.status === 'error') failed(turn, status.error);
  else ended(turn, status.status, status);
}

const APPLY = {
  queued: startOver,
  // Also the first event after a wait: what is shown stays.
  started: (turn) => { turn.isWaiting = false; turn.wish = null; },
  stage: (turn, data) => heardStage(turn.runs, data),
  token: (turn, { text }) => { turn.text += text; },
  sources: (turn, sources) => { turn.sources = sources; },
  image: (turn, { url, alt }) => { if (PICTURE.test(url)) turn.images.push({ url, alt: String(alt ?? '') }); },
  input_required: wish,
  reset: (turn) => { startOver(turn); turn.isWaiting = false; turn.isRetried = true; },
  gap: startOver,
  done: (turn, data) => heardOut(turn, 'done', data),
  cancelled: (turn, data) => heardOut(turn, 'cancelled', data),
  error: failed,
};

// `id` is the event's own: the same after every reconnect and reload.
export function heard(turn, name, data, id = '') {
  APPLY[name]?.(turn, data, id);
}

function startOver(turn) {
  Object.assign(turn, { text: '', runs: [], sources: [], images: [], wish: null, isWaiting: true });
}

// A replay tells of the wish anew, but its time has been running since it was heard first.
function wish(turn, { kind, message, expires_in_s: expiresInS }, id) {
  if (kind !== 'location') return;
  turn.deadlines[id] ??= Date.now() + 1000 * expiresInS;
  turn.wish = { message, until: turn.deadlines[id], step: 'asked', problem: null };
}

function heardOut(turn, status, data) {
  if (data.answer !== turn.text) console.warn('the streamed text is not the answer');
  ended(turn, status, data);
}

function ended(turn, status, data) {
  turn.status = status;
  turn.isWaiting = false;
  turn.wish = null;
  turn.isSample = Boolean(data.sample_data);
  turn.durationMs = data.duration_ms || null;
  if (data.trace_id) turn.traceId = data.trace_id;
  if (data.sources?.length) turn.sources = data.sources;
  if (data.answer) turn.text = data.answer;
}

// Not randomUUID: that one is missing on plain http away from localhost.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
