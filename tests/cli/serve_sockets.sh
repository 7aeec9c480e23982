#!/bin/sh
# clawws serve on sockets that systemd opened and handed over (sd_listen_fds(3)).
# shellcheck disable=SC2119
# shellcheck source=tests/cli/harness.inc
. "$(dirname "$0")/harness.inc"
unset DASHBOARD_USERNAME DASHBOARD_PASSWORD STATE_DIRECTORY LISTEN_PID LISTEN_FDS LISTEN_FDNAMES

# activate.pl PID KIND... -- COMMAND...: becomes the command, with a socket of each kind from descriptor
# 3 on, meant for the process PID ('' for itself). The sockets' ports go to $work/ports.
cat >"$work/activate.pl" <<'END'
use strict;
use warnings;
use POSIX ();
use Socket;
$^F = 99;    # nothing is closed by exec
my $pid = shift @ARGV;
my (@sockets, @ports);
while ((my $kind = shift @ARGV) ne '--') {
  my $socket;
  if ($kind eq 'unix') {
    socket($socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
  } else {
    socket($socket, PF_INET, $kind eq 'udp' ? SOCK_DGRAM : SOCK_STREAM, 0) or die "socket: $!";
    bind($socket, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
    push @ports, (unpack_sockaddr_in(getsockname $socket))[0];
    if ($kind eq 'tcp') { listen($socket, 128) or die "listen: $!"; }
  }
  # Out of the way of the places that the sockets go to.
  push @sockets, fcntl($socket, POSIX::F_DUPFD, 50) // die "fcntl: $!";
}
for my $i (0 .. $#sockets) {
  POSIX::dup2($sockets[$i], 3 + $i) // die "dup2: $!";
  POSIX::close($sockets[$i]);
}
open my $out, '>', "$ENV{work}/ports" or die "ports: $!";
print $out "@ports\n";
close $out;
$ENV{LISTEN_PID} = $pid || $$;
$ENV{LISTEN_FDS} = @sockets;
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
END
export work

# As systemd does it: through the launcher, which is the same process.
cat >"$work/activated" <<END
#!/bin/sh
exec perl "$work/activate.pl" "\$activate_pid" \$activate_kinds -- "$CLAWWS_BIN/clawws" serve "\$@"
END
chmod +x "$work/activated"
serve=$work/activated activate_pid='' activate_kinds=
export activate_pid activate_kinds

# is_ready PORT
is_ready() { curl -sf -o "$work/ready" --cacert "$state/cert.pem" "https://localhost:$1/clawws/ready"; }

activate_kinds="tcp tcp"
start_server
read -r first second <"$work/ports"
[ "$port" = "$first" ] || fail "the record names port $port, not $first"
is_ready "$first" || fail "the first socket is not served"
is_ready "$second" || fail "the second socket is not served"
[ "$(grep -c 'msg="listening"' "$work/serve.log")" = 2 ] || fail "not two sockets: $(cat "$work/serve.log")"
start_tail --count 1 --since earliest -o ndjson
publish "$(status_event a)"
wait_for 10 has_line '"agentId":"a"' "$work/tail.out"
stop_server TERM

# The variables are inherited by whom they are not meant for.
activate_pid=1 port=0
start_server
read -r first second <"$work/ports"
if [ "$port" = "$first" ] || [ "$port" = "$second" ]; then fail "a socket that was for another process is used"; fi
is_ready "$port" || fail "--listen is not served"
stop_server TERM

refuses() {
  activate_pid='' activate_kinds=$1
  expect "$1" 1 "" "socket $2 from LISTEN_FDS is no TCP listener.*ListenStream" timeout 20 "$serve" --state-dir "$state"
}
refuses unix 3
refuses udp 3
refuses bound 3
refuses "tcp udp" 4
exit $bad
