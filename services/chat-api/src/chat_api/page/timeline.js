// How the graph went: its runs as bars on one time axis, those in parallel beside each other; a list for
// those who cannot see bars.

import { element } from './dom.js';
import { lastMs, outcome } from './runs.js';
import { stageName, words } from './words.js';

// While something runs, the end of the axis is open.
const OPEN_SHARE = 1.25;
const FEWEST_RUNS = 2;

export class Timeline {
  #took = element('span', 'took');
  #runs = element('ol', 'runs');

  constructor() {
    this.element = element('details', 'timeline');
    const summary = element('summary');
    summary.append(element('span', '', words.timeline.title), this.#took);
    this.element.append(summary, this.#runs);
  }

  show(runs, turnStatus) {
    this.element.hidden = runs.length < FEWEST_RUNS;
    const isOpen = runs.some((run) => outcome(run, turnStatus) === 'running');
    const last = lastMs(runs);
    const axisMs = Math.max(1, last) * (isOpen ? OPEN_SHARE : 1);
    this.#took.textContent = isOpen || last === 0 ? '' : words.duration(last);
    this.#runs.replaceChildren(...runs.map((run) => runItem(run, outcome(run, turnStatus), axisMs, last)));
  }
}

function runItem(run, status, axisMs, lastMs) {
  const item = element('li', `run ${status}`);
  const endMs = run.endMs ?? (status === 'running' ? axisMs : lastMs);
  item.append(element('span', 'what', stageName(run.node)), bar(run.startMs, endMs, axisMs), told(run, status));
  return item;
}

function bar(startMs, endMs, axisMs) {
  const track = element('span', 'track');
  track.setAttribute('aria-hidden', 'true');
  const filled = element('span', 'bar');
  filled.style.left = `${(100 * startMs) / axisMs}%`;
  filled.style.width = `${(100 * (endMs - startMs)) / axisMs}%`;
  track.append(filled);
  return track;
}

function told(run, status) {
  const line = element('span', 'fate');
  const isOver = run.endMs !== null;
  if (status !== 'completed') line.append(element('span', 'status', statusText(run, status)));
  else line.append(element('span', 'unseen', words.stageStatus.completed));
  if (isOver) {
    const took = run.endMs - run.startMs;
    const short = element('span', 'span', words.duration(took));
    short.setAttribute('aria-hidden', 'true');
    line.append(short, element('span', 'unseen', words.timeline.span(run.startMs, took)));
  }
  return line;
}

function statusText({ detail }, status) {
  if (status !== 'failed') return words.stageStatus[status] ?? status;
  return `${words.stageStatus.failed}: ${words.timeline.failed[reason(detail)]}`;
}

function reason(detail) {
  if (detail === 'not configured') return 'unset';
  return detail?.startsWith('no result within') ? 'late' : 'other';
}
