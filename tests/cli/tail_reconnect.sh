#!/bin/sh
# clawws tail across a server that goes and comes back: nothing twice, gaps said, live again within 3 s.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server
start_tail
wait_for 10 has_line 'live at [a-z0-9]\{8\}:0 from' "$work/tail.err"
publish "$(status_event a)" "$(status_event b)"
wait_for 10 lines_are 2 "$work/tail.out"

for signal in KILL TERM; do
  before=$(grep -c 'live again' "$work/tail.err")
  stop_server $signal
  wait_for 10 has_line 'retry 3 in\|retry 4 in\|no connection' "$work/tail.err"
  # What was acknowledged outlives a kill; another store begins anew.
  case $signal in
    KILL) start_server ;;
    TERM) start_server --store memory ;;
  esac
  begin=$(now_ms)
  came_back() { [ "$(grep -c 'live again' "$work/tail.err")" -gt "$before" ]; }
  wait_for 5 came_back
  took=$(($(now_ms) - begin))
  if [ $signal = KILL ] && has_line 'gap:' "$work/tail.err"; then fail "a kill lost something: $(cat "$work/tail.err")"; fi
  [ $took -le 3000 ] || fail "live again only $took ms after the server's return"
done
has_line "gap: the server's log began anew" "$work/tail.err" || fail "the lost log is not said"
publish "$(status_event c)"
wait_for 10 lines_are 3 "$work/tail.out"
[ "$(sort "$work/tail.out" | uniq -d)" = "" ] || fail "a line stands twice: $(cat "$work/tail.out")"

# Told to end at the loss.
kill -TERM "$tail_pid"
wait "$tail_pid"
start_tail --no-reconnect
wait_for 10 has_line 'live at' "$work/tail.err"
stop_server KILL
wait "$tail_pid"
got=$?
[ $got = 3 ] || fail "--no-reconnect: exit $got"

# Waiting for a server that is not there yet; SIGUSR2 looks at once.
start_tail --wait --retry-base 30s --url "$url"
wait_for 10 has_line 'retry 1 in' "$work/tail.err"
start_server
kill -USR2 "$tail_pid"
wait_for 5 has_line 'live at' "$work/tail.err"
kill -TERM "$tail_pid"
wait "$tail_pid"
stop_server TERM
expect "waited long enough" 3 "" "gave up after" "$tail" --state-dir "$state" --wait=300ms --url "$url"
exit $bad
