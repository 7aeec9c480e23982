#!/bin/sh
# Measures clawws beside other broadcasters over TLS: the same generator (clawws bench), the same events, servers in
# turn, round after round, so that a machine that drifts drifts for all. Prints a table of medians and ratios and
# saves it as compare.md and compare.json.
#   sh tests/perf/compare.sh [--rounds N] [--quick] [--out DIR] [--build DIR] [PEER...]
#   --rounds N    rounds of each measurement (default 5)
#   --quick       one small round, to see that everything works
#   --out DIR     where results go (default: DIR of the build/compare)
#   --build DIR   a finished Release build (default: build/release, made when it is not there)
#   PEER...       of: clawws ws nchan beast (default: all)
# Peers come from packages and stay under ~/.cache/clawws-compare: `ws` from npm, nginx and nchan from Debian's
# archive (unpacked, not installed). Servers listen on 127.0.0.1 and end with the script.
set -u
cd "$(dirname "$0")/../.." || exit 1
. apps/common/packages.sh

rounds=5
quick=0
out=
build=
peers=
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift ;;
    --quick) quick=1 rounds=1 ;;
    --out) out=$2; shift ;;
    --build) build=$2; shift ;;
    clawws | ws | nchan | beast) peers="$peers $1" ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "compare.sh: unknown argument '$1'; try --help" >&2; exit 2 ;;
  esac
  shift
done
[ -n "$peers" ] || peers="clawws ws nchan beast"
wants() { case " $peers " in *" $1 "*) true ;; *) false ;; esac; }

say() { printf '== %s\n' "$*" >&2; }
# shellcheck source=tests/perf/servers.inc
. tests/perf/servers.inc

# ---- what is measured with, and what is measured ----

if [ -z "$build" ]; then
  build=${CLAWWS_BUILD_DIR:-build}/release
  # shellcheck disable=SC2086
  install_packages $clawws_packages libgtest-dev || exit 1
  [ -e "$build/CMakeCache.txt" ] ||
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >&2 || fail "cmake could not configure the build"
fi
say "building in $build"
ninja -C "$build" clawws-serve clawws-bench perf_floor perf_beast_broadcast >&2 || fail "the build failed"
build=$(cd "$build" && pwd)
bench=$build/bin/clawws-bench
out=${out:-$build/compare}
mkdir -p "$out/raw" || exit 1
rm -f "$out"/raw/*.json

mkdir -p "$cache" || exit 1
# The table is made with node, too.
install_packages nodejs || exit 1
if wants ws && [ ! -d "$cache/node_modules/ws" ]; then
  command -v npm >/dev/null 2>&1 || install_packages npm || exit 1
  npm install --silent --no-audit --no-fund --prefix "$cache" ws@8 >&2 || fail "npm could not install ws"
fi
if wants nchan && [ ! -x "$cache/nginx/usr/sbin/nginx" ]; then
  mkdir -p "$cache/debs"
  if ! (cd "$cache/debs" && apt-get download nginx libnginx-mod-nchan >&2); then
    fail "apt-get could not download nginx and libnginx-mod-nchan"
  fi
  for package in "$cache"/debs/*.deb; do dpkg -x "$package" "$cache/nginx" || exit 1; done
  # nchan creates a folder that only an installed nginx has, whatever the configuration says; unpacked and without root
  # it must be elsewhere. The new name is as long as the old one, and relative to -p.
  sed -i 's|/var/lib/nginx/body|nginx-body-temp-dir|g' "$cache"/nginx/usr/lib/nginx/modules/ngx_nchan_module.so
fi

# ---- servers: start_server PEER sets $pid (to be measured), $main (to be ended) and $to (bench's options) ----

answers() { curl -sk --max-time 2 -o "$work/answer" -d '{"type":"bench.sample","payload":{}}' "https://127.0.0.1:$1/clawws/events"; }

# One shard, as each peer has one thread; the certificate that clawws makes is everybody's.
start_clawws() {
  "$build/bin/clawws-serve" --state-dir "$work/state" --listen 127.0.0.1:0 --threads 1 2>"$work/$peer.log" &
  main=$! pid=$main to="--state-dir $work/state"
  wait_until grep -q "\"pid\":${main}[,}]" "$work/state/server.json"
}
start_ws() {
  port=$(free_port)
  node tests/perf/peers/ws.mjs "$cache" "$cert" "$key" "$port" 2>"$work/$peer.log" &
  main=$! pid=$main
}
start_beast() {
  port=$(free_port)
  "$build/tests/perf_beast_broadcast" "$cert" "$key" "$port" 2>"$work/$peer.log" &
  main=$! pid=$main
}
start_nchan() {
  port=$(free_port)
  sed "s|@MODULE@|$cache/nginx/usr/lib/nginx/modules/ngx_nchan_module.so|; s|@DIR@|$work|; s|@PORT@|$port|
    s|@CERT@|$cert|; s|@KEY@|$key|" tests/perf/peers/nchan.conf >"$work/nginx.conf"
  "$cache/nginx/usr/sbin/nginx" -p "$work" -c "$work/nginx.conf" 2>"$work/$peer.log" &
  main=$!
  wait_until pgrep -P $main
  pid=$(pgrep -P $main -o)
}
start_server() {
  peer=$1
  start_"$peer"
  servers="$servers $main"
  [ "$peer" = clawws ] && return
  to="-k --server-pid $pid wss://127.0.0.1:$port/ws"
  wait_until answers "$port"
}
stop_server() {
  kill "$main"
  wait "$main" 2>/dev/null
  servers=$(echo " $servers " | sed "s/ $main / /")
}

# measure PEER NAME OPTION...: one run; its report becomes raw/PEER.NAME.json.
measure() {
  report=$out/raw/$1.$2.json
  shift 2
  # nchan takes one event in a request, and that is what a request holds there.
  case $peer in nchan) set -- "$@" --batch 1 ;; esac
  # shellcheck disable=SC2086
  "$bench" -q --size 200 --drain 120s --json "$report" "$@" $to >"$work/text" 2>&1
  case $? in
    0 | 22) ;; # the table says when a run cannot be trusted
    *) cat "$work/text" >&2; fail "$peer: the run failed" ;;
  esac
}

# $burst and $paced are read by their names.
# shellcheck disable=SC2034
burst="-c 500 -r 20k -d 100ms --warmup 0"
paced="-c 1000 -r 50 -d 10s --warmup 2s"
idle="-s idle -c 5000 -d 3s" floor="1000 200 200"
if [ $quick = 1 ]; then
  # shellcheck disable=SC2034
  burst="-c 50 -r 2k -d 100ms --warmup 0" paced="-c 100 -r 50 -d 1s --warmup 200ms" idle="-s idle -c 200 -d 500ms"
  floor="100 20 200"
fi

# The first clawws makes the certificate.
peer=clawws
start_clawws
cert=$work/state/cert.pem key=$work/state/key.pem
kill "$main"
wait "$main" 2>/dev/null

{
  printf '{"clawws": "%s", ' "$("$bench" --version | sed 's/.* //')"
  printf '"openssl": "%s", ' "$(openssl version | cut -d' ' -f2)"
  printf '"kernel": "%s", "cpu": "%s", "cores": %s, ' "$(uname -r)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
  wants ws && printf '"node": "%s", "ws": "%s", ' "$(node --version)" \
    "$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$cache/node_modules/ws/package.json")"
  wants nchan && printf '"nginx": "%s", "nchan": "%s", ' \
    "$("$cache/nginx/usr/sbin/nginx" -v 2>&1 | sed 's/.*nginx.//')" \
    "$(dpkg-deb -f "$cache"/debs/libnginx-mod-nchan*.deb Version)"
  wants beast && printf '"boost": "%s", ' \
    "$(sed -n 's/#define BOOST_LIB_VERSION "\(.*\)"/\1/p' /usr/include/boost/version.hpp | tr _ .)"
  printf '"quick": %s, "rounds": %s, "date": "%s", "loadBefore": "%s"}\n' "$quick" "$rounds" "$(date -u +%F)" \
    "$(cut -d' ' -f1 /proc/loadavg)"
} >"$out/raw/versions.json"

say "floor"
round=1
while [ $round -le "$rounds" ]; do
  # shellcheck disable=SC2086
  "$build/tests/perf_floor" $floor >"$out/raw/floor.$round.json" || fail "perf_floor failed"
  round=$((round + 1))
done

# Memory needs servers that have just started.
round=1
while [ $round -le "$rounds" ]; do
  say "idle, round $round of $rounds"
  for one in $peers; do
    start_server "$one"
    # shellcheck disable=SC2086
    measure "$one" idle.$round $idle
    stop_server
  done
  round=$((round + 1))
done

# Speed needs warm ones: all run, one is measured, and the first round does not count.
for one in $peers; do
  start_server "$one"
  eval "to_$one=\$to"
done
round=0
while [ $round -le "$rounds" ]; do
  say "burst and paced, round $round of $rounds (0 is the warm-up)"
  for kind in burst paced; do
    for peer in $peers; do
      eval "to=\$to_$peer options=\$$kind"
      # shellcheck disable=SC2154,SC2086
      measure "$peer" $kind.$round $options
    done
  done
  [ $round -gt 0 ] || rm -f "$out"/raw/*.burst.0.json "$out"/raw/*.paced.0.json
  round=$((round + 1))
done

node tests/perf/table.mjs "$out/raw" "$out/compare.json" >"$out/compare.md" || fail "the table could not be made"
cat "$out/compare.md"
say "saved in $out"
