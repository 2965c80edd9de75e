// What the user thinks of an answer: a thumb up or down, and after one down, if they like, a few words.

import { rate } from './api.js';
import { element, icon } from './dom.js';
import { problemText, words } from './words.js';

// The API takes no more.
const COMMENT_MAX_CHARS = 1_000;
const THUMB = 'M6.5 9l3-5.6c1.4 0 2.1 1 1.9 2.2L11 8.2h4.3c1 0 1.8.9 1.6 1.9l-1 4.9c-.2.8-.8 1.4-1.6 1.4H6.5zm0 0H3.7v7.4h2.8';

export class RatingBox {
  #turn;
  #rated;
  #thumbs = element('div', 'thumbs');
  #reply = element('p', 'reply');
  #comment;
  #good = thumb('good', words.rating.good);
  #bad = thumb('bad', words.rating.bad);
  #sent = null;

  // `rated()` once the API has taken what was said.
  constructor(turn, rated) {
    this.#turn = turn;
    this.#rated = rated;
    this.#thumbs.setAttribute('role', 'group');
    this.#thumbs.setAttribute('aria-label', words.rating.title);
    this.#thumbs.append(this.#good, this.#bad);
    this.#good.addEventListener('click', () => this.#press(1));
    this.#bad.addEventListener('click', () => this.#press(0));
    this.#reply.setAttribute('role', 'status');
    this.#comment = this.#commentForm();
    this.parts = [this.#thumbs, this.#reply, this.#comment];
  }

  show() {
    this.#thumbs.hidden = this.#turn.status !== 'done';
    if (this.#thumbs.hidden) this.#say('');
    this.#draw(this.#sent ?? this.#turn.rating);
  }

  #draw(rating) {
    this.#good.setAttribute('aria-pressed', String(rating?.score === 1));
    this.#bad.setAttribute('aria-pressed', String(rating?.score === 0));
    if (rating?.score !== 0) this.#comment.hidden = true;
  }

  async #press(score) {
    if (this.#sent) return;
    const { rating } = this.#turn;
    if (rating?.score !== score && !await this.#give({ score })) return;
    if (score === 0) this.#comment.hidden = Boolean(this.#turn.rating.isCommented);
  }

  // True once the API has taken it.
  async #give({ score, comment }) {
    const { job } = this.#turn;
    this.#sent = { score, isCommented: Boolean(comment) };
    this.#say('');
    this.#draw(this.#sent);
    try {
      await rate(`${job.statusUrl}/feedback`, { score, comment });
      // Asked once more in the meantime: this was about an answer that is gone.
      if (this.#turn.job !== job) return false;
      this.#turn.rating = this.#sent;
      this.#say(comment ? words.rating.commented : words.rating.thanks);
      this.#rated();
      return true;
    } catch (problem) {
      this.#say(problem.mayPass ? words.rating.failed : problemText(problem), true);
      return false;
    } finally {
      this.#sent = null;
      this.show();
    }
  }

  #commentForm() {
    const form = element('form', 'comment');
    form.hidden = true;
    const label = element('label', '', words.rating.why);
    const text = element('textarea');
    text.rows = 2;
    text.maxLength = COMMENT_MAX_CHARS;
    text.autocomplete = 'off';
    label.append(text);
    const leave = element('button', 'again leave', words.rating.leave);
    const skip = element('button', 'again', words.rating.skip);
    skip.type = 'button';
    skip.addEventListener('click', () => this.#closeForm());
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const comment = text.value.trim();
      if (this.#sent || (comment !== '' && !await this.#give({ score: 0, comment }))) return;
      text.value = '';
      this.#closeForm();
    });
    const choices = element('div', 'choices');
    choices.append(leave, skip);
    form.append(label, choices);
    return form;
  }

  // Focus that went away with the form would leave the keyboard nowhere.
  #closeForm() {
    this.#comment.hidden = true;
    this.#bad.focus({ preventScroll: true });
  }

  #say(text, isWrong = false) {
    this.#reply.classList.toggle('wrong', isWrong);
    if (this.#reply.textContent !== text) this.#reply.textContent = text;
  }
}

function thumb(kind, label) {
  const button = element('button', `thumb ${kind}`);
  button.type = 'button';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.append(icon(THUMB));
  return button;
}
