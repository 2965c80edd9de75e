// The language of the page: Korean until the user chooses English, and then as chosen.

import { en } from './words_en.js';
import { ko } from './words_ko.js';

const STORE = 'eco2.language';
const LANGUAGES = { ko, en };

export let language = kept();
export let words = LANGUAGES[language];

function kept() {
  try {
    return localStorage.getItem(STORE) === 'en' ? 'en' : 'ko';
  } catch {
    return 'ko';
  }
}

export function switchLanguage() {
  language = language === 'ko' ? 'en' : 'ko';
  words = LANGUAGES[language];
  try {
    localStorage.setItem(STORE, language);
  } catch {
    // Not remembered, then.
  }
}

// The page's own texts: `data-words` names the text, `data-label` and `data-placeholder` the attribute's.
export function translatePage() {
  document.documentElement.lang = language;
  document.title = words.page.title;
  for (const one of document.querySelectorAll('[data-words]')) one.textContent = words.page[one.dataset.words];
  for (const one of document.querySelectorAll('[data-label]')) {
    one.setAttribute('aria-label', words.page[one.dataset.label]);
  }
  for (const one of document.querySelectorAll('[data-placeholder]')) {
    one.placeholder = words.page[one.dataset.placeholder];
  }
}

// Names come from outside, and `constructor` is one that every object answers to.
const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

export const stageName = (node) => own(words.stages, node) ?? node;

export const problemText = ({ code, status }) =>
  own(words.problems, code) ?? own(words.problemsByStatus, status) ?? words.anyProblem;

export function revisedText(isoDate) {
  const date = /^(\d{4})-(\d{2})-(\d{2})/.exec(isoDate ?? '');
  return date ? words.revised(date[1], date[2], date[3]) : words.undated;
}
