#!/bin/sh
# What README, manual pages, scripts' hints and --help tell people to run is there: tools, options, files.
set -u
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
for tool in serve tail bench; do
  if [ -x "$CLAWWS_BIN/clawws-$tool" ]; then "$CLAWWS_BIN/clawws" $tool --help >"$work/$tool"; fi
done

# Lines with "clawws TOOL ...": every option behind it, up to a pipe, is one of that tool.
for document in README.md man/*.[17] apps/quickstart.sh "$work"/serve "$work"/tail "$work"/bench; do
  sed 's/\\-/-/g; s/\\fR\|\\fB\|\\fI//g' "$document" | grep -o 'clawws [a-z][a-z]* [^|`#]*' |
    grep -E '^clawws (serve|tail|bench) ' >"$work/lines"
  while read -r _ tool rest; do
    for option in $(echo " $rest" | grep -oE ' --?[a-z][a-z0-9-]*'); do
      grep -qE -e "^ .*$option([ =[,]|\$)" "$work/$tool" 2>/dev/null ||
        { echo "$document: clawws $tool has no $option" >&2; bad=1; }
    done
  done <"$work/lines"
done

# Files and folders that README names.
# The back quotes are README's.
# shellcheck disable=SC2016
for path in $(grep -oE '`(apps|lib|tests|man|completions)/[A-Za-z0-9_./-]*`' README.md | tr -d '`'); do
  [ -e "$path" ] || { echo "README.md: there is no $path" >&2; bad=1; }
done
exit $bad
