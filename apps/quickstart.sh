#!/bin/sh
# From a fresh clone to live events: installs what is missing, builds, starts `clawws serve` with its defaults,
# publishes the events of quickstart.ndjson with curl and shows them with `clawws tail`.
#   sh apps/quickstart.sh           keeps serving until Ctrl-C
#   sh apps/quickstart.sh --once    ends by itself, with 0 when every event was shown in order
# CLAWWS_LISTEN=HOST:PORT serves elsewhere than on 127.0.0.1:8443, CLAWWS_STATE_DIR keeps the state elsewhere,
# CLAWWS_BUILD_DIR builds elsewhere than in build/release, CLAWWS_BIN uses the tools in that folder and builds nothing.
# Events go to stdout, everything else to stderr. What it leaves behind is the build and the state directory with
# certificate, password and log; it says where, and how to remove them.
set -u
cd "$(dirname "$0")/.." || exit 1
. apps/common/packages.sh

once=0
[ $# -le 1 ] || { echo "quickstart.sh: one argument at most, not '$*'; try --help" >&2; exit 2; }
case ${1-} in
  "") ;;
  --once) once=1 ;;
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "quickstart.sh: unknown argument '$1'; try --help" >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*" >&2; }
fail() {
  printf 'quickstart.sh: %s\n' "$*" >&2
  exit 1
}

events=$PWD/apps/quickstart.ndjson
if [ -z "${CLAWWS_BIN-}" ]; then
  # shellcheck disable=SC2086
  install_packages $clawws_packages || exit 1
  build=${CLAWWS_BUILD_DIR:-build}/release
  say "building in $build (a few minutes the first time)"
  mkdir -p "$build" || exit 1
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCLAWWS_TESTS=OFF >"$build/configure.log" 2>&1 ||
    { cat "$build/configure.log" >&2; fail "cmake could not configure the build"; }
  ninja -C "$build" >&2 || fail "the build failed"
  CLAWWS_BIN=$(cd "$build/bin" && pwd)
fi
PATH=$CLAWWS_BIN:$PATH

work=$(mktemp -d) || exit 1
server=
tail=
drain=
# Called by the traps alone.
# shellcheck disable=SC2317
finish() {
  trap - EXIT INT TERM HUP
  # Only what was started here, by its process id, and waited for: tail first, or it would report a lost link.
  for pid in $tail $server; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  [ -z "$drain" ] || wait "$drain"
  rm -rf "$work"
  exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM HUP

say "starting clawws serve"
mkfifo "$work/log"
unset CLAWWS_QUIET # its first lines are waited for
# A session of its own: Ctrl-C reaches the server once, by way of this script, and it drains.
setsid clawws serve 2>"$work/log" &
server=$!
# Its own log says when it listens, so that no other server on the port is taken for it.
exec 3<"$work/log"
ready=0
while [ $ready = 0 ] && IFS= read -r line <&3; do
  printf '%s\n' "$line" >&2
  case $line in *"clawws tail"*) ready=1 ;; esac
done
if [ $ready = 0 ]; then
  wait "$server"
  code=$?
  server=
  fail "clawws serve ended with $code before it listened; the lines above say why. When the port is in use," \
    "stop the other server or serve elsewhere: CLAWWS_LISTEN=127.0.0.1:9443 sh apps/quickstart.sh"
fi
state=${CLAWWS_STATE_DIR:-${STATE_DIRECTORY:-${XDG_STATE_HOME:-$HOME/.local/state}/clawws}}
# server.json is one object with these members as plain strings.
member() { sed -n 's/.*"'"$1"'" *: *"\{0,1\}\([^",}]*\).*/\1/p' "$state/server.json"; }
url=$(member url)
user=$(member user)
password=$(member password_file)
[ -n "$url" ] || fail "$state/server.json does not say where the server listens"
[ -n "$password" ] || fail "the server was configured with users of its own; quickstart needs the defaults"
https=https://${url#wss://}
https=${https%/ws}

# The rest of its log goes to a file: between the events it would only be in the way.
(umask 077 && cat <&3 >"$state/quickstart.log") &
drain=$!
exec 3<&-

# The server leaves a file for curl with user, password and certificate, so that no argument holds a secret.
publish() {
  printf '%s' "$1" | curl -K "$state/curl.conf" --silent --show-error --fail-with-body --max-time 10 --json @- \
    "$https/clawws/events" >"$work/answer" || { cat "$work/answer" >&2; return 1; }
}

count=$(grep -c . "$events")
say "publishing $count events; clawws tail shows them"
number=0
while IFS= read -r event; do
  [ -n "$event" ] || continue
  publish "$event" || fail "event $((number + 1)) of $events was not accepted"
  number=$((number + 1))
  if [ $number = 1 ]; then
    # The first answer says where in the log these events begin: tail shows exactly them.
    epoch=$(sed -n 's/.*"epoch" *: *"\([^"]*\)".*/\1/p' "$work/answer")
    first=$(sed -n 's/.*"first" *: *\([0-9]*\).*/\1/p' "$work/answer")
    if [ $once = 1 ]; then
      clawws tail --since "$epoch:$((first - 1))" --count "$count" --timeout 60s --status never "$url" &
    else
      # No status line: other programs write to this terminal, too.
      clawws tail --since "$epoch:$((first - 1))" --status never "$url" &
    fi
    tail=$!
  fi
  sleep 0.1 # the pace of the show
done <"$events"

if [ $once = 1 ]; then
  wait "$tail"
  code=$?
  tail=
  [ $code = 0 ] || fail "clawws tail ended with $code before it had shown all $count events"
  say "all $count events shown, in order"
  exit 0
fi

tail_line="clawws tail"
[ "$url" = wss://localhost:8443/ws ] || tail_line="clawws tail $url"
cat >&2 <<NEXT

== live at $url
   The user is $user; the password is in $password

   Show events:   $tail_line
   Publish one:   curl -K $state/curl.conf --json \\
                    '{"type":"session.created","payload":{"sessionKey":"abc-123","agentId":"me"}}' \\
                    $https/clawws/events
   clawws is $CLAWWS_BIN/clawws; \`cmake --install ${CLAWWS_BIN%/bin}\` puts it into the PATH
   (as root for /usr/local; \`--prefix ~/.local\` needs none).
   Ctrl-C ends the server. It leaves $state behind: certificate, password and the
   server's log, quickstart.log. \`rm -r $state\` removes them.

NEXT
wait "$server"
code=$?
server=
fail "clawws serve ended with $code"
