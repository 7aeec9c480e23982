#!/bin/sh
# The event store as a person meets it: killed and started again, looked into with sqlite3, damaged.
# shellcheck disable=SC2119
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"

events_in_store() { "$tail" --state-dir "$state" --since earliest --count "$1" --timeout 10s -o ndjson "$url"; }

start_server
i=0
while [ $i -lt 50 ]; do
  publish "$(status_event "agent-$i")"
  i=$((i + 1))
done
events_in_store 50 >"$work/before" 2>"$work/err" || fail "not all events came: $(cat "$work/err")"
stop_server KILL

start_server
events_in_store 50 >"$work/after" 2>"$work/err" || fail "not all events came after kill -9: $(cat "$work/err")"
cmp -s "$work/before" "$work/after" || fail "kill -9 changed what is in the store"
grep -q "new epoch" "$work/serve.log" && fail "kill -9 began a new epoch"

# The query of the manual page, while the server runs.
query=$(sed -n 's/^  "\(SELECT .*\)"$/\1/p' "$CLAWWS_SOURCE_DIR/man/clawws-serve.1" )
[ -n "$query" ] || fail "the manual page has no query"
sqlite3 -readonly "$state/events.db" "$query" >"$work/rows" 2>"$work/err" || fail "sqlite3: $(cat "$work/err")"
tail -n 10 "$work/after" | sort >"$work/expected"
sort "$work/rows" >"$work/found"
cmp -s "$work/expected" "$work/found" || fail "sqlite3 shows other events: $(cat "$work/rows")"
stop_server TERM

printf 'x%.0s' $(seq 5000) >"$state/events.db"
"$serve" --state-dir "$state" --listen 127.0.0.1:0 2>"$work/err" && fail "a damaged store was used"
grep -q "events.db is damaged" "$work/err" || fail "a damaged store is not named: $(cat "$work/err")"
grep -q "mv " "$work/err" || fail "what to do about a damaged store is not said: $(cat "$work/err")"
exit $bad
