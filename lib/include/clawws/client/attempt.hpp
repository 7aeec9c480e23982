// One attempt to connect: where to and as whom. A value made by whoever knows (Approach), used by
// Session. Free of Asio.
#pragma once

#include <memory>
#include <string>

namespace clawws::net {
struct WsTarget;
}

namespace clawws::client {

struct Attempt {
  std::shared_ptr<const net::WsTarget> target;
  std::string authorization;  // the header's value; empty: none. Wiped after use
  std::string note;           // for -v: where URL and credentials came from
  std::string local_address;  // to connect from; empty: any
};

}  // namespace clawws::client
