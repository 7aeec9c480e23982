#!/bin/sh
# clawws tail --cursor-file across kill -9 of the tail; what is wrong with a file; gaps that end it.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server --store memory
at=$work/at

# Killed again and again while events come: some may stand twice in what was written, none is missing.
: >"$work/all"
start_tail --cursor-file "$at" # appends from here on
wait_for 10 has_line ':0$' "$at"
kill -KILL "$tail_pid"
wait "$tail_pid" 2>/dev/null
number=0
while [ $number -lt 1200 ]; do
  "$tail" --state-dir "$state" --cursor-file "$at" >>"$work/all" 2>"$work/tail.err" </dev/null &
  tail_pid=$!
  started="$started $tail_pid"
  goal=$((number + 200))
  while [ $number -lt $goal ]; do
    number=$((number + 1))
    publish "$(status_event "agent-$number")"
  done
  wait_for 10 has_line "\"agent-$((goal - 150))\"" "$work/all"
  kill -KILL "$tail_pid"
  wait "$tail_pid" 2>/dev/null
done
expect "the rest" 0 '.*' "going on after [a-z0-9]*:[0-9]* ($at)" \
  "$tail" --state-dir "$state" --cursor-file "$at" --until-live
cat "$work/out" >>"$work/all"
missing=$(grep -o '"agent-[0-9]*"' "$work/all" | sort -u | wc -l)
[ "$missing" = $number ] || fail "$((number - missing)) of $number events were skipped"
has_line "^[a-z0-9]\{8\}:$number\$" "$at" || fail "the file after a clean end: $(cat "$at")"
[ "$(stat -c %a "$at")" = 600 ] || fail "the file's mode is $(stat -c %a "$at")"
expect "nothing new" 0 "" "live at" "$tail" --state-dir "$state" --cursor-file "$at" --until-live
expect "the file beats --last" 0 "" "live at" "$tail" --state-dir "$state" --cursor-file "$at" -n 5 --until-live
expect "a first run" 0 "\"seq\":$number}\$" "live at" "$tail" --state-dir "$state" --cursor-file "$work/other" -n 5 --until-live
lines_are 5 "$work/out" || fail "a first run with -n 5: $(cat "$work/out")"

# One at a time.
start_tail --cursor-file "$at"
wait_for 10 has_line 'live at' "$work/tail.err"
expect "a second tail" 1 "" "at.lock is held by process $tail_pid: another clawws tail" \
  "$tail" --state-dir "$state" --cursor-file "$at"
kill -TERM "$tail_pid"
wait "$tail_pid"

printf 'k3f9:7' >"$work/short"
expect "a file that lost its end" 2 "" 'short: it holds "k3f9:7" without the end of its line' "$tail" --state-dir "$state" --cursor-file "$work/short"
echo 'k3f9' >"$work/damaged"
expect "a damaged file" 2 "" 'damaged: it holds no position but "k3f9"; write.*or remove it' \
  "$tail" --state-dir "$state" --cursor-file "$work/damaged"
expect "a directory" 2 "" "no regular file" "$tail" --state-dir "$state" --cursor-file "$work"
expect "nowhere" 2 "" "No such file" "$tail" --state-dir "$state" --cursor-file "$work/none/at"
expect "records in pretty lines" 2 "" "needs --output ndjson" "$tail" --meta inline -o pretty

# The memory store begins anew with each server: what was between is gone, and said.
stop_server KILL
start_server --store memory
expect "a gap" 7 '"cause":"new_epoch","lost":null,"from":"[a-z0-9]*:'$number'","to":"[a-z0-9]*:0"' "clawws tail: gap: the server's log began anew" \
  "$tail" --state-dir "$state" --cursor-file "$at" --on-gap exit --meta inline
has_line '^{"type":"clawws.connected","timestamp":"' "$work/out" || fail "no clawws.connected: $(cat "$work/out")"
has_line ":0\$" "$at" || fail "the new epoch is not in the file: $(cat "$at")"
publish "$(status_event after)"
expect "behind the gap" 0 '"after"' "going on after" \
  "$tail" --state-dir "$state" --cursor-file "$at" --on-gap exit --count 1
exit $bad
