// The question back: where are you? Asked of the browser only when its button is pressed.

import { element } from './dom.js';
import { problemText, words } from './words.js';

const LOCATING = { timeout: 15_000, maximumAge: 300_000 };
const BY_CODE = { 1: 'denied', 2: 'unavailable', 3: 'timeout' };

// The place, or an exception whose message names why there is none.
export function currentPlace() {
  if (!window.isSecureContext || !navigator.geolocation) return Promise.reject(new Error('unsupported'));
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => resolve({ latitude, longitude }),
      ({ code }) => reject(new Error(BY_CODE[code] ?? 'unavailable')),
      LOCATING,
    );
  });
}

export class PlaceCard {
  #left = element('p', 'left');
  #told = element('p', 'told');
  #use = element('button', 'use', words.place.use);
  #wish = null;
  #timer = 0;

  // `use()` when the user lets the place be used.
  constructor(use) {
    this.element = element('section', 'place');
    this.element.setAttribute('aria-label', words.place.title);
    this.#use.type = 'button';
    this.#use.addEventListener('click', () => {
      if (this.#use.getAttribute('aria-disabled') !== 'true') use();
    });
    this.#told.setAttribute('role', 'status');
    // Every second aloud would drown everything else.
    this.#left.setAttribute('aria-live', 'off');
  }

  show(wish) {
    if (wish && !this.#wish) this.#build(wish);
    this.#wish = wish;
    clearInterval(this.#timer);
    if (!wish) {
      this.element.replaceChildren();
      return;
    }
    this.#use.setAttribute('aria-disabled', String(!['asked', 'failed'].includes(wish.step)));
    const told = wish.problem ? problem(wish.problem) : words.place[wish.step];
    this.#told.classList.toggle('wrong', Boolean(wish.problem));
    if (this.#told.textContent !== (told ?? '')) this.#told.textContent = told ?? '';
    this.#count();
    this.#timer = setInterval(() => this.#count(), 1000);
  }

  #build({ message }) {
    this.#told.textContent = '';
    this.element.replaceChildren(
      element('p', 'asked', message), this.#use, this.#told, element('p', 'or', words.place.hint), this.#left,
    );
  }

  #count() {
    if (!this.element.isConnected) clearInterval(this.#timer);
    const seconds = Math.ceil((this.#wish.until - Date.now()) / 1000);
    const text = seconds > 0 ? words.place.left(seconds) : words.place.expired;
    if (this.#left.textContent !== text) this.#left.textContent = text;
  }
}

const problem = (one) => (Object.hasOwn(words.place.problems, one.code) ? words.place.problems[one.code] : problemText(one));
