#!/bin/sh
# clawws tail --state: the table, the same as JSON, and --follow over events, a restart and a loss.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server
publish "$(status_event research)" '{"type":"cron.executed","payload":{"jobId":"nightly","exitCode":1,"command":"make","durationMs":1200}}'
published() { "$tail" --state-dir "$state" --state 2>/dev/null | grep -q nightly; }
wait_for 10 published

expect "the table" 0 "research  running" "" "$tail" --state-dir "$state" --state -o pretty
has_line 'nightly  1     1.2 s  now  make' "$work/out" || fail "the cron job's line: $(cat "$work/out")"
expect "JSON on a pipe" 0 '^{"position":"[a-z0-9]*:2","sessions":\[\],"agents":\[{"agentId":"research"' "" "$tail" --state-dir "$state" --state
lines_are 1 "$work/out" || fail "more than one line of JSON"
on_terminal "$tail --state-dir $state --state"
has_line 'agents (1)' "$work/screen" || fail "no table on a terminal: $(cat "$work/screen")"

expect "a wrong password" 4 "" "401" env CLAWWS_PASSWORD=wrong "$tail" --state-dir "$state" -u admin --state --url "$url" --insecure
expect "--follow alone" 2 "" "--follow belongs to --state" "$tail" --follow
expect "with a type" 2 "" "takes no TYPE (agent" "$tail" --state agent.status
expect "with --last" 2 "" "so --last has no meaning" "$tail" --state --last 3
expect "no server" 3 "" "cannot connect" "$tail" --state --url 127.0.0.1:1 --insecure

start_tail --state --follow --retry-base 20ms
wait_for 10 lines_are 1 "$work/tail.out"
publish "$(status_event writer)"
wait_for 10 has_line '"agentId":"writer"' "$work/tail.out"
stop_server KILL
start_server
publish "$(status_event editor)"
wait_for 10 has_line '"agentId":"editor"' "$work/tail.out"
has_line 'live again' "$work/tail.err" || fail "the return is not said: $(cat "$work/tail.err")"
has_line 'taken anew' "$work/tail.err" && fail "a restart that loses nothing took the state anew"
# Another store knows nothing of what was.
stop_server TERM
start_server --store memory
publish "$(status_event newcomer)"
anew() { tail -n 1 "$work/tail.out" | grep -q newcomer; }
wait_for 10 anew
tail -n 1 "$work/tail.out" | grep -q editor && fail "what is gone is still shown: $(tail -n 1 "$work/tail.out")"
has_line "the server's log began anew.*; the state is taken anew" "$work/tail.err" || fail "the loss is not said: $(cat "$work/tail.err")"
kill -TERM "$tail_pid"
wait "$tail_pid"
got=$?
[ $got = 143 ] || fail "SIGTERM: exit $got"

# A reader that leaves ends it.
"$tail" --state-dir "$state" --state --follow 2>"$work/tail.err" | head -n 1 >"$work/first" &
reader=$!
started="$started $reader"
wait_for 10 lines_are 1 "$work/first"
publish "$(status_event another)"
wait_for 10 is_gone $reader
stop_server TERM
exit $bad
