// The page: puts the chat, the composer, the history and the language together.

import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { newConversation } from './conversation.js';
import { element } from './dom.js';
import { History } from './history.js';
import { conversationOf, erase, sweepPictures } from './kept.js';
import { BottomKeeper } from './scroll.js';
import * as store from './store.js';
import { TurnView } from './turn.js';
import { problemText, switchLanguage, translatePage, words } from './words.js';

const SAVE_EVERY_MS = 400;

const find = (id) => document.getElementById(id);
const page = {
  turns: find('turns'), welcome: find('welcome'), notice: find('notice'), spoken: find('spoken'),
  examples: find('examples'),
};
const bottom = new BottomKeeper(find('scroller'), page.turns, find('down'));

let views = new Map();
let frame = 0;
let saving = 0;
let isLeaving = false;

const chat = new Chat(store.loadCurrent(), {
  begun(turn) {
    say(words.spoken.sent);
    store.setCurrent(chat.conversation);
    save();
    if (!views.has(turn.id)) append(turn);
    draw();
    bottom.toBottom();
  },
  changed,
  waits(turn) {
    say(words.place.title);
    // At once: a reload must know how long it has been waiting.
    save();
    changed(turn);
  },
  ended(turn) {
    save();
    views.get(turn.id)?.update();
    changed();
    say(words.spoken[turn.status] ?? problemText(turn.problem));
  },
  connection: tellConnection,
  stopFailed() {
    tell(words.notices.stopFailed);
    changed();
  },
});
const turnActions = {
  again: (turn, how) => chat.again(turn, how),
  locate: (turn) => chat.locate(turn),
  rated: (turn) => {
    views.get(turn.id)?.update();
    save();
  },
};
const composer = new Composer(find('composer'), {
  ask: (question, picture) => chat.ask(question, picture),
  stop: () => chat.stop(),
  tell: say,
  wrong: tell,
});
const history = new History(find('history'), { open: openKept, remove: removeKept });

// However many events arrive, the page is drawn once a frame and stored a few times a second.
function changed() {
  frame ||= requestAnimationFrame(draw);
  saving ||= setTimeout(save, SAVE_EVERY_MS);
}

function draw() {
  frame = 0;
  const turn = chat.conversation.turns.at(-1);
  if (turn) views.get(turn.id)?.update();
  page.welcome.hidden = chat.conversation.turns.length > 0;
  composer.draw({
    isBusy: chat.active !== null, isStopping: chat.isStopping, takesQuestions: chat.takesQuestions,
  });
}

function save() {
  // A reload breaks off the calls that are under way: that is no failure to remember.
  if (isLeaving) return;
  clearTimeout(saving);
  saving = 0;
  store.save(chat.conversation);
}

function append(turn) {
  const view = new TurnView(turn, turnActions);
  views.set(turn.id, view);
  page.turns.append(view.element);
}

function drawAll() {
  views = new Map();
  page.turns.replaceChildren();
  chat.conversation.turns.forEach(append);
  bottom.toBottom();
  draw();
}

function say(text) {
  page.spoken.textContent = text;
}

function tell(text) {
  if (page.notice.textContent !== text) page.notice.textContent = text;
}

function tellConnection() {
  const isAnswering = chat.active !== null;
  if (!navigator.onLine) tell(isAnswering ? words.notices.offlineInMidAnswer : words.notices.offline);
  else tell(isAnswering && !chat.isConnected ? words.notices.reconnecting : '');
}

function show(conversation) {
  save();
  chat.open(conversation);
  store.setCurrent(conversation);
  drawAll();
  chat.resume();
}

function startNew() {
  chat.abandon();
  show(newConversation());
  composer.focus();
}

async function openKept(sessionId) {
  if (sessionId === chat.conversation.sessionId) return;
  show(await conversationOf(sessionId));
  save();
}

async function removeKept(sessionId) {
  await erase(sessionId);
  if (sessionId === chat.conversation.sessionId) show(newConversation());
}

function drawExamples() {
  page.examples.replaceChildren(...words.examples.map((text) => {
    const item = element('li');
    const button = element('button', '', text);
    button.type = 'button';
    button.addEventListener('click', () => {
      if (!chat.active) chat.ask(text);
    });
    item.append(button);
    return item;
  }));
}

function translate() {
  translatePage();
  drawExamples();
  composer.translate();
  drawAll();
  tellConnection();
}

find('new').addEventListener('click', startNew);
find('past').addEventListener('click', () => history.show(chat.conversation.sessionId));
find('language').addEventListener('click', () => {
  switchLanguage();
  translate();
});
window.addEventListener('online', tellConnection);
window.addEventListener('offline', tellConnection);
window.addEventListener('pagehide', () => {
  save();
  isLeaving = true;
});
window.addEventListener('pageshow', () => { isLeaving = false; });
store.onSavedElsewhere((sessionId) => {
  if (chat.active) return;
  const { conversation } = chat;
  const isOurs = sessionId === conversation.sessionId;
  if (!isOurs && !store.isRemoved(conversation) && conversation.turns.length > 0) return;
  chat.open((isOurs && store.load(sessionId)) || store.loadCurrent());
  drawAll();
  chat.resume();
});

translate();
chat.resume();
sweepPictures();
if (matchMedia('(hover: hover)').matches) composer.focus();
