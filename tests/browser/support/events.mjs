// Events as the tests publish them.
export const agentStatus = (agentId, status = 'running', more = {}) => ({ type: 'agent.status', payload: { agentId, status, ...more } });
export const sessionCreated = (sessionKey, more = {}) => ({
  type: 'session.created', payload: { sessionKey, agentId: 'main', kind: 'direct', ...more },
});
export const sessionKilled = (sessionKey) => ({ type: 'session.killed', payload: { sessionKey, agentId: 'main' } });
export const cronExecuted = (jobId, exitCode = 0, more = {}) => ({
  type: 'cron.executed', payload: { jobId, exitCode, command: 'backup', durationMs: 1_200, ...more },
});
export const gatewayStatus = (status) => ({ type: 'gateway.status', payload: { status, version: '2026.2.21', uptime: 3_600 } });

/** first, first + 1 … last */
export const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** The value below which a part of them lies. */
export function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
