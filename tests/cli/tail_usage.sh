#!/bin/sh
# clawws tail, before anything is connected: help, wrong options, secrets where they must not be.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"

expect "help" 0 "^Usage: clawws tail \[OPTIONS\] \[URL\] \[TYPE...\]$" "" "$tail" --help
for option in since last cursor-file on-gap meta output time color status queue quiet verbose count until-live for timeout idle-timeout user \
  password-file token-file password-command netrc netrc-file url state-dir cacert cert key pinnedpubkey resolve \
  insecure connect-timeout wait no-reconnect max-retries max-outage retry-base retry-cap; do
  has_line "--$option\b" "$work/out" || fail "help does not name --$option"
done
expect "version" 0 "^clawws tail [0-9]" "" "$tail" --version
expect "a misspelt option" 2 "" "unknown flag --idle-timout; did you mean --idle-timeout" "$tail" --idle-timout 1s
expect "an option without its value" 2 "" "--count needs a value" "$tail" --count
expect "no number" 2 "" '--count "many": ' "$tail" --count many
expect "no duration" 2 "" '--for "10": ' "$tail" --for 10
expect "no format" 2 "" "one of pretty, ndjson" "$tail" -o yaml
expect "two beginnings" 2 "" "--since and --last" "$tail" --since 10m -n 5
expect "quiet and verbose" 2 "" "contradict" "$tail" -qv
expect "no type, but a host" 2 "" "no event type.*--url HOST:PORT" "$tail" localhost
expect "a duration as a type" 2 "" "write --wait=2s" "$tail" --wait 2s
expect "HOST:PORT is a URL" 0 "^url = localhost:8443\|^# url" "" "$tail" localhost:8443 --print-config
expect "a time of day" 2 "" '--since "03:54": must be earliest' "$tail" --since 03:54
expect "nearly a format" 2 "" "did you mean ndjson" "$tail" -o json
expect "a bad glob" 2 "" "TYPE" "$tail" 'Session.*'
expect "without TLS" 2 "" "use wss://" "$tail" ws://localhost:8443/ws
expect "a query" 2 "" "no '?' part" "$tail" 'wss://localhost:8443/ws?since=1'

for secret in "-u admin:s3cret" "--user=admin:s3cret" "wss://admin:s3cret@localhost/ws" "--url wss://a:s3cret@h/ws"; do
  # Unquoted on purpose: an option and its value.
  # shellcheck disable=SC2086
  expect "a secret in $secret" 2 "" "--password-file" "$tail" $secret
  if grep -q s3cret "$work/err"; then fail "the secret is repeated: $(cat "$work/err")"; fi
done

printf 'count = 3\n# fine\ncuont = 4\n' >"$work/conf"
expect "an unknown key" 2 "" "$work/conf:3: .*cuont.*count" "$tail" --config "$work/conf"
printf 'time = utc\noutput = ndjson\n' >"$work/conf"
expect "print-config" 0 "^time = utc *# $work/conf:1" "" "$tail" --config "$work/conf" --print-config
CLAWWS_TIME=iso expect "the environment beats the file" 0 "^time = iso *# CLAWWS_TIME" "" \
  "$tail" --config "$work/conf" --print-config
CLAWWS_TIME=iso expect "a flag beats both" 0 "^time = none *# --time" "" \
  "$tail" --config "$work/conf" --time none --print-config
CLAWWS_PASSWORD=s3cret expect "no secret in print-config" 0 "^user = admin" "" "$tail" -u admin --print-config
if grep -q s3cret "$work/out"; then fail "print-config shows the password"; fi

"$tail" --help >/dev/full 2>"$work/err"
[ $? = 1 ] || fail "help to a full disk: not 1"
expect "no local server" 3 "" "server.json: No such file or directory" \
  "$tail" --state-dir "$state" --resolve localhost:8443:127.9.9.9
expect "no server at all" 3 "" "Connection refused" "$tail" wss://127.0.0.1:1/ws
expect "no name" 2 "" "no terminal to ask on" setsid "$tail" -u admin wss://127.0.0.1:1/ws
# Without what the caller holds open: those numbers would be missing even to the dynamic linker.
expect "too few files" 1 "" "raise the limit, for example with 'ulimit -n" \
  timeout 20 sh -c 'exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; ulimit -n 6 && exec "$@"' sh "$tail" --for 1s wss://127.0.0.1:1/ws
exit $bad
