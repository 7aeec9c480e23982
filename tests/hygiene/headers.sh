#!/bin/sh
# Each header compiles on its own: whoever includes it needs no other include before it.
set -eu
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ccache makes the next run quick; without it the compiler is called directly.
compiler=${CLAWWS_CXX:-c++}
if command -v ccache >/dev/null 2>&1; then compiler="ccache $compiler"; fi
coroutines=
case $(${CLAWWS_CXX:-c++} --version) in *"Free Software Foundation"*) coroutines=-fcoroutines ;; esac

find lib/include lib/src apps tests -name '*.hpp' | sort >"$work/headers"
[ -s "$work/headers" ] || { echo "no headers found" >&2; exit 1; }
# The build has shown it already for a header that its own source file includes first.
included_first() {
  name=${1##*/}
  source=$(find lib/src apps tests -name "${name%.hpp}.cpp" | head -n 1)
  [ -n "$source" ] || return 1
  case $(grep -m 1 '^#include' "$source") in *"${1#*/clawws/}\"" | *"support/$name\"") return 0 ;; *) return 1 ;; esac
}

number=0
while IFS= read -r header; do
  if included_first "$header"; then continue; fi
  number=$((number + 1))
  printf '#include "%s"\n' "$PWD/$header" >"$work/$number.cpp"
  printf '%s\n' "$number"
done <"$work/headers" >"$work/numbers"
# -O0 and an object rather than -fsyntax-only, since ccache keeps only objects. Two words each:
# the compiler with ccache before it, and the coroutine flag or nothing.
# shellcheck disable=SC2086
xargs -P "$(nproc)" -I@ $compiler -std=c++20 $coroutines -O0 -w -Ilib/include -Itests \
  -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_BEAST_SEPARATE_COMPILATION -DBOOST_ASIO_NO_DEPRECATED \
  -DCLAWWS_SOURCE_DIR='""' -DCLAWWS_BINARY_DIR='""' -c "$work/@.cpp" -o "$work/@.o" <"$work/numbers"
echo "$number headers"
