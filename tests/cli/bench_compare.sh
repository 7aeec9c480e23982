#!/bin/sh
# clawws bench --repeat and clawws bench compare: several runs in one report, and what is said of two of them.
# shellcheck disable=SC2119
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
bench=$CLAWWS_BIN/clawws-bench
old=$work/old.json new=$work/new.json

# A latency limit with ten times to spare, so that a busy test machine is excused.
expect "--repeat" 0 '^runs      3, valid 3;' "" "$bench" --repeat 3 -c 10 -r 100 -d 1s --warmup 0 -t 'delivery.p50<30s' --json "$old" \
  --junit "$work/junit.xml"
has_line '^run       3 of 3$' "$work/out" || fail "no third run: $(cat "$work/out")"
has_line '^          delivery.p99 .* (.* … .*)$' "$work/out" || fail "no summary: $(cat "$work/out")"
has_line '^  "repeat": 3,' "$old" || fail "no repeat in $(head -c 300 "$old")"
[ "$(grep -c '"run": ' "$old")" = 3 ] || fail "not 3 runs in the JSON report"
has_line 'name="run 2: delivery.p50' "$work/junit.xml" || fail "JUnit: $(cat "$work/junit.xml")"

expect "the same" 0 '^PASS  *lost ' "" "$bench" compare "$old" "$old"
has_line '^left out  *connect.p99: needs 1,000 samples, has 10' "$work/out" || fail "nothing is left out: $(cat "$work/out")"
sed 's/"lost": 0/"lost": 99/' "$old" >"$new"
expect "a regression" 21 '^REGRESSION  *lost ' "" "$bench" compare "$old" "$new"
expect "an improvement" 0 '^IMPROVED  *lost ' "" "$bench" compare "$new" "$old"
expect "JSON" 21 '"verdict": "REGRESSION"' '^REGRESSION ' "$bench" compare --json - "$old" "$new"
# The shell that is started expands them.
# shellcheck disable=SC2016
expect "from stdin" 21 '^compare  *- (3 runs' "" sh -c '"$1" compare - "$3" <"$2"' - "$bench" "$old" "$new"
expect "in colour" 21 'REGRESSION' "" "$bench" compare --color always "$old" "$new"
grep -q "$(printf '\033')" "$work/out" || fail "no colour"

expect "one run" 0 '^PASS' "" "$bench" --profile smoke -d 1s --json "$work/one.json"
expect "too few" 0 '^INCONCLUSIVE .*too few runs: 1 and 1' "" "$bench" compare "$work/one.json" "$work/one.json"
sed 's/"connections": 10,/"connections": 20,/' "$old" >"$new"
expect "other plans" 2 "" 'different things: connections: 10 and 20' "$bench" compare "$old" "$new"
sed 's/"scenario": "steady"/"scenario": "idle"/' "$old" >"$new"
expect "other scenarios" 2 "" 'scenario: steady and idle' "$bench" compare "$old" "$new"
sed 's/"valid": true/"valid": false/' "$old" >"$new"
expect "no trust" 22 "" 'new.json: run 1 of 3 cannot be trusted' "$bench" compare "$old" "$new"
sed 's/"schema": 1/"schema": 2/' "$old" >"$new"
expect "another schema" 2 "" 'schema 2, and this version reads schema 1' "$bench" compare "$old" "$new"
echo '{"schema": 1}' >"$new"
expect "no report" 2 "" 'new.json: no report of clawws bench' "$bench" compare "$old" "$new"
expect "no file" 1 "" 'none.json' "$bench" compare "$old" "$work/none.json"
expect "one file" 2 "" 'two reports are needed' "$bench" compare "$old"
expect "three files" 2 "" 'two files are compared' "$bench" compare "$old" "$old" "$old"
expect "a bad minimum" 2 "" 'as in 10%,2ms' "$bench" compare --min-effect 5 "$old" "$old"
expect "--help" 0 'Usage: clawws bench compare' "" "$bench" compare --help
exit $bad
