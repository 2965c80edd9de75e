// The sources of an answer: its documents with their dates, and the passages that it cites.

import { element } from './dom.js';
import { link } from './text.js';
import { revisedText, words } from './words.js';

export class SourceList {
  #sources = [];
  #isGrowing = true;
  #isAsked = false;
  cited = new Set();

  constructor() {
    this.element = element('div', 'sources');
  }

  // The node for "[number]" in the answer, or null when there is no such source.
  citation(number) {
    const source = this.#sources[number - 1];
    if (!source) return null;
    this.cited.add(number);
    const button = element('button', 'cite', `[${number}]`);
    button.type = 'button';
    button.setAttribute('aria-label', words.turn.citation(number, source));
    button.addEventListener('click', () => this.#point(number));
    return button;
  }

  know(sources) {
    this.#sources = sources;
  }

  // Below a text that grows they would be pushed down with each line: they wait for its end, or to be asked for.
  wait(isGrowing) {
    this.#isGrowing = isGrowing;
    this.element.hidden = isGrowing && !this.#isAsked;
  }

  build() {
    this.element.replaceChildren();
    if (this.#sources.length === 0) return;
    const documents = new Map();
    this.#sources.forEach((source, index) => {
      const name = `${source.document}\n${source.revised ?? ''}\n${source.url ?? ''}`;
      const known = documents.get(name) ?? { source, passages: [] };
      documents.set(name, known);
      if (this.cited.has(index + 1)) known.passages.push([index + 1, source]);
    });
    const all = [...documents.values()];
    const cited = all.filter((one) => one.passages.length);
    const list = element('ul', 'documents');
    list.append(...(cited.length ? cited : all).map(documentItem));
    this.element.append(element('h3', '', words.turn.sources), list);
  }

  #point(number) {
    const passage = this.element.querySelector(`[data-number="${number}"]`);
    if (!passage) return;
    this.#isAsked = true;
    this.wait(this.#isGrowing);
    passage.scrollIntoView({ block: 'nearest' });
    passage.focus({ preventScroll: true });
  }
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
  const item = element('li');
  item.dataset.number = number;
  item.tabIndex = -1;
  item.append(element('b', '', `[${number}]`), element('span', '', [title, section].filter(Boolean).join(' · ')));
  return item;
}
