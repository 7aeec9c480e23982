#!/bin/sh
# The shared library shows only what clawws marks with CLAWWS_API: neither Asio's nor the standard library's
# symbols, which would be shared with, or taken from, other libraries of a process.
set -eu
library=$CLAWWS_BINARY_DIR/lib/libclawws.so
if [ ! -e "$library" ]; then
  [ -e "$CLAWWS_BINARY_DIR/lib/libclawws.a" ] || { echo "no library in $CLAWWS_BINARY_DIR/lib" >&2; exit 1; }
  echo "static library: nothing is exported"
  exit 0
fi
symbols=$(nm -DC --defined-only "$library" | cut -d' ' -f3-)
[ -n "$symbols" ] || { echo "$library exports nothing" >&2; exit 1; }
if echo "$symbols" | grep -vE '^(typeinfo (name )?for |vtable for )?clawws::'; then
  echo "$library exports what is not its own" >&2
  exit 1
fi
echo "$(echo "$symbols" | wc -l) symbols, all of them of clawws"
