// One job's events, through every loss of the connection, until the last one.

import { statusOf } from './api.js';

const EVENTS = [
  'queued', 'started', 'stage', 'token', 'sources', 'image', 'input_required', 'reset', 'gap', 'usage', 'done',
  'error', 'cancelled',
];
const ENDS = new Set(['done', 'error', 'cancelled']);
const LONGEST_WAIT_MS = 10_000;

export class Follower {
  #job;
  #on;
  #source = null;
  #lastId = '';
  #failures = 0;
  #timer = 0;
  #isClosed = false;

  // `on.event(name, data, id)` for each event, `on.status(status)` for an end that only the status tells of,
  // `on.connected(isConnected)`.
  constructor(job, on) {
    this.#job = job;
    this.#on = on;
    window.addEventListener('online', this.#reopen);
    this.#open();
  }

  close() {
    this.#isClosed = true;
    this.#source?.close();
    clearTimeout(this.#timer);
    window.removeEventListener('online', this.#reopen);
  }

  // A connection may have died without a word while the network was away: never wait for it.
  #reopen = () => {
    if (!this.#isClosed) this.#open();
  };

  #open() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const url = new URL(this.#job.eventsUrl, location.href);
    if (this.#lastId) url.searchParams.set('last_event_id', this.#lastId);
    const source = new EventSource(url);
    source.onopen = () => this.#on.connected(true);
    source.addEventListener('credential_expired', () => this.#renew());
    for (const name of EVENTS) source.addEventListener(name, (event) => this.#hear(name, event));
    this.#source = source;
  }

  #hear(name, event) {
    // `error` is both an event of the job and the browser's own word for a lost connection.
    if (!(event instanceof MessageEvent)) {
      this.#lost();
      return;
    }
    this.#failures = 0;
    if (event.lastEventId) this.#lastId = event.lastEventId;
    if (ENDS.has(name)) this.close();
    this.#on.event(name, JSON.parse(event.data), event.lastEventId);
  }

  #lost() {
    if (this.#isClosed) return;
    this.#on.connected(false);
    // CONNECTING: the browser comes back by itself, with Last-Event-ID.
    if (this.#source.readyState === EventSource.CLOSED) this.#askStatus();
  }

  // The browser would come back by itself, with the same ticket, in vain.
  #renew() {
    this.#source.close();
    this.#askStatus();
  }

  // A status other than 200 closes an EventSource for good and is not told; the job's status says what it was.
  async #askStatus() {
    try {
      const status = await statusOf(this.#job.statusUrl);
      if (this.#isClosed) return;
      // The ticket in the old address may have ended.
      if (status.events_url) this.#job.eventsUrl = status.events_url;
      if (ENDS.has(status.status)) this.#end(() => this.#on.status(status));
      else this.#openLater();
    } catch (problem) {
      if (this.#isClosed) return;
      if (problem.mayPass) this.#openLater();
      else this.#end(() => this.#on.event('error', { code: problem.code, status: problem.status }));
    }
  }

  #end(tell) {
    this.close();
    this.#on.connected(true);
    tell();
  }

  #openLater() {
    clearTimeout(this.#timer);
    this.#failures += 1;
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(this.#reopen, wait);
  }
}
