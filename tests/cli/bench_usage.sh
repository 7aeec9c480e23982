#!/bin/sh
# The surface of clawws bench: help, version, mistakes with the nearest right word, nothing started by them.
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
bench=$CLAWWS_BIN/clawws-bench
TMPDIR=$work/tmp
export TMPDIR
mkdir "$work/tmp"

expect "--help" 0 'Usage: clawws bench' "" "$bench" --help
expect "--version" 0 '[0-9]' "" "$bench" --version
expect "--print-config" 0 '^connections = 7 .*--connections' "" "$bench" -c 7 --print-config
expect "an unknown metric" 2 "" "unknown metric 'delivry.p99'; did you mean 'delivery.p99'" "$bench" -t 'delivry.p99<1s'
expect "a threshold without a limit" 2 "" "expected METRIC" "$bench" -t delivery.p99
expect "a limit without a unit" 2 "" "the limit of delivery.p99" "$bench" -t 'delivery.p99<100'
expect "an unknown option" 2 "" "did you mean '*--connections" "$bench" --conections 3
expect "an unknown scenario" 2 "" "one of steady, idle, connect-storm, slow-consumer, churn, soak, reconnect-storm, resume, restart, restart:kill9" "$bench" -s storm
expect "a restart of somebody's server" 2 "" "leave the URL .* or say with --spawn" "$bench" -s restart wss://localhost:1/ws
expect "a time away that never ends" 2 "" "make --duration longer" "$bench" -s resume --away 10k -d 1s
expect "an unknown profile" 2 "" "one of smoke, ci, full" "$bench" --profile big
expect "a password in argv" 2 "" "--password-file" "$bench" -u admin:secret wss://localhost/ws
expect "a password in the URL" 2 "" "--password-file\|password" "$bench" wss://admin:secret@localhost/ws
if grep -q secret "$work/err"; then fail "a password is repeated: $(cat "$work/err")"; fi
[ -z "$(ls -A "$work/tmp")" ] || fail "something was started: $(ls -A "$work/tmp")"
exit $bad
