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
