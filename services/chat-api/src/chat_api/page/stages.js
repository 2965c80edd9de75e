// The pills above an answer: where its question is, and what the graph does.

import { element } from './dom.js';
import { stagesOf } from './runs.js';
import { stageName, words } from './words.js';

export function stagePills({ status, isWaiting, isRetried, runs, wish, ahead }) {
  const pills = stagesOf(runs, status).map((stage) => {
    const name = stageName(stage.node) + (stage.count > 1 ? ` ×${stage.count}` : '');
    return pill(stage.status, name, stage.durationMs ? words.duration(stage.durationMs) : '');
  });
  if (status === 'sending') pills.unshift(pill('running', words.turn.sending));
  else if (status === 'running' && isWaiting) pills.unshift(inLine(ahead));
  else if (status === 'running' && wish) pills.push(pill('running', words.turn.waiting));
  else if (status === 'running' && runs.length === 0) pills.unshift(pill('running', words.turn.preparing));
  if (isRetried) pills.unshift(pill('retried', words.turn.retried));
  return pills;
}

function inLine(ahead) {
  return pill('running', words.turn.queued, ahead > 0 ? words.turn.ahead(ahead) : '');
}

function pill(status, name, took = '') {
  const item = element('li', `stage ${status}`);
  const dot = element('i', 'dot');
  dot.setAttribute('aria-hidden', 'true');
  item.append(dot, element('span', '', name));
  if (words.stageStatus[status]) item.append(element('span', 'unseen', words.stageStatus[status]));
  if (took) item.append(element('span', 'took', took));
  return item;
}
