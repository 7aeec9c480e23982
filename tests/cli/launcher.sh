#!/bin/sh
# The launcher: what it says, its exit codes, where it finds the tools, and that it becomes them.
set -u
clawws=$CLAWWS_BIN/clawws
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# expect WHAT EXIT_CODE PATTERN_OF_STDOUT PATTERN_OF_STDERR COMMAND...: '' stands for nothing at all.
expect() {
  what=$1 code=$2 out=$3 err=$4
  shift 4
  "$@" >"$work/out" 2>"$work/err"
  got=$?
  [ "$got" = "$code" ] || { echo "$what: exit $got, not $code" >&2; bad=1; }
  for stream in out err; do
    if [ $stream = out ]; then pattern=$out; else pattern=$err; fi
    if [ -z "$pattern" ]; then
      [ ! -s "$work/$stream" ] || { echo "$what: std$stream is not empty:" >&2; cat "$work/$stream" >&2; bad=1; }
    elif ! grep -q -e "$pattern" "$work/$stream"; then
      echo "$what: no '$pattern' on std$stream:" >&2
      cat "$work/$stream" >&2
      bad=1
    fi
  done
}

expect "help" 0 "Usage: clawws TOOL" "" "$clawws" --help
expect "help as a word" 0 "Usage: clawws TOOL" "" "$clawws" help
expect "no tool" 2 "" "Usage: clawws TOOL" "$clawws"
expect "version" 0 "^clawws [0-9]*\.[0-9]*\.[0-9]*$" "" "$clawws" --version
expect "misspelt option" 2 "" "did you mean '--version'" "$clawws" --versoin
expect "help on help" 0 "Usage: clawws TOOL" "" "$clawws" help help
expect "help on --help" 0 "Usage: clawws TOOL" "" "$clawws" help --help
expect "help on nothing known" 2 "" "unknown tool 'nonsense'$" "$clawws" help nonsense

# Tools of our own in a folder of our own: what it is given, what it returns, who it is.
mkdir "$work/tools"
cat >"$work/tools/clawws-tail" <<'TOOL'
#!/bin/sh
echo "$$ [$1] [$2]"
exit 7
TOOL
chmod +x "$work/tools/clawws-tail"
CLAWWS_EXEC_PATH=$work/tools
export CLAWWS_EXEC_PATH
expect "a tool by CLAWWS_EXEC_PATH" 7 "\[a b\] \[--help\]" "" "$clawws" tail "a b" --help
sh -c 'echo $$; exec "$0" tail' "$clawws" >"$work/out"
[ "$(sed -n 1p "$work/out")" = "$(sed -n '2s/ .*//p' "$work/out")" ] || { echo "the tool has another pid" >&2; bad=1; }
# A tool that is no script shows the name it was given.
ln -s "$(command -v cat)" "$work/tools/clawws-serve"
"$clawws" serve /proc/self/cmdline | tr '\0' ' ' >"$work/name"
[ "$(cat "$work/name")" = "clawws-serve /proc/self/cmdline " ] || { echo "its name among the processes: $(cat "$work/name")" >&2; bad=1; }
rm "$work/tools/clawws-serve"
expect "misspelt tool" 2 "" "unknown tool 'tial'; did you mean 'tail'" "$clawws" tial

# Alone in a folder it names the places where it looked, and lists only the tools that are there.
mkdir -p "$work/alone/bin"
cp "$clawws" "$work/alone/bin/clawws"
expect "help with one tool" 0 "^  tail " "" "$work/alone/bin/clawws" --help
if grep -q "^  serve " "$work/out"; then echo "help names a tool that is not there" >&2; bad=1; fi
unset CLAWWS_EXEC_PATH
expect "no tools" 1 "" "'tail' is not installed.*$work/alone/bin $work/alone/libexec/clawws" "$work/alone/bin/clawws" tail
mkdir -p "$work/alone/libexec/clawws"
cp "$work/tools/clawws-tail" "$work/alone/libexec/clawws/"
expect "a tool in libexec" 7 "\[x\]" "" "$work/alone/bin/clawws" tail x
expect "no page on the protocol" 1 "" "clawws-protocol(7) is not installed: no $work/alone/.*/man7/" "$work/alone/bin/clawws" help protocol
page=$(sed -n 's/.*: no //p' "$work/err")
mkdir -p "${page%/*}"
: >"$page"
cat >"$work/tools/man" <<'TOOL'
#!/bin/sh
echo "page $1"
TOOL
chmod +x "$work/tools/man"
PATH=$work/tools:$PATH expect "the page on the protocol" 0 "^page $page$" "" "$work/alone/bin/clawws" help protocol
ln -s "$work/alone/bin/clawws" "$work/link"
expect "by symlink" 7 "\[x\]" "" "$work/link" tail x
exit $bad
