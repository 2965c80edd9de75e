// Where a question is written, with the picture that goes with it.

import { element } from './dom.js';
import { resized } from './resize.js';
import { words } from './words.js';

const MANY_CHARS = 7_000;
const MOST_CHARS = 8_000;

export class Composer {
  #form;
  #on;
  #question;
  #send;
  #stop;
  #room;
  #file;
  #preview;
  #picture = null;
  // Counts the choices, so that a slow picture cannot take the place of a later one.
  #choice = 0;
  #isPreparing = false;

  // `on.ask(question, picture)`, `on.stop()`, `on.tell(text)` for what is only heard, `on.wrong(text)`.
  constructor(form, on) {
    const find = (id) => form.ownerDocument.getElementById(id);
    this.#form = form;
    this.#on = on;
    this.#question = find('question');
    this.#send = find('send');
    this.#stop = find('stop');
    this.#room = find('room');
    this.#file = find('file');
    this.#preview = find('preview');
    form.addEventListener('submit', (event) => this.#submit(event));
    this.#question.addEventListener('input', () => this.fit());
    this.#question.addEventListener('keydown', (event) => this.#key(event));
    this.#stop.addEventListener('click', () => on.stop());
    find('attach').addEventListener('click', () => this.#file.click());
    this.#file.addEventListener('change', () => {
      this.#choose(this.#file.files);
      // Or the same picture could not be chosen again.
      this.#file.value = '';
    });
    this.#question.addEventListener('paste', (event) => this.#paste(event));
    document.addEventListener('dragover', (event) => {
      if (!isTextForABox(event)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
      if (isTextForABox(event)) return;
      event.preventDefault();
      this.#choose(event.dataTransfer.files);
    });
  }

  focus() {
    this.#question.focus();
  }

  fit() {
    const { style } = this.#question;
    style.height = 'auto';
    style.height = `${this.#question.scrollHeight}px`;
    this.draw();
  }

  // `state` is kept from the last time when it is left out.
  draw(state = this.#state) {
    this.#state = state;
    const { isBusy, isStopping, takesQuestions } = state;
    const hasQuestion = this.#question.value.trim() !== '' || this.#picture !== null;
    const hadFocus = [this.#stop, this.#send].includes(document.activeElement);
    const isStoppable = isBusy && !(takesQuestions && hasQuestion);
    this.#send.hidden = isStoppable;
    this.#stop.hidden = !isStoppable;
    // Not `disabled`: that would take the focus away.
    this.#stop.setAttribute('aria-disabled', String(isStopping));
    this.#send.disabled = !hasQuestion || this.#isPreparing;
    // A focused button that goes away would leave the keyboard nowhere.
    const { activeElement } = document;
    if (hadFocus && (activeElement === document.body || activeElement.hidden || activeElement.disabled)) this.focus();
    const { length } = this.#question.value;
    this.#room.textContent = length > MANY_CHARS ? words.room(length, MOST_CHARS) : '';
  }

  #state = { isBusy: false, isStopping: false, takesQuestions: true };

  #submit(event) {
    event.preventDefault();
    const question = this.#question.value.trim();
    if (!this.#state.takesQuestions || this.#isPreparing || (question === '' && !this.#picture)) return;
    const picture = this.#picture;
    this.#question.value = '';
    this.#show(null);
    this.fit();
    this.#on.ask(question || words.picture.question, picture);
  }

  #key(event) {
    // 229: Safari ends the composition before it reports the Enter that ended it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #paste(event) {
    const { files, types } = event.clipboardData;
    // Cells of a spreadsheet come as a picture too. A file's name, without markup, comes along with the file.
    const isText = types.includes('text/plain') && types.includes('text/html');
    if (files.length === 0 || isText) return;
    event.preventDefault();
    this.#choose(files);
  }

  async #choose(files) {
    if (files.length === 0) return;
    const file = [...files].find(({ type }) => type.startsWith('image/')) ?? files[0];
    const choice = this.#choice += 1;
    this.#isPreparing = true;
    this.#on.wrong('');
    this.#on.tell(words.picture.preparing);
    this.draw();
    let picture = null;
    try {
      picture = await resized(file);
    } catch (problem) {
      if (choice === this.#choice) this.#on.wrong(words.picture[problem.message] ?? words.picture.unreadable);
    }
    if (choice !== this.#choice) return;
    this.#isPreparing = false;
    if (picture) {
      this.#show(picture);
      this.#on.tell(words.picture.ready);
      this.focus();
    }
    this.draw();
  }

  #show(picture) {
    this.#choice += 1;
    this.#isPreparing = false;
    this.#picture = picture;
    this.#preview.hidden = picture === null;
    this.#preview.replaceChildren();
    if (!picture) return;
    const image = element('img');
    image.src = picture.thumbnail;
    image.alt = words.picture.sent;
    const remove = element('button', 'remove', '×');
    remove.type = 'button';
    remove.setAttribute('aria-label', words.picture.remove);
    remove.addEventListener('click', () => {
      this.#show(null);
      this.draw();
      this.#on.tell(words.picture.removed);
      this.focus();
    });
    this.#preview.append(image, remove);
  }

  // After the language was changed.
  translate() {
    this.#show(this.#picture);
    this.draw();
  }
}

// What is dropped beside a box, a link say, would take the page away.
const isTextForABox = ({ target, dataTransfer }) =>
  !dataTransfer.types.includes('Files') && target instanceof Element && target.matches('textarea, input');
