#!/bin/sh
# Each tool's options, as --help lists them, are exactly those of its manual page and of the completions for
# bash, zsh and fish; and so are those of the commands of bench, which have a section of its page each.
set -u
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compare WHERE: the names on standard input against those of --help. It runs at the end of a pipe, in a shell of its
# own, so what it finds goes into a file.
compare() {
  sort -u >"$work/there"
  if ! diff "$work/help" "$work/there" >"$work/diff"; then
    sed -n "s|^< |clawws $tool: missing in $1: |p; s|^> |clawws $tool: only in $1: |p" "$work/diff" | tee -a "$work/bad" >&2
  fi
}

tools=0
for tool in serve tail bench; do
  [ -x "$CLAWWS_BIN/clawws-$tool" ] || continue
  tools=$((tools + 1))
  "$CLAWWS_BIN/clawws" $tool --help | sed -n 's/^  \(-., \|    \)--\([a-z0-9-]*\).*/--\2/p' | sort -u >"$work/help"
  [ -s "$work/help" ] || { echo "clawws $tool --help lists no options" >&2; exit 1; }

  # The page's option headings stand behind .TP or .TQ, up to the section after OPTIONS.
  sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' "man/clawws-$tool.1" | sed 's/\\-/-/g' |
    awk 'heading { print } { heading = /^\.T[PQ]/ }' | grep -o -e '--[a-z0-9-]*' | compare "man/clawws-$tool.1"
  # bash is asked what it offers after "clawws TOOL --".
  bash -c '. completions/clawws.bash; COMP_WORDS=(clawws "$1" --) COMP_CWORD=2; _clawws; printf "%s\n" "${COMPREPLY[@]}"' \
    - $tool | compare completions/clawws.bash
  sed -n "/^_clawws_$tool()/,/^}/p" completions/_clawws | sed "s/^ *//; s/\[.*//" | grep -o -e '--[a-z0-9-]*' |
    compare completions/_clawws
  sed -n "s/^\\\$$tool .*-l \([a-z0-9-]*\).*/--\1/p" completions/clawws.fish | compare completions/clawws.fish
done

# The four options that each command has stand in the page once.
general='^--\(config\|print-config\|version\|help\)$'
for command in $("$CLAWWS_BIN/clawws" bench --help | sed -n 's/^  clawws bench \([a-z][a-z]*\) .*  .*/\1/p'); do
  tool="bench $command"
  "$CLAWWS_BIN/clawws" bench "$command" --help | sed -n 's/^  \(-., \|    \)--\([a-z0-9-]*\).*/--\2/p' | sort -u >"$work/all"
  [ -s "$work/all" ] || { echo "clawws $tool --help lists no options" >&2; exit 1; }
  cp "$work/all" "$work/help"
  bash -c '. completions/clawws.bash; COMP_WORDS=(clawws bench "$1" --) COMP_CWORD=3; _clawws; printf "%s\n" "${COMPREPLY[@]}"' \
    - "$command" | compare completions/clawws.bash
  sed -n "/^_clawws_bench_$command()/,/^}/p" completions/_clawws | sed "s/^ *//; s/\[.*//" | grep -o -e '--[a-z0-9-]*' |
    compare completions/_clawws
  sed -n "s/^\\\$$command .*-l \([a-z0-9-]*\).*/--\1/p" completions/clawws.fish | compare completions/clawws.fish
  grep -v "$general" "$work/all" >"$work/help"
  section=$(echo "$command" | tr '[:lower:]' '[:upper:]')
  sed -n "/^\.SH $section/,/^\.SH /p" man/clawws-bench.1 | sed 's/\\-/-/g' |
    awk 'heading { print } { heading = /^\.T[PQ]/ }' | grep -o -e '--[a-z0-9-]*' | compare "man/clawws-bench.1, $section"
done

[ $tools -ge 2 ] || { echo "found $tools tools in $CLAWWS_BIN" >&2; exit 1; }
[ ! -s "$work/bad" ]
