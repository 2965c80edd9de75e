// The calls of the API; every failure is a Problem.

import { authorization, renewed } from './access.js';

export class Problem extends Error {
  constructor({ code, status, job_id: jobId }) {
    super(code);
    this.code = code;
    this.status = status;
    this.jobId = jobId;
  }

  get mayPass() {
    return this.code === 'offline' || this.status === 429 || this.status >= 500;
  }
}

const TIMEOUT_MS = 20_000;

const UPLOAD_TIMEOUT_MS = 60_000;

// `picture`, when one comes with the question, is a data URL.
export function submit({ question, picture, sessionId, key, interrupts }) {
  const body = { message: question, session_id: sessionId };
  if (picture) body.image_url = picture;
  if (interrupts) body.on_busy = 'interrupt';
  return call('/api/v1/chat', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(body),
    timeoutMs: picture ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS,
  });
}

export const tellPlace = (url, location) => call(url, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ location }),
});

export const rate = (url, rating) => call(url, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(rating),
});

// Outlives the page: a question that nobody waits for any more should not go on.
export const cancel = (url) => call(url, { method: 'POST', keepalive: true });

export const statusOf = (url) => call(url, { cache: 'no-store' });

export const turnsOf = (sessionId, limit) =>
  call(`${session(sessionId)}/turns?limit=${limit}`, { cache: 'no-store' });

// One that the server does not know, or not any more, has nothing left to erase.
export async function erase(sessionId) {
  try {
    await call(session(sessionId), { method: 'DELETE' });
  } catch (problem) {
    if (problem.code !== 'session_not_found') throw problem;
  }
}

// The picture's bytes, or null when it is no longer kept.
export async function pictureAt(url) {
  const response = await fetch(url, { headers: authorization() }).catch(() => null);
  return response?.ok ? response.blob() : null;
}

const session = (sessionId) => `/api/v1/sessions/${encodeURIComponent(sessionId)}`;

async function call(url, options) {
  let shown, response;
  do {
    shown = authorization();
    response = await send(url, options, shown);
  } while (response.status === 401 && await renewed(shown));
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem({ code: 'unknown', ...body, status: response.status });
  return body;
}

async function send(url, { timeoutMs = TIMEOUT_MS, headers, ...options }, shown) {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return await fetch(url, { ...options, headers: { ...headers, ...shown }, signal });
  } catch {
    throw new Problem({ code: 'offline', status: 0 });
  }
}
