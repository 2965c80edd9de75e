// The question under way: sent, followed to its end, stopped, discarded, asked once more.

import * as api from './api.js';
import {
  PICTURE, askAgain, endedByStatus, failed, heard, isPending, isRefusedView, newTurn, submitted, viewAgain,
} from './conversation.js';
import { Follower } from './follow.js';
import * as pictures from './picture_store.js';
import { currentPlace } from './place.js';
import { dataUrl } from './resize.js';

export class Chat {
  #on;
  #follower = null;
  #unwanted = new WeakSet();
  isConnected = true;
  isStopping = false;

  // `on.begun(turn)`, `on.changed(turn)` while it goes on, `on.waits(turn)` for its user, `on.ended(turn)`;
  // `on.connection()` when the connection has come or gone, `on.stopFailed()`.
  constructor(conversation, on) {
    this.conversation = conversation;
    this.#on = on;
  }

  get active() {
    const turn = this.conversation.turns.at(-1);
    return isPending(turn) ? turn : null;
  }

  // A question that waits for its user may be put aside for another one.
  get takesQuestions() {
    return this.active === null || this.active.wish !== null;
  }

  // Shows another conversation; the answer that is under way in this one goes on by itself.
  open(conversation) {
    this.#leave();
    this.conversation = conversation;
  }

  // The running job is replayed from its first event, so that nothing is lost or doubled.
  resume() {
    const turn = this.active;
    if (turn?.job) this.#follow(turn);
    else if (turn) this.#send(turn);
  }

  // `picture` is `{thumbnail, blob}`, or null.
  async ask(question, picture = null) {
    const waiting = this.active;
    if (waiting) this.#discard(waiting);
    const turn = newTurn(question, picture?.thumbnail);
    turn.interrupts = waiting !== null;
    this.conversation.turns.push(turn);
    this.#on.begun(turn);
    if (picture?.blob) await pictures.put(turn.id, picture.blob);
    // Its conversation was left meanwhile: opening it again sends the question.
    if (turn === this.active) this.#send(turn, picture?.blob);
  }

  async again(turn, { interrupts = false }) {
    if (this.active) return;
    const { sessionId, turns } = this.conversation;
    if (turn !== turns.at(-1)) {
      const picture = turn.picture && { thumbnail: turn.picture, blob: await pictures.get(turn.id) };
      if (sessionId === this.conversation.sessionId && !this.active) this.ask(turn.question, picture);
    } else if (isRefusedView(turn)) {
      viewAgain(turn);
      this.#follow(turn);
    } else {
      askAgain(turn, interrupts);
      this.#on.begun(turn);
      this.#send(turn);
    }
  }

  stop() {
    const turn = this.active;
    if (!turn || this.isStopping) return;
    this.isStopping = true;
    this.#on.changed(turn);
    if (turn.job) this.#cancel(turn);
  }

  // Nobody waits for this answer any more.
  abandon() {
    const turn = this.active;
    if (turn?.job) api.cancel(turn.job.cancelUrl).catch(() => {});
    else if (turn) this.#unwanted.add(turn);
  }

  // Nothing is asked of the browser before the user has pressed the button.
  async locate(turn) {
    const step = (change) => {
      if (turn.wish) Object.assign(turn.wish, change);
      this.#on.changed(turn);
    };
    step({ step: 'locating', problem: null });
    try {
      const place = await currentPlace();
      step({ step: 'sending' });
      await api.tellPlace(turn.job.inputUrl, place);
      step({ step: 'sent' });
    } catch (problem) {
      // The answer has gone on meanwhile: its events tell.
      if (problem.code === 'not_waiting') step({ step: 'sent' });
      else step({ step: 'failed', problem: { code: problem.code ?? problem.message, status: problem.status } });
    }
  }

  async #send(turn, blob = null) {
    const { sessionId } = this.conversation;
    const { question, key, interrupts } = turn;
    try {
      const picture = turn.picture && await pictureOf(turn, blob);
      const queued = await api.submit({ question, picture, sessionId, key, interrupts });
      if (turn !== this.active) {
        // The conversation was left while the question was on its way; its key finds the job again.
        if (this.#unwanted.has(turn)) api.cancel(queued.cancel_url).catch(() => {});
        return;
      }
      submitted(turn, queued);
      this.#follow(turn);
      if (this.isStopping) this.#cancel(turn);
    } catch (problem) {
      if (turn !== this.active) return;
      failed(turn, problem);
      this.#finish(turn);
    }
  }

  #follow(turn) {
    this.#follower = new Follower(turn.job, {
      event: (name, data, id) => {
        heard(turn, name, data, id);
        if (!isPending(turn)) this.#finish(turn);
        else if (name === 'input_required') this.#on.waits(turn);
        else this.#on.changed(turn);
      },
      status: (status) => {
        endedByStatus(turn, status);
        this.#finish(turn);
      },
      connected: (now) => {
        this.isConnected = now;
        this.#on.connection();
      },
    });
    this.#on.changed(turn);
  }

  #finish(turn) {
    this.#leave();
    // Needed only for asking once more.
    if (turn.status === 'done') pictures.remove([turn.id]);
    this.#on.ended(turn);
  }

  #leave() {
    this.#follower?.close();
    this.#follower = null;
    this.isStopping = false;
    this.isConnected = true;
    this.#on.connection();
  }

  // A new question takes the place of one that waits for its user.
  #discard(turn) {
    endedByStatus(turn, { status: 'cancelled' });
    this.#finish(turn);
  }

  async #cancel(turn) {
    try {
      await api.cancel(turn.job.cancelUrl);
    } catch {
      // Its end may have come in the meantime.
      if (turn !== this.active) return;
      this.isStopping = false;
      this.#on.stopFailed();
    }
  }
}

async function pictureOf(turn, blob) {
  const picture = blob ?? await pictures.get(turn.id) ?? await onServer(turn.picture);
  if (!picture) throw new api.Problem({ code: 'picture_lost', status: 0 });
  return dataUrl(picture);
}

// A conversation that came from the API has its pictures there.
const onServer = (picture) => (PICTURE.test(picture) ? api.pictureAt(picture) : null);
