#!/bin/sh
# Where clawws tail takes a password from, and where it never shows.
# shellcheck disable=SC2016,SC2119,SC2317
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
secret='pass wörd:7'
printf 'DASHBOARD_USERNAME=boss\nDASHBOARD_PASSWORD=%s\n' "$secret" >"$work/env"
start_server --env-file "$work/env"
publish "$(status_event a)"
printf '%s\n' "$secret" >"$work/password"
# Not this user's own state directory: the certificate is trusted because it is named.
one="--state-dir $work/none --cacert $state/cert.pem --since earliest --count 1 $url"

# Unquoted on purpose throughout: $one is a list of options.
# shellcheck disable=SC2086
{
  expect "a file" 0 '"seq":1' ".*" "$tail" -u boss --password-file "$work/password" $one
  expect "a command" 0 '"seq":1' ".*" "$tail" -u boss --password-command "cat '$work/password'" $one
  expect "a command that fails" 2 "" "--password-command: it failed with exit 9" \
    "$tail" -u boss --password-command "exit 9" $one
  PASSWORD=$work/password expect "stdin" 0 '"seq":1' ".*" sh -c '"$0" "$@" <"$PASSWORD"' \
    "$tail" -u boss --password-file - $one
  PASSWORD=$work/password expect "a descriptor" 0 '"seq":1' ".*" sh -c '"$0" "$@" 5<"$PASSWORD"' \
    "$tail" -u boss --password-file fd:5 $one
  CLAWWS_PASSWORD=$secret expect "the environment" 0 '"seq":1' ".*" "$tail" -u boss $one
  CLAWWS_USER=boss CLAWWS_PASSWORD_FILE=$work/password expect "a file named there" 0 '"seq":1' ".*" "$tail" $one
  mkdir "$work/credentials"
  cp "$work/password" "$work/credentials/clawws.password"
  CREDENTIALS_DIRECTORY=$work/credentials expect "systemd's" 0 '"seq":1' ".*" "$tail" -u boss $one
  printf 'machine 127.0.0.1 login boss password "%s"\n' "$secret" >"$HOME/.netrc"
  expect "netrc" 0 '"seq":1' ".*" "$tail" --netrc $one
  expect "netrc only when told" 4 "" "401" "$tail" $one
  CLAWWS_PASSWORD=wrong expect "a flag beats the environment" 0 '"seq":1' ".*" \
    "$tail" -u boss --password-file "$work/password" $one
  expect "a password without a name" 2 "" "add --user NAME" "$tail" --password-file "$work/password" $one
  expect "no such client certificate" 2 "" "$work/nothing: No such file" "$tail" -u boss \
    --password-file "$work/password" --cert "$work/nothing" $one
  expect "no such CA file" 2 "" "$work/nothing: No such file" "$tail" -u boss --password-file "$work/password" \
    --state-dir "$work/none" --cacert "$work/nothing" "$url"
  expect "no such file" 2 "" "$work/nothing: No such file" "$tail" -u boss --password-file "$work/nothing" $one
}

# The prompt: no echo, the right password goes in, and the screen never shows it.
: >"$work/screen"
{
  wait_for 10 has_line 'Password for boss at 127.0.0.1: ' "$work/screen"
  printf '%s\n' "$secret"
} | script -qefc "$tail -u boss $one" "$work/screen" >/dev/null 2>&1
if grep -q -F "$secret" "$work/screen"; then fail "the typed password is shown"; fi
has_line 'agent.status' "$work/screen" || fail "the typed password was not taken: $(cat "$work/screen")"

# Nobody sees it in the list of processes, nor in what it says.
start_tail -u boss --password-file "$work/password" --cacert "$state/cert.pem" -v "$url"
wait_for 10 has_line 'live at' "$work/tail.err"
if tr '\0' '\n' <"/proc/$tail_pid/cmdline" | grep -q -F "$secret"; then fail "the secret stands in argv"; fi
if grep -q -F "$secret" "$work/tail.err"; then fail "the secret is said"; fi
kill -TERM "$tail_pid"
exit $bad
