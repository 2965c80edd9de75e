// Conversations of this browser: to open again, and to delete here and on the server.

import { element } from './dom.js';
import { titles } from './store.js';
import { problemText, words } from './words.js';

export class History {
  #dialog;
  #on;
  #list;
  #told;
  #current = '';
  #asked = null;

  // `on.open(id)` and `on.remove(id)`, both of which may throw a Problem.
  constructor(dialog, on) {
    this.#dialog = dialog;
    this.#on = on;
    this.#list = dialog.querySelector('.list');
    this.#told = dialog.querySelector('.told');
    dialog.querySelector('.close').addEventListener('click', () => dialog.close());
    // A click beside the dialog lands on the dialog itself.
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  show(current) {
    this.#current = current;
    this.#asked = null;
    this.#tell('');
    this.#build();
    this.#dialog.showModal();
  }

  #build() {
    const known = titles();
    this.#list.replaceChildren(...known.map((one) => this.#item(one)));
    if (known.length === 0) this.#list.append(element('li', 'none', words.history.none));
  }

  #item({ id, title, at }) {
    const item = element('li', 'kept');
    const name = title || words.history.untitled;
    const open = element('button', 'open');
    open.type = 'button';
    const when = id === this.#current ? words.history.current : words.history.when(at);
    open.append(element('span', 'title', name), element('span', 'when', when));
    if (id === this.#current) open.setAttribute('aria-current', 'true');
    open.addEventListener('click', () => this.#open(id));
    item.append(open, ...(this.#asked === id ? this.#confirmation(id) : [this.#removal(id, name)]));
    return item;
  }

  #removal(id, name) {
    const remove = element('button', 'remove', '×');
    remove.type = 'button';
    remove.setAttribute('aria-label', words.history.remove(name));
    remove.addEventListener('click', () => {
      this.#asked = id;
      this.#build();
      this.#list.querySelector('.keep').focus();
    });
    return remove;
  }

  #confirmation(id) {
    const box = element('div', 'confirm');
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', words.history.confirm);
    const yes = element('button', 'yes', words.history.yes);
    const keep = element('button', 'keep', words.history.keep);
    yes.type = keep.type = 'button';
    yes.addEventListener('click', () => this.#remove(id, yes));
    keep.addEventListener('click', () => {
      this.#asked = null;
      this.#build();
      this.#dialog.querySelector('.close').focus();
    });
    box.append(element('span', '', words.history.confirm), yes, keep);
    return [box];
  }

  async #open(id) {
    this.#tell(words.history.opening);
    try {
      await this.#on.open(id);
      this.#dialog.close();
    } catch (problem) {
      this.#tell(problemText(problem));
    }
  }

  async #remove(id, button) {
    button.disabled = true;
    try {
      await this.#on.remove(id);
      this.#asked = null;
      this.#tell(words.history.removed);
      this.#build();
      this.#dialog.querySelector('.close').focus();
    } catch (problem) {
      button.disabled = false;
      this.#tell(problemText(problem));
    }
  }

  #tell(text) {
    this.#told.textContent = text;
  }
}
