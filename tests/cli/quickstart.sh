#!/bin/sh
# apps/quickstart.sh with the tools of this build: every event shown once and in order, Ctrl-C ends all that it
# started, and a port in use is said in a sentence.
set -u
cd "$CLAWWS_SOURCE_DIR" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DASHBOARD_USERNAME DASHBOARD_PASSWORD STATE_DIRECTORY
HOME=$work
CLAWWS_STATE_DIR=$work/state
CLAWWS_LISTEN=127.0.0.1:0
export HOME CLAWWS_STATE_DIR CLAWWS_LISTEN CLAWWS_BIN
bad=0
complain() {
  echo "$1" >&2
  tail -n 30 "$work/err" >&2
  bad=1
}

# Ends with what the command prints, or fails after a minute.
wait_for() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || return 1
    sleep 0.1 # poll
  done
}

sh apps/quickstart.sh --once more >"$work/out" 2>"$work/err"
[ $? = 2 ] || complain "an argument too many is taken"
grep -q "one argument at most, not '--once more'" "$work/err" || complain "an argument too many is not said"

sh apps/quickstart.sh --once >"$work/out" 2>"$work/err" || complain "--once ended with $?"
sed 's/,"seq":[0-9]*}$/}/' "$work/out" >"$work/shown"
cmp "$work/shown" apps/quickstart.ndjson || complain "--once did not show the events as they are in the file"
[ ! -e "$work/state/server.json" ] || complain "--once left a server behind"

# Without --once it goes on; its server is the one that the record names.
sh apps/quickstart.sh >"$work/out" 2>"$work/err" &
script=$!
wait_for grep -q '== live at wss://' "$work/err" || complain "it did not come to the end of its events"
grep -q "rm -r $work/state" "$work/err" || complain "it does not say what it leaves behind"
server=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$work/state/server.json")
port=$(sed -n 's/.*"port": *\([0-9]*\).*/\1/p' "$work/state/server.json")
kill -0 "$server" || complain "its server is not running"

# A second one on that port, with a state directory of its own.
CLAWWS_STATE_DIR=$work/other CLAWWS_LISTEN=127.0.0.1:$port sh apps/quickstart.sh --once >"$work/out2" 2>"$work/err2"
[ $? = 1 ] || complain "a port in use did not end with 1"
grep -q "port is in use" "$work/err2" || complain "a port in use is not said: $(cat "$work/err2")"

kill -TERM $script
wait $script
code=$?
[ $code = 143 ] || complain "SIGTERM ended it with $code"
if kill -0 "$server" 2>/dev/null; then complain "its server outlived it"; fi

# On a terminal nothing redraws a line of what others write there.
: >"$work/screen"
script -qefc "sh apps/quickstart.sh" "$work/screen" >/dev/null 2>&1 </dev/null &
script=$!
wait_for grep -q '== live at wss://' "$work/screen" || complain "on a terminal it did not come to the end of its events"
if grep -q '\[live\]' "$work/screen"; then complain "a status line on the terminal: $(cat -v "$work/screen")"; fi
kill -TERM "$(cut -d' ' -f1 "/proc/$script/task/$script/children")"
wait $script
exit $bad
