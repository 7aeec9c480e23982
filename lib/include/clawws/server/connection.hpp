// A connection before it is a live session: TLS handshake, HTTP requests one after the other, and
// the upgrade. A coroutine on its shard; every step has a deadline in the shard's timing wheel.
#pragma once

#include "clawws/net/tls_stream.hpp"

namespace clawws::server {

class Shard;

// Takes the socket, which was accepted into the shard's context. The shard's thread or, before it
// runs, any.
void start_connection(Shard& shard, net::TcpSocket socket);

}  // namespace clawws::server
