#!/bin/sh
# What clawws bench finds, and how it ends: with its own server, with one that runs, with a slow, a full
# or a hostile one, starved itself, and interrupted.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
bench=$CLAWWS_BIN/clawws-bench
mkdir "$work/tmp"
TMPDIR=$work/tmp
export TMPDIR
nothing_left() { [ -z "$(ls -A "$work/tmp")" ]; }
# A latency limit with more than ten times to spare, so that a busy test machine is excused.
easy='delivery.p99<30s'
# member NAME: its first value in the JSON report.
member() { sed -n "s/.*\"$1\": \([^,]*\).*/\1/p" "$work/report.json" | head -n 1; }

# ---- a server of its own ----

expect "smoke" 0 '^PASS      lost 0 == 0$' "" env GITHUB_STEP_SUMMARY="$work/summary" "$bench" --profile smoke \
  -d 1s --warmup 100ms --json "$work/report.json" --junit "$work/report.xml"
has_line '^plan      10 conns · 20 events · 200 deliveries' "$work/out" || fail "no plan: $(cat "$work/out")"
has_line '^target .*(own server)$' "$work/out" || fail "no target: $(cat "$work/out")"
has_line '^ledger    expected 200 = delivered 200 + lost 0' "$work/out" || fail "no ledger: $(cat "$work/out")"
has_line '^server    cpu .*KiB/conn' "$work/out" || fail "no server: $(cat "$work/out")"
[ "$(member exitCode)" = 0 ] || fail "the JSON report has exit code $(member exitCode)"
has_line '<testsuite .*failures="0"' "$work/report.xml" || fail "JUnit: $(cat "$work/report.xml")"
has_line '^### clawws bench: PASS$' "$work/summary" || fail "summary: $(cat "$work/summary")"
nothing_left || fail "left behind: $(ls -A "$work/tmp")"

expect "JSON to stdout" 0 '"schema": 1' '^ledger ' "$bench" --profile smoke -d 1s --warmup 0 --json -
expect "a threshold that fails" 20 '^FAIL      delivered 2,500 < 10' "" "$bench" -d 1s --warmup 0 -t "$easy" -t 'delivered<10'
expect "idle" 0 '^server .*KiB/conn' "" "$bench" -s idle -c 100 -d 500ms -t 'server.bytes-per-conn>1KiB' -t 'lost==0' -t 'to-all.max<30s'
expect "connect-storm" 0 '^connect   100/100 in' "" "$bench" -s connect-storm -c 100 -t 'connect.failed==0' -t 'to-all.max<30s'
expect "slow-consumer" 0 '2 clients stopped reading' "" "$bench" -s slow-consumer -c 20 --stalled 2 -r 100 -d 2s \
  -t "$easy" -t 'delivery.stalled.p99<20s' -t 'lost==0'
expect "churn" 0 '^churn  *[0-9]* came back (40/s) .*failed 0$' "" "$bench" -s churn -c 20 --churn 40 -r 100 -d 2s \
  -t "$easy" -t 'lost==0' -t 'returns>10' -t 'return.failed==0'
expect "soak" 0 '^soak  *an hour: rss [+-].* open files [+-]' "" "$bench" -q -s soak -c 10 -d 11s -t "$easy" -t 'lost==0' \
  -t 'server.files-growth<100k' -t 'server.rss-growth<100GiB' --csv "$work/series.csv"
grep -q ',measure,10,200,2000,0,.*,[0-9][0-9]*,[0-9][0-9]*,1' "$work/series.csv" || fail "no series: $(cat "$work/series.csv")"
# Nothing may be missing or come twice to those that were cut off. Each is given time by a busy machine.
expect "reconnect-storm" 0 '^reconnect 100 connections lost; all live again in' "" "$bench" -s reconnect-storm -c 100 -r 100 -d 3s \
  -t 'reconnect.max<30s' -t 'delivery.p50<30s' -t 'lost==0' -t 'dup==0' -t 'reordered==0' -t 'gaps==0' -t 'not-back==0'
expect "resume" 0 '^catch-up  .*replayed [1-9].*gaps 0$' "" "$bench" -s resume -c 20 --leavers 5 --away 500 -r 500 \
  -t "$easy" -t 'reconnect.max<30s' -t 'catch-up.rate>10' -t 'lost==0' -t 'dup==0' --json "$work/report.json" --html "$work/report.html"
has_line '^ others   p50' "$work/out" || fail "resume: nothing of the others: $(cat "$work/out")"
[ "$(member leavers)" = 5 ] || fail "resume: the JSON report has $(member leavers) leavers"
grep -q 'live again, from the loss' "$work/report.html" || fail "resume: nothing in the page"
for scenario in restart restart:kill9; do
  expect "$scenario" 0 '^restart   SIG.*; listening again after' "" "$bench" -s $scenario -c 20 -r 200 -d 4s --drain 20s \
    -t 'delivery.p50<1m' -t 'reconnect.max<30s' -t 'lost==0' -t 'dup==0' -t 'reordered==0' -t 'gaps==0' -t 'server.down<20s' -t 'publish.failed==0'
done
expect "restart of --spawn" 0 '^reconnect 10 connections lost' "" "$bench" --spawn 'clawws serve --threads 1' -s restart:kill9 \
  --profile smoke -t 'not-back==0'
expect "a server that forgets" 0 '^catch-up .*gaps [1-9]' "" "$bench" --spawn 'clawws serve --store memory' -s restart:kill9 \
  --profile smoke -t 'gaps>0'
expect "a server that does not start again" 3 "" "the server ended when it was started again" "$bench" -s restart \
  --spawn '[ ! -e $CLAWWS_STATE_DIR/once ] && >$CLAWWS_STATE_DIR/once && exec clawws serve' --profile smoke
expect "several publishers" 0 'delivered 5,000 + lost 0' "" "$bench" --publishers 3 -r 100 -d 1s -t "$easy" -t 'lost==0'
expect "each phase" 0 '^PASS' '^drain ' "$bench" --profile smoke -d 1s -v
on_terminal "'$bench' --profile smoke -d 1s"
grep -q 'measure .*10/10 connected' "$work/screen" || fail "no live progress: $(cat "$work/screen")"

# ---- --spawn ----

expect "--spawn" 0 '(--spawn)$' "" "$bench" --spawn 'clawws serve --threads 1' --profile smoke -d 1s
expect "missing connections" 22 '^FAIL      connect.failed' "" "$bench" --spawn 'clawws serve --max-clients 10' \
  -c 20 -d 1s -t "$easy" -t 'connect.failed==0' --json "$work/report.json"
has_line 'INVALID$' "$work/out" || fail "missing connections are trusted: $(cat "$work/out")"
has_line '503: Too many clients$' "$work/out" || fail "no reason: $(cat "$work/out")"
expect "a server that ends" 3 "" "^no such thing$" "$bench" \
  --spawn 'printf "no such thing" >&2; exit 1'
hash=$(openssl passwd -6 pw)
printf 'reader:%s\nposter:%s\n' "$hash" "$hash" >"$work/users"
expect "may not publish" 4 "" "publishing: .*403" env CLAWWS_PASSWORD=pw "$bench" -u reader \
  --spawn "clawws serve --users $work/users --publisher poster"
nothing_left || fail "left behind: $(ls -A "$work/tmp")"

# ---- a server that runs ----

start_server
here="--state-dir $state"
# Unquoted on purpose: $here is an option and its value.
# shellcheck disable=SC2086
{
  expect "a running server" 0 '(already running)$' "publishes bench.sample events at wss://localhost:$port/ws" "$bench" $here --profile smoke -d 1s
  has_line '^server    cpu' "$work/out" || fail "the local server's process is not found: $(cat "$work/out")"
  expect "quiet" 0 '^PASS' "" "$bench" $here --profile smoke -d 1s -q
  expect "a wrong password" 4 "" "cannot subscribe: .*401" env CLAWWS_PASSWORD=wrong "$bench" $here -u admin "$url"
  expect "a stranger's certificate" 5 "" "self-signed" env CLAWWS_PASSWORD=x "$bench" --state-dir "$work/none" -u admin "$url"
  expect "another path" 6 "" "cannot subscribe: .*404" "$bench" $here "wss://127.0.0.1:$port/elsewhere"
  expect "refused" 3 "" "Connection refused" "$bench" -k wss://127.0.0.1:1/ws
  expect "a report that cannot be written" 1 ".*" "$work/none/x" "$bench" $here --profile smoke -d 1s --json "$work/none/x"
  expect "a reader that leaves" 0 "" ".*" sh -c '"$0" "$@" | true' "$bench" $here --profile smoke -d 1s
}

# pause PID: stops a process for longer than the limit below, once events flow. The limit leaves room for the
# delays of a busy machine: a tenth of it.
pause() {
  wait_for 20 events_flow
  kill -STOP "$1"
  sleep 4 # the pace of a slow server, or of a starved generator
  kill -CONT "$1"
}
events_flow() { grep -q '^measure ' "$work/err"; }
# start_bench OPTION...: in the background, to $work/out and $work/err; sets $bench_pid.
start_bench() {
  : >"$work/err"
  "$bench" --state-dir "$state" "$@" >"$work/out" 2>"$work/err" </dev/null &
  bench_pid=$!
  started="$started $bench_pid"
}
# end_bench WHAT EXIT_CODE PATTERN_OF_STDOUT
end_bench() {
  wait "$bench_pid"
  got=$?
  what=$1 code=$2
  [ "$got" = "$code" ] || fail "$what: exit $got, not $code: $(cat "$work/out" "$work/err")"
  check_stream out "$3"
}

start_bench -v -d 6s -t 'delivery.p99<2s' -t 'lost==0'
pause "$server"
end_bench "a slow server" 20 '^FAIL      delivery.p99 .* < 2 s$'
has_line ' VALID$' "$work/out" || fail "a slow server: $(cat "$work/out")"
has_line '^PASS      lost 0 == 0$' "$work/out" || fail "a slow server loses: $(cat "$work/out")"

start_bench -v -d 6s -t 'delivery.p99<2s'
pause "$bench_pid"
end_bench "a starved generator" 22 'schedule lag p99 .* is over 10 % of the tightest limit, 2 s'

start_bench -v -d 6s -t 'delivery.p99<2s' --retries 1
pause "$bench_pid"
end_bench "a run that is repeated" 0 '^PASS'
has_line 'cannot be trusted (schedule lag.*once more$' "$work/err" || fail "not repeated: $(cat "$work/err")"

for signal in INT TERM; do
  start_bench -v -d 60s -t 'lost==0' --json "$work/report.json"
  wait_for 20 events_flow
  kill -$signal "$bench_pid"
  want=143
  [ $signal = INT ] && want=130
  end_bench "SIG$signal" $want '^cut .*interrupted'
  has_line '+ lost 0 ' "$work/out" || fail "SIG$signal loses: $(cat "$work/out")"
  [ "$(member exitCode)" = $want ] || fail "SIG$signal: the JSON report has exit code $(member exitCode)"
done
stop_server TERM
nothing_left || fail "left behind: $(ls -A "$work/tmp")"
exit $bad
