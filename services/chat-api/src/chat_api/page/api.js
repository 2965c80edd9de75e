// The calls of the API; every failure is a Problem.

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

export function submit({ question, sessionId, key, interrupts }) {
  const body = { message: question, session_id: sessionId };
  if (interrupts) body.on_busy = 'interrupt';
  return call('/api/v1/chat', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(body),
  });
}

export const tellPlace = (url, location) => call(url, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ location }),
});

// Outlives the page: a question that nobody waits for any more should not go on.
export const cancel = (url) => call(url, { method: 'POST', keepalive: true });

export const statusOf = (url) => call(url, { cache: 'no-store' });

async function call(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Problem({ code: 'offline', status: 0 });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem({ code: 'unknown', ...body, status: response.status });
  return body;
}
