// Users who ask and read the answer to its end; section 8 of the telemetry specification.
//
// k6 hands over a body when it is complete, so it cannot time the first token: that and the token emission
// come from the product's own histograms (load/histograms.py). Everything else is measured or read here.
import { check, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const URL = __ENV.URL;
const KEY = __ENV.ECO2_API_KEY;
const HEADERS = { 'Content-Type': 'application/json', ...(KEY ? { Authorization: `Bearer ${KEY}` } : {}) };
const USERS = Number(__ENV.USERS);
const TOTAL_S = Number(__ENV.TOTAL_S);
const IS_LONG = TOTAL_S >= 300;
// A short run has too few answers to tell a quantile closely (load/levels.py has the same figure).
const SLACK = IS_LONG ? 1 : 1.5;

const MESSAGES = {
  waste: '페트병 어떻게 버려?',
  character: '이코 소개해줘',
  bulk_waste: '소파 버리는 방법 알려줘',
  general: '안녕하세요',
};
const INTENTS = Object.keys(MESSAGES);

const answer = new Trend('answer_ms', true);
const stage = new Trend('stage_ms', true);
const answered = new Counter('answered');
const asked = new Counter('asked');

// Milliseconds at p50, p95, p99. The p99 of a short run is its slowest answer, and says nothing.
function levels(p50, p95, p99) {
  const limits = p50 ? [`p(50)<${p50 * SLACK}`] : [];
  limits.push(`p(95)<${p95 * SLACK}`);
  if (p99 && IS_LONG) {
    limits.push(`p(99)<${p99}`);
  }
  return limits;
}

export const options = {
  scenarios: {
    users: {
      executor: 'ramping-vus',
      stages: [
        { duration: `${Math.round(TOTAL_S / 7)}s`, target: Math.ceil(USERS / 5) },
        { duration: '0s', target: USERS },
        { duration: `${Math.round((TOTAL_S * 5) / 7)}s`, target: USERS },
        { duration: `${Math.round(TOTAL_S / 7)}s`, target: 0 },
      ],
      // Who has asked gets to hear the answer.
      gracefulRampDown: '60s',
      gracefulStop: '60s',
    },
  },
  summaryTrendStats: ['count', 'avg', 'p(50)', 'p(95)', 'p(99)', 'max'],
  thresholds: {
    checks: ['rate>0.99'],
    'answer_ms{intent:waste}': levels(2000, 5000, 10000),
    'answer_ms{intent:general}': levels(1000, 3000, 5000),
    // No level is set for these two; the lines make k6 keep them apart.
    'answer_ms{intent:bulk_waste}': ['max>=0'],
    'answer_ms{intent:character}': ['max>=0'],
    'stage_ms{node:intent}': levels(100, 300, 500),
    'stage_ms{node:waste_rag}': levels(500, 1000, 2000),
    'stage_ms{node:bulk_waste}': levels(null, 3000, null),
    'stage_ms{node:character}': levels(null, 200, null),
    ...Object.fromEntries(INTENTS.flatMap((intent) => [
      [`answered{intent:${intent}}`, ['count>=0']],
      [`asked{intent:${intent}}`, ['count>=0']],
    ])),
  },
};

export default function () {
  const intent = INTENTS[Math.floor(Math.random() * INTENTS.length)];
  const tags = { intent };
  const began = Date.now();
  asked.add(1, tags);
  const body = JSON.stringify({ message: MESSAGES[intent], session_id: `load-${__VU}-${__ITER}` });
  const taken = http.post(`${URL}/api/v1/chat`, body, {
    headers: HEADERS,
    tags: { name: 'POST chat', ...tags },
  });
  const isTaken = check(taken, {
    'taken with 202': (response) => response.status === 202,
    'has a job id': (response) => response.status === 202 && Boolean(response.json('job_id')),
  }, tags);
  if (!isTaken) {
    sleep(1);
    return;
  }
  const stream = http.get(`${URL}${taken.json('events_url')}`, {
    timeout: '120s',
    tags: { name: 'GET events', ...tags },
  });
  const heard = read(stream.body || '');
  const isWhole = check(heard, {
    'a first token came': (told) => told.tokens > 0,
    'ends with done': (told) => told.last === 'done',
    'the text is the answer': (told) => told.last === 'done' && told.text === told.answer,
  }, tags);
  if (isWhole) {
    answer.add(Date.now() - began, tags);
    answered.add(1, tags);
    heard.stages.forEach(([node, ms]) => stage.add(ms, { node }));
  }
  sleep(1);
}

function read(body) {
  const told = { tokens: 0, text: '', answer: null, last: '', stages: [] };
  for (const block of body.split('\n\n')) {
    const name = /^event: (.*)$/m.exec(block);
    const data = /^data: (.*)$/m.exec(block);
    if (!name || !data) {
      continue;
    }
    told.last = name[1];
    const value = JSON.parse(data[1]);
    if (told.last === 'token') {
      told.tokens += 1;
      told.text += value.text;
    } else if (told.last === 'reset') {
      told.text = '';
    } else if (told.last === 'stage' && value.status === 'completed') {
      told.stages.push([value.node, value.duration_ms]);
    } else if (told.last === 'done') {
      told.answer = value.answer;
    }
  }
  return told;
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data) };
}
