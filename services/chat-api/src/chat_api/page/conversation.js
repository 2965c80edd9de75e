// The conversation as it is kept over reloads, and what each event of a job changes in it.

const STORE = 'eco2.chat.1';
const KEPT_TURNS = 40;
// A picture of this very service, and nothing else, is ever fetched for an answer.
const PICTURE = /^\/api\/v1\/images\/[0-9a-f]{32}$/;

export const isPending = (turn) => turn?.status === 'sending' || turn?.status === 'running';

export const newConversation = () => ({ sessionId: randomId(), turns: [] });

export function newTurn(question) {
  return { id: randomId(), question, ...fresh() };
}

// The same turn, asked once more; where nobody knows whether the first POST arrived, under its key.
export function askAgain(turn, interrupts) {
  const key = turn.problem?.code === 'offline' ? turn.key : randomId();
  Object.assign(turn, fresh(), { key, interrupts });
}

// A key per asking: a POST that is repeated after a reload or a lost reply gives the same job.
function fresh() {
  return {
    key: randomId(), interrupts: false, status: 'sending', job: null, isWaiting: true, isRetried: false,
    text: '', stages: [], sources: [], images: [], wish: null, deadlines: {}, isSample: false, durationMs: null, problem: null,
  };
}

export function submitted(turn, queued) {
  turn.status = 'running';
  turn.job = { statusUrl: queued.status_url, eventsUrl: queued.events_url, cancelUrl: queued.cancel_url,
    inputUrl: `${queued.status_url}/input`,
  };
}

export function failed(turn, { code, status }) {
  turn.status = 'error';
  turn.wish = null;
  turn.problem = { code, status };
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
  stage: stage,
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
  Object.assign(turn, { text: '', stages: [], sources: [], images: [], wish: null, isWaiting: true });
}

function stage(turn, { node, status, duration_ms: durationMs, detail }) {
  let known = turn.stages.find((one) => one.node === node);
  if (!known) turn.stages.push(known = { node, open: 0, runs: 0, status: 'running', durationMs: null });
  if (status === 'started') {
    known.open += 1;
    known.runs += 1;
    return;
  }
  known.open = Math.max(0, known.open - 1);
  // Runs of one node go in parallel: the longest is what was waited for.
  known.durationMs = Math.max(known.durationMs ?? 0, durationMs ?? 0) || null;
  if (known.status !== 'failed') known.status = status;
  known.isCut = status === 'failed' && (!detail || detail === 'stopped');
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
  if (data.sources?.length) turn.sources = data.sources;
  if (data.answer) turn.text = data.answer;
}

export function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE));
    if (typeof kept?.sessionId === 'string' && Array.isArray(kept.turns)) return kept;
  } catch {
    // Nothing readable, or no storage: a new conversation.
  }
  return newConversation();
}

// `isNew` puts the conversation in the place of another one; without it a tab that still shows the
// old one cannot bring it back.
export function save(conversation, { isNew = false } = {}) {
  const kept = { ...conversation, turns: conversation.turns.slice(-KEPT_TURNS) };
  try {
    const stored = localStorage.getItem(STORE);
    if (!isNew && stored !== null && JSON.parse(stored).sessionId !== kept.sessionId) return;
    localStorage.setItem(STORE, JSON.stringify(kept));
  } catch {
    // No storage, or no room: the chat goes on, a reload forgets it.
  }
}

export function onSavedElsewhere(tell) {
  window.addEventListener('storage', (event) => {
    if (event.key === STORE || event.key === null) tell();
  });
}

// Not randomUUID: that one is missing on plain http away from localhost.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
