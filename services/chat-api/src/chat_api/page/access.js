// The access key that a service may want: asked for when it does, and kept for this tab only.

import { element } from './dom.js';
import { words } from './words.js';

const STORE = 'eco2.key';

let key = kept();
let asking = null;

export const hasKey = () => key !== '';

export const authorization = () => (key ? { Authorization: `Bearer ${key}` } : {});

// True once there is another key than the one that was refused; however many calls are refused, one dialog asks.
export async function renewed({ Authorization: refused = '' }) {
  if (refused !== (authorization().Authorization ?? '')) return true;
  asking ??= ask(Boolean(refused)).finally(() => { asking = null; });
  const given = await asking;
  if (!given) return false;
  key = given;
  keep();
  return true;
}

function ask(isWrong) {
  const dialog = element('dialog', 'access');
  const form = element('form');
  const label = element('label', '', words.access.label);
  const input = element('input');
  const later = element('button', 'later', words.access.later);
  const use = element('button', 'use', words.access.use);
  const title = element('h2', '', words.access.title);
  const told = element('p', isWrong ? 'told wrong' : 'told', isWrong ? words.access.wrong : words.access.wanted);
  form.method = 'dialog';
  Object.assign(input, { id: 'access-key', type: 'password', autocomplete: 'off', required: true });
  // What no header can carry is no key.
  input.pattern = '\\s*[!-~]+\\s*';
  label.htmlFor = input.id;
  title.id = 'access-title';
  told.id = 'access-told';
  later.type = 'button';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.setAttribute('aria-describedby', told.id);
  later.addEventListener('click', () => dialog.close());
  const buttons = element('div', 'choices');
  buttons.append(later, use);
  form.append(title, told, label, input, element('p', 'kept', words.access.kept), buttons);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let given = '';
    form.addEventListener('submit', () => { given = input.value.trim(); });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(given);
    });
    dialog.showModal();
    input.focus();
  });
}

function kept() {
  try {
    return sessionStorage.getItem(STORE) ?? '';
  } catch {
    return '';
  }
}

function keep() {
  try {
    sessionStorage.setItem(STORE, key);
  } catch {
    // No storage: a reload asks again.
  }
}
