#!/bin/sh
# GET /clawws/events as people ask for it with curl: pages of JSON, and a live stream that ends with the server and
# goes on with the next one.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
start_server
events=https://localhost:$port/clawws/events
get() { curl -sS --max-time 20 -K "$state/curl.conf" "$@"; }

publish "$(status_event a)" "$(status_event b)" '{"type":"session.killed","payload":{"sessionKey":"k","agentId":"a"}}'
all_there() { get "$events" | grep -q '"seq":3'; }
wait_for 10 all_there
expect "a page" 0 '"next":"[a-z0-9]\{8\}:2","more":true,"events":\[{"type":"agent.status"' "" get "$events?limit=2"
expect "a filter" 0 '"next":"[a-z0-9]\{8\}:3","more":false,"events":\[{"type":"session.killed"' "" get "$events?types=session.*"
expect "a wrong question" 0 "'limit' must be a number from 1 to 1000" "" get "$events?limit=0"
expect "nobody" 0 '^401$' "" curl -s -o "$work/refused" -w '%{http_code}\n' --cacert "$state/cert.pem" "$events"

get -N -i -H 'Accept: text/event-stream' "$events?since=earliest" >"$work/stream" 2>"$work/stream.err" &
curl_pid=$!
started="$started $curl_pid"
wait_for 10 has_line '^id: [a-z0-9]*:3$' "$work/stream"
has_line '^Content-Type: text/event-stream' "$work/stream" || fail "no event stream: $(cat "$work/stream")"
publish "$(status_event c)"
wait_for 10 has_line '^id: [a-z0-9]*:4$' "$work/stream"
has_line '^event: session.killed$' "$work/stream" || fail "no event's type: $(cat "$work/stream")"
has_line '^data: {"type":"agent.status".*"agentId":"c".*"seq":4}$' "$work/stream" || fail "no data: $(cat "$work/stream")"
stop_server TERM
wait "$curl_pid"
got=$?
[ $got = 0 ] || fail "curl ended with $got: $(cat "$work/stream.err")"
has_line '^: 1012 restart$' "$work/stream" || fail "the end is not said: $(cat "$work/stream")"

# The next server goes on where the stream ended.
last=$(sed -n 's/^id: //p' "$work/stream" | tail -n 1)
start_server
publish "$(status_event d)"
get -N -H 'Accept: text/event-stream' -H "Last-Event-ID: $last" "$events" >"$work/stream" 2>/dev/null &
started="$started $!"
wait_for 10 has_line '"agentId":"d".*"seq":5' "$work/stream"
if has_line '"seq":4' "$work/stream"; then fail "an event came twice: $(cat "$work/stream")"; fi
exit $bad
