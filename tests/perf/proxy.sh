#!/bin/sh
# Measures --upstream beside nginx's proxy_pass, both over TLS before the same application (nginx, one worker, a fixed
# answer), in turn, round after round: the median latency of requests on kept connections, and what a large body each
# way costs in memory. Prints lines for a person; nothing is judged.
#   sh tests/perf/proxy.sh [--rounds N] [--size MIB] [--build DIR]
#   --rounds N    rounds (default 3), each of 3 s a server: over 10,000 requests
#   --size MIB    of the large bodies (default 1024)
#   --build DIR   a finished Release build (default: build/release)
# Needs wrk, curl, openssl and node. nginx is taken from Debian's archive (unpacked, not installed) and stays under
# ~/.cache/clawws-compare. Servers listen on 127.0.0.1 and end with the script.
set -u
cd "$(dirname "$0")/../.." || exit 1

rounds=3
size=1024
build=${CLAWWS_BUILD_DIR:-build}/release
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift ;;
    --size) size=$2; shift ;;
    --build) build=$2; shift ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "proxy.sh: unknown argument '$1'; try --help" >&2; exit 2 ;;
  esac
  shift
done
# shellcheck source=tests/perf/servers.inc
. tests/perf/servers.inc
for tool in wrk curl openssl node; do command -v $tool >/dev/null 2>&1 || fail "$tool is not installed"; done
[ -x "$build/bin/clawws-serve" ] || fail "no clawws-serve in $build/bin"

nginx=$(command -v nginx || echo "$cache/nginx/usr/sbin/nginx")
if [ ! -x "$nginx" ]; then
  mkdir -p "$cache/debs"
  (cd "$cache/debs" && apt-get download nginx >&2) || fail "apt-get could not download nginx"
  for package in "$cache"/debs/nginx_*.deb; do dpkg -x "$package" "$cache/nginx" || exit 1; done
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null || fail "openssl made no certificate"
app=$(free_port) proxy=$(free_port) large=$(free_port)
# A process of its own for the application, so that both proxies have the same way to it.
paths="client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;"
start_nginx() { # NAME, the servers on standard input
  {
    echo "daemon off; worker_processes 1; pid $work/$1.pid; error_log stderr warn; events { worker_connections 1024; }"
    echo "http { access_log off; keepalive_requests 10000000; $paths"
    cat
    echo "}"
  } >"$work/$1.conf"
  "$nginx" -c "$work/$1.conf" -p "$work" 2>"$work/$1.log" &
  servers="$servers $!"
}
start_nginx app <<EOF
server { listen 127.0.0.1:$app; location / { default_type application/json; return 200 '{"sessions":[],"agents":[],"status":"ok"}'; } }
EOF
start_nginx proxy <<EOF
upstream app { server 127.0.0.1:$app; keepalive 32; keepalive_requests 10000000; }
server {
  listen 127.0.0.1:$proxy ssl; ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
  location / {
    proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https;
  }
}
EOF
# What takes a body of any size and gives one.
cat >"$work/large.js" <<'EOF'
const [port, mib] = process.argv.slice(2).map(Number);
const piece = Buffer.alloc(1 << 20, 'x');
require('http').createServer((request, response) => {
  let seen = 0;
  if (request.method === 'GET') {
    let left = mib;
    const more = () => { while (left > 0) { left--; if (!response.write(piece)) { response.once('drain', more); return; } } response.end(); };
    return more();
  }
  request.on('data', (data) => { seen += data.length; });
  request.on('end', () => response.end(String(seen)));
}).listen(port, '127.0.0.1');
EOF
node "$work/large.js" "$large" "$size" 2>"$work/large.log" &
servers="$servers $!"

start_clawws() { # NAME UPSTREAM-PORT
  "$build/bin/clawws-serve" --state-dir "$work/$1" --listen 127.0.0.1:0 --threads 1 --store memory \
    --upstream "http://127.0.0.1:$2" 2>"$work/$1.log" &
  pid=$!
  servers="$servers $pid"
  wait_until grep -q "\"pid\":${pid}[,}]" "$work/$1/server.json"
  port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$work/$1/server.json")
}
wait_until curl -sfk -o "$work/answer" "https://127.0.0.1:$proxy/"
start_clawws small "$app"
clawws=$port
wait_until curl -sfk -o "$work/answer" "https://127.0.0.1:$clawws/"

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# The p50 in microseconds of one run.
run() {
  wrk -t1 -c8 -d3s --latency "https://127.0.0.1:$1/api/overview" >"$work/wrk" || fail "wrk failed"
  grep -q "Non-2xx\|Socket errors" "$work/wrk" && fail "not every request was answered: $(cat "$work/wrk")"
  awk '/50%/ { v = $2; f = v ~ /us$/ ? 1 : v ~ /ms$/ ? 1000 : 1000000; print v * f }' "$work/wrk"
}
: >"$work/nginx.p50"
: >"$work/clawws.p50"
for round in $(seq "$rounds"); do
  run "$proxy" >>"$work/nginx.p50"
  nginx_rate=$(awk '/Requests\/sec/ { print $2 }' "$work/wrk")
  run "$clawws" >>"$work/clawws.p50"
  clawws_rate=$(awk '/Requests\/sec/ { print $2 }' "$work/wrk")
  echo "round $round  p50: nginx $(tail -1 "$work/nginx.p50") us, clawws $(tail -1 "$work/clawws.p50") us;  requests/s: nginx $nginx_rate, clawws $clawws_rate"
done
awk -v n="$(median <"$work/nginx.p50")" -v c="$(median <"$work/clawws.p50")" \
  'BEGIN { printf "median     p50: nginx %s us, clawws %s us: %.2f times nginx\n", n, c, c / n }'

start_clawws large "$large"
memory() { awk '/VmRSS|VmHWM/ { printf "%s %d KiB  ", $1, $2 }' "/proc/$pid/status"; }
wait_until curl -sk -o "$work/answer" "https://127.0.0.1:$port/clawws/health"
echo "at first   $(memory)"
taken=$(curl -sk "https://127.0.0.1:$port/down" | wc -c)
echo "$size MiB down ($taken bytes)  $(memory)"
taken=$(head -c "${size}M" /dev/zero | curl -sk -H 'Expect:' -T - "https://127.0.0.1:$port/up")
echo "$size MiB up ($taken bytes)  $(memory)"
