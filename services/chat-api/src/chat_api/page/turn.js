// One question with its answer, on the page.

import { isPending } from './conversation.js';
import { element } from './dom.js';
import { ending } from './ending.js';
import { pictureFigure, showAt } from './picture.js';
import { PlaceCard } from './place.js';
import { RatingBox } from './rating.js';
import { SourceList } from './sources.js';
import { stagePills } from './stages.js';
import { AnswerText } from './text.js';
import { Timeline } from './timeline.js';
import { words } from './words.js';

export class TurnView {
  #turn;
  #on;
  #answer = element('div', 'answer');
  #stages = element('ul', 'stages');
  #timeline = new Timeline();
  #images = element('div', 'pictures');
  #body = element('div', 'text');
  #end = element('div', 'end');
  #sources = new SourceList();
  #text = new AnswerText(this.#body, (number) => this.#sources.citation(number));
  #place;
  #rating;
  #last = '';
  #shown = {};

  // `on.again(turn, {interrupts})` when the question is to be asked once more, `on.locate(turn)` when the
  // place may be used, `on.rated(turn)` when the user has said what they think of the answer.
  constructor(turn, on) {
    this.#turn = turn;
    this.#on = on;
    this.#place = new PlaceCard(() => on.locate(turn));
    this.#rating = new RatingBox(turn, () => on.rated(turn));
    this.#stages.setAttribute('aria-label', words.turn.stages);
    const foot = element('div', 'foot');
    foot.append(this.#end, ...this.#rating.parts);
    this.#answer.append(
      element('h2', 'unseen', words.turn.answer), this.#stages, this.#timeline.element, this.#place.element,
      this.#images, this.#body, this.#sources.element, foot,
    );
    this.element = element('article', 'turn');
    this.element.append(questionBox(turn), this.#answer);
    this.update();
  }

  // Builds only the parts that changed since the last time.
  update() {
    const turn = this.#turn;
    const isGrowing = isPending(turn);
    this.#answer.setAttribute('aria-busy', String(isGrowing));
    this.element.dataset.status = turn.status;
    this.#sources.know(turn.sources);
    this.#sources.wait(isGrowing);
    this.#part('stages', [turn.status, turn.isWaiting, turn.isRetried, turn.runs, !turn.wish], () => {
      this.#stages.replaceChildren(...stagePills(turn));
    });
    this.#part('timeline', [turn.status, turn.runs], () => this.#timeline.show(turn.runs, turn.status));
    this.#part('place', turn.wish, () => this.#place.show(turn.wish));
    this.#part('images', turn.images, () => this.#images.replaceChildren(...turn.images.map(pictureFigure)));
    this.#part('text', [turn.text, turn.status, turn.sources.length], () => {
      if (!turn.text.startsWith(this.#last)) this.#sources.cited.clear();
      this.#last = turn.text;
      this.#text.show(turn.text, { isGrowing });
    });
    this.#part('sources', [turn.sources, [...this.#sources.cited]], () => this.#sources.build());
    this.#part('end', [turn.status, turn.problem, turn.durationMs, turn.isSample, turn.traceId], () => {
      const again = (how) => this.#on.again(turn, how);
      this.#end.replaceChildren(...(isGrowing ? [] : ending(turn, again)));
    });
    this.#part('rating', [turn.status, turn.rating], () => this.#rating.show());
  }

  #part(name, state, build) {
    const now = JSON.stringify(state);
    if (this.#shown[name] === now) return;
    this.#shown[name] = now;
    build();
  }
}

function questionBox({ question, picture }) {
  const box = element('div', 'question');
  box.append(element('span', 'unseen', words.turn.question));
  if (picture) {
    const image = element('img', 'sent');
    image.alt = words.picture.sent;
    showAt(image, picture);
    box.append(image);
  }
  box.append(element('p', '', question));
  return box;
}
