#!/bin/sh
# What stands in the files of the project: length, words that must not be there, no sleeps as
# synchronisation in tests, nothing new at the top level.
set -eu
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}"
bad=0
complain() {
  echo "$1" >&2
  bad=1
}

# The project's files: those under version control or about to be; without git, all but the builds.
list_files() {
  if [ -e .git ] && command -v git >/dev/null 2>&1; then
    git -c safe.directory='*' ls-files --cached --others --exclude-standard
  else
    find . -type f ! -path './build*' | sed 's|^\./||'
  fi
}
files=$(list_files | while IFS= read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done)
[ -n "$files" ] || { echo "no files found" >&2; exit 1; }

for top in $(echo "$files" | cut -d/ -f1 | sort -u); do
  case $top in
    CMakeLists.txt | README.md | apps | lib | tests | completions | man | .*) ;;
    *) complain "$top: the top level is fixed; this belongs in one of its folders" ;;
  esac
done

# Written in two halves, so that this file does not find itself.
words="TO""DO|FIX""ME|HA""CK:|/wo""rk/|/tmp/te""am"
for file in $files; do
  case $file in
    *.ndjson | tests/fuzz/corpus/* | *.png) continue ;;
    *.hpp | *.cpp | *.sh)
      lines=$(wc -l <"$file")
      [ "$lines" -le 600 ] || complain "$file: $lines lines; split it before 600" ;;
  esac
  if grep -nE "$words" "$file"; then complain "$file: holds a word that must not be there"; fi
  if grep -nE '^ *(//|#) *[-=*/#~]{6,}' "$file"; then complain "$file: a banner"; fi
  if grep -nP '[ \t]+$' "$file"; then complain "$file: blanks at the end of a line"; fi
done

# A test waits for a condition. A sleep is right only between two looks at one or as a pace; then it says
# so with the word `poll` or `pace` in a comment on its line or the one before.
for file in $(echo "$files" | grep '^tests/.*\.\([ch]pp\|sh\)$'); do
  awk -v file="$file" '
    /sleep_for|sleep_until|usleep|nanosleep|(^|[^a-z_-])sleep +[0-9]/ && $0 !~ /awk|grep/ {
      if ($0 !~ /(\/\/|#).* (poll|pace)/ && previous !~ /(\/\/|#).* (poll|pace)/) { print file ":" NR ": " $0; found = 1 }
    }
    { previous = $0 }
    END { exit found }' "$file" >&2 || complain "$file: a sleep where a condition should be waited for"
done

exit $bad
