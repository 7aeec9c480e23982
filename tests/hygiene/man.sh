#!/bin/sh
# The manual pages are clean for groff (and mandoc where it is installed), carry the version of the program, and
# refer only to pages that are there.
set -u
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
bad=0
version=$("$CLAWWS_BIN/clawws" --version)
for page in man/*.[17]; do
  warnings=$(MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
  if command -v mandoc >/dev/null 2>&1; then
    warnings=$warnings$(mandoc -Tlint -Wwarning "$page")
  fi
  [ -z "$warnings" ] || { echo "$page: $warnings" >&2; bad=1; }
  grep -q "^\.TH .*\"$version\"" "$page" || { echo "$page: is not of $version" >&2; bad=1; }
  # shellcheck disable=SC2013 # no name holds a blank
  for reference in $(sed -n 's/\\-/-/g; s/^\.BR \(clawws[a-z-]*\) (\([17]\)).*/\1.\2/p' "$page"); do
    [ -e "man/$reference" ] || { echo "$page: there is no $reference" >&2; bad=1; }
  done
done
exit $bad
