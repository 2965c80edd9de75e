// What the graph did, run by run, on the graph's own clock: a run begins where the latest run that had
// ended by then ended. Only stage events count, never when they arrived, so that a replay gives the same.

export function heardStage(runs, { node, status, duration_ms: durationMs, detail }) {
  if (status === 'started') {
    runs.push(begun(runs, node));
    return;
  }
  let run = runs.find((one) => one.node === node && one.endMs === null);
  if (!run) runs.push(run = begun(runs, node));
  run.endMs = run.startMs + (durationMs ?? 0);
  run.status = status;
  run.detail = detail ?? null;
}

const begun = (runs, node) => ({ node, startMs: lastMs(runs), endMs: null, status: 'running', detail: null });

export const lastMs = (runs) => Math.max(0, ...runs.map((run) => run.endMs ?? run.startMs));

// What became of a run, given what became of its turn.
export function outcome({ endMs, status, detail }, turnStatus) {
  if (endMs === null) return turnStatus === 'running' ? 'running' : 'stopped';
  const isCut = status === 'failed' && (!detail || detail === 'stopped');
  return isCut && turnStatus === 'cancelled' ? 'stopped' : status;
}

// The runs of each node together. They go in parallel: the longest is what was waited for.
export function stagesOf(runs, turnStatus) {
  return [...grouped(runs)].map(([node, all]) => {
    const outcomes = all.map((run) => outcome(run, turnStatus));
    const isOpen = all.some((run) => run.endMs === null);
    return {
      node,
      count: all.length,
      status: ['running', 'failed'].find((one) => outcomes.includes(one)) ?? outcomes.at(-1),
      durationMs: isOpen ? null : Math.max(...all.map((run) => run.endMs - run.startMs)) || null,
    };
  });
}

function grouped(runs) {
  const byNode = new Map();
  for (const run of runs) byNode.set(run.node, [...(byNode.get(run.node) ?? []), run]);
  return byNode;
}
