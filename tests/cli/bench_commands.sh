#!/bin/sh
# clawws bench report and clawws bench doctor: a saved report printed again, and the limits of this machine.
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
bench=$CLAWWS_BIN/clawws-bench
saved=$work/saved.json

# ---- report ----

"$bench" --profile smoke -d 1s --json "$saved" --junit "$work/junit.xml" >"$work/first" 2>"$work/err" </dev/null ||
  fail "a run: exit $?: $(cat "$work/err")"
expect "report" 0 '^ledger  ' "" "$bench" report --junit "$work/again.xml" "$saved"
diff "$work/first" "$work/out" >&2 || fail "the report is not the same again"
diff "$work/junit.xml" "$work/again.xml" >&2 || fail "the JUnit report is not the same again"
expect "JUnit to stdout" 0 '^<?xml ' '^ledger  ' "$bench" report --junit - "$saved"
sed 's/"valid": true/"valid": false/' "$saved" >"$work/invalid.json"
expect "what it says is no failure" 0 'INVALID$' "" "$bench" report "$work/invalid.json"
echo nothing >"$work/none"
expect "no report" 2 "" 'none: not JSON' "$bench" report "$work/none"
expect "no file" 1 "" 'missing.json' "$bench" report "$work/missing.json"
expect "no argument" 2 "" 'a report is needed' "$bench" report
expect "two reports" 2 "" 'one report at a time' "$bench" report "$saved" "$saved"

# ---- the time series and the page ----

expect "CSV and a page" 0 '^ledger ' "" "$bench" report --csv "$work/series.csv" --html "$work/page.html" "$saved"
head -n 1 "$work/series.csv" | grep -q '^t,phase,connected,published,delivered,lost,p50,p99,max,' || fail "CSV: $(cat "$work/series.csv")"
# 20 events to 10 clients, in however many rows.
deliveries=$(awk -F, '$2 == "measure" { sum += $5 } END { print sum }' "$work/series.csv")
[ "$deliveries" = 200 ] || fail "the rows of the CSV hold $deliveries deliveries: $(cat "$work/series.csv")"
[ "$(grep -c "$(printf '\r')\$" "$work/series.csv")" = "$(wc -l <"$work/series.csv")" ] || fail "CSV: not all lines end with CRLF"
has_line '<svg ' "$work/page.html" || fail "no chart on the page"
if grep -q '<script\|https\{0,1\}:' "$work/page.html"; then fail "the page needs more than itself"; fi
expect "a page to stdout" 0 '^<!doctype html>' '^ledger ' "$bench" report --html - "$saved"
expect "both to stdout" 2 "" 'only one of' "$bench" report --html - --csv - "$saved"
expect "measured and written" 0 '^PASS' "" "$bench" --profile smoke -d 1s --csv "$work/measured.csv" --html "$work/measured.html"
has_line ',measure,10,' "$work/measured.csv" || fail "CSV: $(cat "$work/measured.csv")"
has_line 'Latency by percentile' "$work/measured.html" || fail "no page"

# ---- doctor ----

# The hard limit can only be lowered, so in a shell of its own.
# shellcheck disable=SC2016
limited='ulimit -n "$1"; exec "$2" doctor -c "$3"'
expect "too few files" 23 '^TOO FEW  open files  *1,128  *600 ' "" sh -c "$limited" - 600 "$bench" 1k
has_line '^         → .*ulimit -Hn 1128' "$work/out" || fail "no command: $(cat "$work/out")"
expect "enough" 0 '^enough   open files' "" sh -c "$limited" - 1000 "$bench" 50
for limit in 'open files' 'files of the system' 'local ports' memory cores 'waiting connections'; do
  has_line "^enough   $limit  " "$work/out" || fail "no $limit: $(cat "$work/out")"
done
expect "no arguments" 2 "" 'unexpected argument' "$bench" doctor wss://localhost
expect "--help" 0 'Usage: clawws bench doctor' "" "$bench" doctor --help
exit $bad
