// What stands below an answer: what went wrong, or what it took, and what can be done now.

import { element } from './dom.js';
import { link } from './text.js';
import { problemText, words } from './words.js';

const TRACE_ID = /^[0-9a-f]{32}$/;

// `again({interrupts})` asks the question once more.
export function ending(turn, again) {
  const parts = turn.status === 'error' ? [problemBox(turn.problem, again)] : [];
  const facts = element('p', 'facts');
  if (turn.status === 'cancelled') facts.append(element('span', 'badge stopped', words.turn.stopped));
  if (turn.isSample) {
    const badge = element('span', 'badge', words.turn.sample);
    badge.title = words.turn.sampleMeaning;
    facts.append(badge);
  }
  if (turn.durationMs) facts.append(element('span', '', words.turn.took(turn.durationMs)));
  const trace = traceLink(turn.traceId);
  if (trace) facts.append(trace);
  if (turn.status === 'cancelled') facts.append(againButton(words.turn.askAgain, () => again({})));
  if (facts.childElementCount) parts.push(facts);
  return parts;
}

function problemBox(problem, again) {
  const box = element('div', 'problem');
  box.setAttribute('role', 'alert');
  box.append(element('p', '', problemText(problem)));
  const choices = element('div', 'choices');
  choices.append(againButton(words.turn.tryAgain, () => again({})));
  if (problem.code === 'session_busy') {
    choices.append(againButton(words.turn.interrupt, () => again({ interrupts: true })));
  }
  box.append(choices);
  return box;
}

function againButton(text, again) {
  const button = element('button', 'again', text);
  button.type = 'button';
  button.addEventListener('click', again);
  return button;
}

// Only where the operator has said where traces are.
function traceLink(traceId) {
  const template = document.querySelector('meta[name="trace-url"]')?.content ?? '';
  if (!template.includes('{trace_id}') || !TRACE_ID.test(traceId)) return null;
  return link(template.replaceAll('{trace_id}', traceId), words.turn.trace);
}
