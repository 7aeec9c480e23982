#!/bin/sh
# What clawws tail shows: ndjson on a pipe, aligned lines on a terminal, colours, nothing that drives a terminal.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server
at='"timestamp":"2026-02-21T14:30:00.118Z"'
publish \
  '{"type":"session.created",'"$at"',"payload":{"sessionKey":"abc-123","agentId":"research-agent","kind":"direct"}}' \
  '{"type":"agent.status",'"$at"',"payload":{"agentId":"research-agent","status":"error"}}' \
  '{"type":"cron.executed",'"$at"',"payload":{"jobId":"cron-001","exitCode":0,"command":"crypto:test-briefing","durationMs":1200}}' \
  '{"type":"session.killed",'"$at"',"payload":{"sessionKey":"\u001b]0;owned\u0007\u202e","agentId":"a"}}' \
  '{"type":"gateway.status",'"$at"',"payload":{"status":"running","version":"1","uptime":60}}'
escape=$(printf '\033')
all="--state-dir $state --since earliest --count 5"

# Unquoted on purpose throughout: $all is a list of options.
# shellcheck disable=SC2086
{
  expect "a pipe" 0 '^{"type":"session.created",.*,"seq":1}$' ".*" "$tail" $all
  lines_are 5 "$work/out" || fail "not five lines"
  expect "a pipe, pretty" 0 \
    '^2026-02-21 14:30:00.118  session.created   research-agent  abc-123  direct .*#1$' ".*" "$tail" $all -o pretty
  has_line 'cron.executed     cron-001        crypto:test-briefing  ok  1.2 s .*#3$' "$work/out" || fail "the cron line: $(cat "$work/out")"
  has_line 'x1b\]0;owned.x07.u202e' "$work/out" || fail "no visible escapes: $(cat "$work/out")"
  if grep -q "$escape" "$work/out"; then fail "an escape on a pipe: $(cat -v "$work/out")"; fi
  expect "coloured" 0 "$escape\\[31m.*agent.status" ".*" "$tail" $all -o pretty --color always
  CLICOLOR_FORCE=1 expect "colour forced" 0 "$escape\\[" ".*" "$tail" $all -o pretty
  expect "another time" 0 '^2026-02-21T14:30:00.118Z  session.created' ".*" "$tail" $all -o pretty --time iso
  expect "no time" 0 '^session.created' ".*" "$tail" $all -o pretty --time none
  expect "quiet" 0 '"seq":5' "" "$tail" $all -q
  expect "said more" 0 ".*" "connected to 127.0.0.1:$port, DNS .*TLSv1.3" "$tail" $all -v
  if grep -q "$(cat "$state/password")" "$work/err"; then fail "-v shows the password"; fi
}

# On a terminal: pretty, coloured, no control character that came from an event.
on_terminal "$tail $all"
has_line "$escape\\[31m.*agent.status" "$work/screen" || fail "no red line on a terminal: $(cat -v "$work/screen")"
if grep -q "$escape\\]0;" "$work/screen"; then fail "an event set the terminal's title"; fi
on_terminal "$tail $all -o ndjson"
has_line 'u202e' "$work/screen" || fail "ndjson on a terminal: $(cat -v "$work/screen")"
if grep -q "$(printf '\342\200\256')" "$work/screen"; then fail "a raw bidi character on a terminal"; fi
on_terminal "env NO_COLOR=1 $tail $all"
if grep -q "$escape\\[3" "$work/screen"; then fail "NO_COLOR is coloured: $(cat -v "$work/screen")"; fi
on_terminal "env TERM=dumb $tail $all --status never"
if grep -q "$escape" "$work/screen"; then fail "a dumb terminal gets escapes: $(cat -v "$work/screen")"; fi

# The status line: on a terminal, and nowhere else unless asked for. Each ends with the event that comes next.
: >"$work/screen"
script -qefc "$tail --state-dir $state --count 1" "$work/screen" >/dev/null 2>&1 </dev/null &
started="$started $!"
wait_for 10 has_line '\[live\] .*#5  up 00:00:[0-9]*  retries 0' "$work/screen"
publish "$(status_event next)"
wait "$!"
has_line "#6" "$work/screen" || fail "the event is not on the screen"
start_tail --count 1
wait_for 10 has_line 'live at [a-z0-9]\{8\}:6 from' "$work/tail.err"
publish "$(status_event next)"
wait "$tail_pid"
if has_line '\[live\]' "$work/tail.err"; then fail "a status line in a file"; fi
start_tail --count 1 --status always
wait_for 10 has_line '\[live\]' "$work/tail.err"
publish "$(status_event next)"
wait "$tail_pid"
exit $bad
