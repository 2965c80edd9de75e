// The chat: puts the conversation, the running job and the page together.

import * as api from './api.js';
import {
  askAgain, endedByStatus, failed, heard, isPending, load, newConversation, newTurn, onSavedElsewhere, save,
  submitted,
} from './conversation.js';
import { Follower } from './follow.js';
import { currentPlace } from './place.js';
import { BottomKeeper } from './scroll.js';
import { TurnView } from './turn.js';
import { EXAMPLES, NOTICES, PLACE, problemText } from './words.js';

const SAVE_EVERY_MS = 400;
const MANY_CHARS = 7_000;
const MOST_CHARS = 8_000;

const find = (id) => document.getElementById(id);
const page = {
  turns: find('turns'), welcome: find('welcome'), form: find('composer'), question: find('question'),
  send: find('send'), stop: find('stop'), notice: find('notice'), spoken: find('spoken'), room: find('room'),
};
const bottom = new BottomKeeper(find('scroller'), page.turns, find('down'));

let conversation = load();
let views = new Map();
let follower = null;
let isConnected = true;
let isStopping = false;
let frame = 0;
let saving = 0;
let isLeaving = false;
const on = { again, locate };

const active = () => {
  const turn = conversation.turns.at(-1);
  return isPending(turn) ? turn : null;
};

// However many events arrive, the page is drawn once a frame and stored a few times a second.
function changed() {
  frame ||= requestAnimationFrame(draw);
  saving ||= setTimeout(store, SAVE_EVERY_MS);
}

function draw() {
  frame = 0;
  const turn = conversation.turns.at(-1);
  if (turn) views.get(turn.id)?.update();
  drawComposer();
}

function store(options) {
  // A reload breaks off the calls that are under way: that is no failure to remember.
  if (isLeaving) return;
  clearTimeout(saving);
  saving = 0;
  save(conversation, options);
}

function drawAll() {
  views = new Map(conversation.turns.map((turn) => [turn.id, new TurnView(turn, on)]));
  page.turns.replaceChildren(...[...views.values()].map((view) => view.element));
  bottom.toBottom();
  drawComposer();
}

function drawComposer() {
  const turn = active();
  // A question that waits for its user may be put aside for another one.
  const isBusy = turn !== null && !(turn.wish && page.question.value.trim());
  const hadFocus = document.activeElement === page.stop || document.activeElement === page.send;
  page.welcome.hidden = conversation.turns.length > 0;
  page.send.hidden = isBusy;
  page.stop.hidden = !isBusy;
  // Not `disabled`: that would take the focus away.
  page.stop.setAttribute('aria-disabled', String(isStopping));
  page.send.disabled = page.question.value.trim() === '';
  // A focused button that goes away would leave the keyboard nowhere.
  const { activeElement } = document;
  if (hadFocus && (activeElement === document.body || activeElement.hidden || activeElement.disabled)) {
    page.question.focus();
  }
  const { length } = page.question.value;
  page.room.textContent = length > MANY_CHARS ? `${length.toLocaleString('ko')} / ${MOST_CHARS.toLocaleString('ko')}자` : '';
}

function tell(text) {
  if (page.notice.textContent !== text) page.notice.textContent = text;
}

function tellConnection() {
  const isAnswering = active() !== null;
  if (!navigator.onLine) tell(isAnswering ? NOTICES.offlineInMidAnswer : NOTICES.offline);
  else tell(isAnswering && !isConnected ? NOTICES.reconnecting : '');
}

function ask(question) {
  const waiting = active();
  if (waiting) discard(waiting);
  const turn = newTurn(question);
  turn.interrupts = waiting !== null;
  conversation.turns.push(turn);
  const view = new TurnView(turn, on);
  views.set(turn.id, view);
  page.turns.append(view.element);
  begin(turn);
}

function again(turn, { interrupts = false }) {
  if (active()) return;
  if (turn === conversation.turns.at(-1)) {
    askAgain(turn, interrupts);
    begin(turn);
  } else {
    ask(turn.question);
  }
}

// A new question takes the place of one that waits for its user.
function discard(turn) {
  leave();
  endedByStatus(turn, { status: 'cancelled' });
  views.get(turn.id)?.update();
}

// Nothing is asked of the browser before the user has pressed the button.
async function locate(turn) {
  const step = (change) => {
    if (turn.wish) Object.assign(turn.wish, change);
    changed();
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

function begin(turn) {
  page.spoken.textContent = '질문을 보냈어요.';
  store();
  draw();
  bottom.toBottom();
  send(turn);
}

async function send(turn) {
  const { sessionId } = conversation;
  const { question, key, interrupts } = turn;
  try {
    const queued = await api.submit({ question, sessionId, key, interrupts });
    if (turn !== active()) {
      // The conversation was left while the question was on its way.
      api.cancel(queued.cancel_url).catch(() => {});
      return;
    }
    submitted(turn, queued);
    store();
    followJob(turn);
    if (isStopping) cancelJob(turn);
  } catch (problem) {
    if (turn !== active()) return;
    failed(turn, problem);
    finish(turn);
  }
}

function followJob(turn) {
  follower = new Follower(turn.job, {
    event(name, data, id) {
      heard(turn, name, data, id);
      if (name === 'input_required') {
        page.spoken.textContent = PLACE.title;
        // At once: a reload must know how long it has been waiting.
        store();
      }
      if (isPending(turn)) changed();
      else finish(turn);
    },
    status(status) {
      endedByStatus(turn, status);
      finish(turn);
    },
    connected(now) {
      isConnected = now;
      tellConnection();
    },
  });
  changed();
}

function finish(turn) {
  leave();
  store();
  changed();
  const words = { done: '답변이 끝났어요.', cancelled: '답변을 멈췄어요.' };
  page.spoken.textContent = words[turn.status] ?? problemText(turn.problem);
}

function leave() {
  follower?.close();
  follower = null;
  isStopping = false;
  isConnected = true;
  tellConnection();
}

function stop() {
  const turn = active();
  if (!turn || isStopping) return;
  isStopping = true;
  drawComposer();
  if (turn.job) cancelJob(turn);
}

async function cancelJob(turn) {
  try {
    await api.cancel(turn.job.cancelUrl);
  } catch {
    // Its end may have come in the meantime.
    if (turn !== active()) return;
    isStopping = false;
    tell(NOTICES.stopFailed);
    changed();
  }
}

function startNew() {
  const turn = active();
  if (turn?.job) api.cancel(turn.job.cancelUrl).catch(() => {});
  leave();
  conversation = newConversation();
  store({ isNew: true });
  drawAll();
  page.question.focus();
}

// The running job is replayed from its first event, so that nothing is lost or doubled.
function resume() {
  const turn = active();
  if (turn?.job) followJob(turn);
  else if (turn) send(turn);
}

function fitQuestion() {
  page.question.style.height = 'auto';
  page.question.style.height = `${page.question.scrollHeight}px`;
  drawComposer();
}

page.form.addEventListener('submit', (event) => {
  event.preventDefault();
  const question = page.question.value.trim();
  if (question === '' || (active() && !active().wish)) return;
  page.question.value = '';
  fitQuestion();
  ask(question);
});
page.question.addEventListener('input', fitQuestion);
page.question.addEventListener('keydown', (event) => {
  // 229: Safari ends the composition before it reports the Enter that ended it.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  page.form.requestSubmit();
});
page.stop.addEventListener('click', stop);
find('new').addEventListener('click', startNew);
window.addEventListener('online', tellConnection);
window.addEventListener('offline', tellConnection);
window.addEventListener('pagehide', () => {
  store();
  isLeaving = true;
});
window.addEventListener('pageshow', () => { isLeaving = false; });
onSavedElsewhere(() => {
  if (active()) return;
  conversation = load();
  drawAll();
  resume();
});

find('examples').append(...EXAMPLES.map((text) => {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = text;
  button.addEventListener('click', () => {
    if (!active()) ask(text);
  });
  item.append(button);
  return item;
}));

drawAll();
tellConnection();
resume();
if (matchMedia('(hover: hover)').matches) page.question.focus();
