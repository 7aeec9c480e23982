#!/bin/sh
# Includes point down only: base < wire < hub, net < server, client < bench < apps. Server and client never
# include each other; base, wire and hub know no Asio; only net names OpenSSL.
# No path of the project holds a blank.
# shellcheck disable=SC2044,SC2013
set -eu
cd "${CLAWWS_SOURCE_DIR:-$(dirname "$0")/../..}"

# Which layers a layer may include, itself among them.
allowed() {
  case $1 in
    base) echo "base" ;;
    wire) echo "base wire" ;;
    hub) echo "base wire hub" ;;
    net) echo "base wire net" ;;
    server) echo "base wire hub net server" ;;
    client) echo "base wire net client" ;;
    bench) echo "base wire net client bench" ;;
    apps/clawws) echo "" ;;
    apps/common) echo "base net" ;;
    apps/serve) echo "base server" ;;
    apps/tail) echo "base client" ;;
    apps/bench) echo "base bench" ;;
    *) echo "?" ;;
  esac
}

bad=0
complain() {
  echo "$1" >&2
  bad=1
}

for file in $(find lib/include lib/src apps -name '*.[ch]pp'); do
  case $file in
    lib/include/clawws/*) layer=${file#lib/include/clawws/} ;;
    lib/src/*) layer=${file#lib/src/} ;;
    apps/*) layer=${file#apps/} ;;
  esac
  layer=${layer%%/*}
  case $file in apps/*) layer=apps/$layer ;; esac
  may=$(allowed "$layer")
  [ "$may" != "?" ] || complain "$file: '$layer' is not a layer that this test knows"

  for used in $(sed -n 's|^ *# *include *["<]clawws/\([a-z0-9_]*\)/.*|\1|p' "$file"); do
    case " $may " in
      *" $used "*) ;;
      *) complain "$file: $layer must not include clawws/$used" ;;
    esac
  done
  if grep -n '^ *# *include *".*\.\./' "$file" | grep -v '"\.\./common/[a-z_]*\.hpp"'; then
    complain "$file: includes by way of '..', so its layer cannot be read off"
  fi
  case $layer in
    base | wire | hub | apps/*)
      if grep -nE '^ *# *include *<boost/(asio|beast)' "$file"; then complain "$file: $layer knows no Asio"; fi ;;
  esac
  if [ "$layer" != net ] && grep -n '^ *# *include *["<]openssl/' "$file"; then
    complain "$file: only net names OpenSSL"
  fi
done
exit $bad
