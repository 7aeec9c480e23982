#!/bin/sh
# How clawws tail ends: each documented exit code, signals, a reader that leaves.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server
publish "$(status_event a)" "$(status_event b)" "$(status_event c)"
here="--state-dir $state"

# Unquoted on purpose throughout: $here is an option and its value.
# shellcheck disable=SC2086
{
  expect "the count" 0 '"seq":3}$' ".*" "$tail" $here --since earliest --count 3
  lines_are 3 "$work/out" || fail "not three lines: $(cat "$work/out")"
  expect "the newest two" 0 '"seq":2}$' ".*" "$tail" $here -n 2 --count 2
  if has_line '"seq":1}' "$work/out"; then fail "-n 2 shows three"; fi
  expect "the time" 0 "" ".*" "$tail" $here --for 300ms
  expect "too late" 124 "" "--timeout is over after 0 events" "$tail" $here --timeout 300ms
  expect "idle" 124 '"seq":3}$' "--idle-timeout" "$tail" $here --since earliest --idle-timeout 300ms
  expect "a filter" 124 "" ".*" "$tail" $here --since earliest --timeout 300ms 'session.*'
  expect "a misspelt type" 124 "" "did you mean session.created" "$tail" $here --timeout 300ms session.creatd
  expect "refused" 3 "" "Connection refused" "$tail" $here wss://127.0.0.1:1/ws
  expect "a wrong password" 4 "" "401.*--password-file" env CLAWWS_PASSWORD=wrong "$tail" $here -u admin "$url"
  expect "no credentials" 4 "" "401" "$tail" --state-dir "$work/none" -k "$url"
  expect "a stranger's certificate" 5 "" "self-signed.*CN=localhost.*sha256//" "$tail" --state-dir "$work/none" "$url"
  expect "another pin" 5 "" "not the pinned one" "$tail" $here "$url" \
    --pinnedpubkey sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
  expect "another name" 5 "" "mismatch.*names localhost.*::1.*--resolve" env CLAWWS_PASSWORD="$(cat "$state/password")" "$tail" \
    --state-dir "$work/none" --cacert "$state/cert.pem" -u admin --resolve "panel.example:$port:127.0.0.1" \
    "wss://panel.example:$port/ws"
  expect "another path" 6 "" "404" "$tail" $here "wss://127.0.0.1:$port/elsewhere"
  expect "a full disk" 1 "" "cannot write to stdout: No space left on device" \
    sh -c '"$0" "$@" >/dev/full' "$tail" $here --since earliest
  for goal in "--count 3" --until-live "--for 300ms"; do
    expect "a full disk at $goal" 1 "" "cannot write to stdout: No space left on device" \
      sh -c '"$0" "$@" >/dev/full' "$tail" $here --since earliest $goal
    expect "a closed stdout at $goal" 1 "" "cannot write to stdout: Bad file descriptor" \
      sh -c '"$0" "$@" >&-' "$tail" $here --since earliest $goal
  done
  expect "all that was there" 0 '"seq":3}$' "live at [a-z0-9]*:3 from" "$tail" $here --since earliest --until-live
  lines_are 3 "$work/out" || fail "--until-live: not three lines: $(cat "$work/out")"
  position=$(sed -n 's/.*live at \([a-z0-9]*\):3 from.*/\1:2/p' "$work/err")
  expect "from a position" 0 '"seq":3}$' ".*" "$tail" $here --since "$position" --until-live
  lines_are 1 "$work/out" || fail "--since $position: not one line: $(cat "$work/out")"
  expect "from a position to come" 0 '"seq":3}$' "${position}00 is ahead of the server's log, which ends at #3" \
    "$tail" $here --since "${position}00" --until-live
  expect "nothing that matches" 0 "" "live at" "$tail" $here --since earliest --until-live 'session.*'
  expect "from now on" 0 "" "live at" "$tail" $here --last 0 --until-live
  expect "a closed stdout" 1 "" "cannot write to stdout: Bad file descriptor" \
    sh -c '"$0" "$@" >&-' "$tail" $here --since earliest
}

for signal in INT TERM; do
  start_tail --since earliest
  wait_for 10 lines_are 3 "$work/tail.out"
  # A shell starts background jobs with SIGINT ignored; clawws takes it again.
  kill -$signal "$tail_pid"
  wait "$tail_pid"
  got=$?
  want=143
  [ $signal = INT ] && want=130
  [ $got = $want ] || fail "SIG$signal: exit $got, not $want"
done
grep -q 'why="closed by the client (1000)' "$work/serve.log" || fail "a signal did not end with a close frame"

# A reader that leaves: with 0, within a second, also when nothing happens.
mkfifo "$work/pipe"
"$tail" --state-dir "$state" --since earliest >"$work/pipe" 2>/dev/null &
tail_pid=$!
started="$started $tail_pid"
head -n 1 <"$work/pipe" >/dev/null
begin=$(now_ms)
wait "$tail_pid"
got=$?
took=$(($(now_ms) - begin))
[ $got = 0 ] || fail "a reader that left: exit $got"
[ $took -le 1000 ] || fail "a reader that left was noticed after $took ms"

# SIGUSR1 says how it goes, and does not end it.
start_tail --since earliest
wait_for 10 lines_are 3 "$work/tail.out"
kill -USR1 "$tail_pid"
wait_for 10 has_line '^\[live\] .* #3 .* events 3$' "$work/tail.err"
kill -TERM "$tail_pid"
exit $bad
