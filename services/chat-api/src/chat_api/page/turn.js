// One question with its answer, on the page.

import { isPending } from './conversation.js';
import { element } from './dom.js';
import { pictureFigure } from './picture.js';
import { PlaceCard } from './place.js';
import { AnswerText, link } from './text.js';
import { PLACE, STAGE_STATUS, duration, problemText, revisedText, stageName } from './words.js';

export class TurnView {
  #turn;
  #on;
  #answer = element('div', 'answer');
  #stages = element('ul', 'stages');
  #body = element('div', 'text');
  #images = element('div', 'pictures');
  #place;
  #sources = element('section', 'sources');
  #end = element('div', 'end');
  #text;
  #cited = new Set();
  #last = '';
  #shown = {};

  // `on.again(turn, {interrupts})` when the question is to be asked once more, `on.locate(turn)` when the
  // place may be used.
  constructor(turn, on) {
    this.#turn = turn;
    this.#on = on;
    this.#text = new AnswerText(this.#body, (number) => this.#citation(number));
    this.#place = new PlaceCard(() => on.locate(turn));
    this.#stages.setAttribute('aria-label', '진행 단계');
    this.#sources.setAttribute('aria-label', '출처');
    const question = element('div', 'question');
    question.append(element('span', 'unseen', '질문: '), element('p', '', turn.question));
    this.#answer.append(
      element('span', 'unseen', '답변: '), this.#stages, this.#place.element, this.#images, this.#body, this.#sources,
      this.#end,
    );
    this.element = element('article', 'turn');
    this.element.append(question, this.#answer);
    this.update();
  }

  // Builds only the parts that changed since the last time.
  update() {
    const turn = this.#turn;
    this.#answer.setAttribute('aria-busy', String(isPending(turn)));
    this.element.dataset.status = turn.status;
    this.#part('stages', [turn.status, turn.isWaiting, turn.isRetried, turn.stages, !turn.wish], () => this.#buildStages());
    this.#part('place', turn.wish, () => this.#place.show(turn.wish));
    this.#part('images', turn.images, () => this.#images.replaceChildren(...turn.images.map(pictureFigure)));
    this.#part('text', [turn.text, turn.status, turn.sources.length], () => {
      if (!turn.text.startsWith(this.#last)) this.#cited.clear();
      this.#last = turn.text;
      this.#text.show(turn.text, { isGrowing: isPending(turn) });
    });
    this.#part('sources', [turn.sources, [...this.#cited]], () => this.#buildSources());
    this.#part('end', [turn.status, turn.problem, turn.durationMs, turn.isSample], () => this.#buildEnd());
  }

  #part(name, state, build) {
    const now = JSON.stringify(state);
    if (this.#shown[name] === now) return;
    this.#shown[name] = now;
    build();
  }

  #buildStages() {
    const { status, isWaiting, isRetried, stages, wish } = this.#turn;
    const pills = stages.map((stage) => {
      const name = stageName(stage.node) + (stage.runs > 1 ? ` ×${stage.runs}` : '');
      const took = stage.open === 0 && stage.durationMs ? duration(stage.durationMs) : '';
      return pill(stageStatus(stage, status), name, took);
    });
    if (status === 'sending') pills.unshift(pill('running', '보내는 중'));
    else if (status === 'running' && isWaiting) pills.unshift(pill('running', '차례를 기다리는 중'));
    else if (status === 'running' && wish) pills.push(pill('running', PLACE.waiting));
    else if (status === 'running' && stages.length === 0) pills.unshift(pill('running', '준비하는 중'));
    if (isRetried) pills.unshift(pill('retried', '처음부터 다시 작성'));
    this.#stages.replaceChildren(...pills);
  }

  #citation(number) {
    const source = this.#turn.sources[number - 1];
    if (!source) return null;
    this.#cited.add(number);
    const button = element('button', 'cite', `[${number}]`);
    button.type = 'button';
    button.setAttribute('aria-label', `출처 ${number}: ${source.title}, ${source.section}`);
    button.addEventListener('click', () => this.#point(number));
    return button;
  }

  #point(number) {
    const passage = this.#sources.querySelector(`[data-number="${number}"]`);
    if (!passage) return;
    passage.scrollIntoView({ block: 'nearest' });
    passage.focus({ preventScroll: true });
  }

  #buildSources() {
    this.#sources.replaceChildren();
    if (this.#turn.sources.length === 0) return;
    const documents = new Map();
    this.#turn.sources.forEach((source, index) => {
      const name = `${source.document}\n${source.revised ?? ''}\n${source.url ?? ''}`;
      const known = documents.get(name) ?? { source, passages: [] };
      documents.set(name, known);
      if (this.#cited.has(index + 1)) known.passages.push([index + 1, source]);
    });
    const all = [...documents.values()];
    const cited = all.filter((one) => one.passages.length);
    const list = element('ul', 'documents');
    list.append(...(cited.length ? cited : all).map(documentItem));
    this.#sources.append(element('h3', '', '출처'), list);
  }

  #buildEnd() {
    const turn = this.#turn;
    this.#end.replaceChildren();
    if (isPending(turn)) return;
    if (turn.status === 'error') this.#end.append(this.#problem());
    const facts = element('p', 'facts');
    if (turn.status === 'cancelled') facts.append(element('span', 'badge stopped', '멈춤'));
    if (turn.isSample) {
      const badge = element('span', 'badge', '표본 데이터');
      badge.title = '실제 언어 모델 대신 대역이 답한 예시예요.';
      facts.append(badge);
    }
    if (turn.durationMs) facts.append(element('span', '', `${duration(turn.durationMs)} 걸림`));
    if (turn.status === 'cancelled') facts.append(this.#againButton('다시 물어보기', {}));
    if (facts.childElementCount) this.#end.append(facts);
  }

  #problem() {
    const box = element('div', 'problem');
    box.setAttribute('role', 'alert');
    box.append(element('p', '', problemText(this.#turn.problem)));
    const choices = element('div', 'choices');
    choices.append(this.#againButton('다시 시도', {}));
    if (this.#turn.problem.code === 'session_busy') {
      choices.append(this.#againButton('앞선 답변을 멈추고 묻기', { interrupts: true }));
    }
    box.append(choices);
    return box;
  }

  #againButton(text, options) {
    const button = element('button', 'again', text);
    button.type = 'button';
    button.addEventListener('click', () => this.#on.again(this.#turn, options));
    return button;
  }
}

function stageStatus({ open, status, isCut }, turnStatus) {
  if (open > 0) return turnStatus === 'running' ? 'running' : 'stopped';
  return isCut && turnStatus === 'cancelled' ? 'stopped' : status;
}

function pill(status, name, took = '') {
  const item = element('li', `stage ${status}`);
  item.append(element('i', 'dot'), element('span', '', name));
  if (STAGE_STATUS[status]) item.append(element('span', 'unseen', STAGE_STATUS[status]));
  if (took) item.append(element('span', 'took', took));
  item.firstChild.setAttribute('aria-hidden', 'true');
  return item;
}

function documentItem({ source, passages }) {
  const item = element('li', 'document');
  const name = (source.url && link(source.url, source.document)) || element('span', '', source.document);
  name.classList.add('name');
  const revised = element('span', source.revised ? 'revised' : 'revised undated', revisedText(source.revised));
  const head = element('p', 'head');
  head.append(name, revised);
  item.append(head);
  if (passages.length) {
    const list = element('ul', 'passages');
    list.append(...passages.map(([number, passage]) => passageItem(number, passage)));
    item.append(list);
  }
  return item;
}

function passageItem(number, { title, section }) {
  const item = element('li', '');
  item.dataset.number = number;
  item.tabIndex = -1;
  item.append(element('b', '', `[${number}]`), element('span', '', `${title} · ${section}`));
  return item;
}
