#!/bin/sh
# clawws serve, before anything is served: help, wrong options, files and config, --check, --print-config; and
# what cannot be started.
# shellcheck disable=SC2119
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
unset DASHBOARD_USERNAME DASHBOARD_PASSWORD STATE_DIRECTORY

expect "help" 0 "^Usage: clawws serve \[OPTIONS\]$" "" "$serve" --help
expect "version" 0 "^clawws serve [0-9]" "" "$serve" --version
expect "a misspelt option" 2 "" "unknown flag --lisen; did you mean --listen" "$serve" --lisen 127.0.0.1:0
expect "an argument" 2 "" "nonsense" "$serve" nonsense
expect "no address" 2 "" "HOST:PORT" "$serve" --listen nowhere
expect "no duration" 2 "" '--drain "10"' "$serve" --drain 10
expect "no store" 2 "" "memory" "$serve" --store sqlight
expect "no origin" 2 "" "origin" "$serve" --check --state-dir "$state" --origin panel.example
printf 'max-clients = 10\n# fine\nmax-cleints = 4\n' >"$work/conf"
expect "an unknown key" 2 "" "$work/conf:3: .*max-cleints.*max-clients" "$serve" --config "$work/conf"
printf 'drain = 3s\n' >"$work/conf"
CLAWWS_PING_INTERVAL=7s expect "print-config" 0 "^drain = 3s *# $work/conf:1" "" "$serve" --config "$work/conf" --print-config
has_line "^ping-interval = 7s *# CLAWWS_PING_INTERVAL" "$work/out" || fail "print-config does not name the variable"

# What --check finds, a start finds too, with the same words.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
certificate one
certificate two
printf 'admin:%s\n' "$(openssl passwd -6 "$(openssl rand -hex 8)")" >"$work/users"
printf 'admin:plain\n' >"$work/bad-users"
echo "nothing" >"$work/garbage"
refuses() {
  what=$1 words=$2
  shift 2
  expect "$what (--check)" 2 "" "$words" "$serve" --check --state-dir "$state" --listen 127.0.0.1:0 "$@"
  expect "$what" 2 "" "$words" timeout 20 "$serve" --state-dir "$state" --listen 127.0.0.1:0 "$@"
}
refuses "a key that is missing" "$work/none.key" --cert "$work/one.pem" --key "$work/none.key"
refuses "a key of another certificate" "two.key" --cert "$work/one.pem" --key "$work/two.key"
refuses "a certificate without a key" "key" --cert "$work/one.pem"
refuses "a certificate that is none" "garbage" --cert "$work/garbage" --key "$work/one.key"
refuses "a users file that is missing" "$work/none" --users "$work/none"
refuses "a users file with a plain password" "bad-users:1: .*htpasswd -B" --users "$work/bad-users"
: >"$work/no-users"
refuses "a users file without a user" "no-users: names no user; .*htpasswd -B" --users "$work/no-users"
refuses "a publisher who is no user" 'no user "admni"; did you mean "admin"' --users "$work/users" --publisher admni
refuses "an upstream with a path" "takes no path" --upstream http://127.0.0.1:3000/api
refuses "CA certificates that are missing" "--upstream-cacert: .*$work/none" --upstream https://127.0.0.1:3000 --upstream-cacert "$work/none"
refuses "no users beyond loopback" "--users" --listen 0.0.0.0:0
refuses "no certificate beyond loopback" "--cert" --listen 0.0.0.0:0 --users "$work/users"
expect "--check" 0 "ok" "" "$serve" --check --state-dir "$state" --listen 0.0.0.0:0 --users "$work/users" \
  --cert "$work/one.pem" --key "$work/one.key"
expect "--check of the defaults" 0 "ok" "" "$serve" --check --state-dir "$work/new"
expect "--check of a publisher who will be no user" 2 "" 'no user "bob"; the one that will be made is admin' \
  "$serve" --check --state-dir "$work/new" --publisher bob
[ ! -e "$work/new" ] || fail "--check made the state directory"

# The lines that it begins with work as they stand: by the certificate's name, and from where one is.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=panel \
  -addext subjectAltName=DNS:panel.example -keyout "$work/panel.key" -out "$work/panel.pem" 2>/dev/null
printf 'admin:%s\n' "$(openssl passwd -6 right)" >"$work/panel-users"
start_server --cert "$work/panel.pem" --key "$work/panel.key" --users "$work/panel-users"
line=$(sed -n 's/^  publish  *//p' "$work/serve.log" | sed 's/-u USER/-u admin:right/')
published=$(cd / && sh -c "$line -s -w ' %{http_code}'")
case $published in *' 201') ;; *) fail "the line that publishes does not work: $line: $published" ;; esac
has_line '^  dashboard https://panel.example:[0-9]*/clawws/$' "$work/serve.log" || fail "the dashboard's address is not said"
if has_line '^  app ' "$work/serve.log"; then fail "an app is named where there is none"; fi
stop_server TERM
start_server --upstream http://127.0.0.1:9
has_line '^  app       http://127.0.0.1:9$' "$work/serve.log" || fail "the upstream is not named: $(cat "$work/serve.log")"
stop_server TERM

# A second server: the same state directory, the same port.
start_server
expect "a state directory in use" 1 "" "another clawws serve uses.*$server.*--state-dir" timeout 20 "$serve" --state-dir "$state" --listen 127.0.0.1:0
expect "a port in use" 1 "" "127.0.0.1:$port.*another program has the port.*--listen" \
  timeout 20 "$serve" --state-dir "$work/other" --listen "127.0.0.1:$port"
if has_line "$(cat "$state/password")" "$work/serve.log"; then fail "the password stands in the log"; fi
for file in password key.pem curl.conf server.json; do
  [ "$(stat -c %a "$state/$file")" = 600 ] || fail "$file: others may read it"
done
stop_server TERM
[ ! -e "$state/server.json" ] || fail "the record outlives the server"
exit $bad
