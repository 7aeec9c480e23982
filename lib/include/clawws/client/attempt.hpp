// One attempt to connect: where to and as whom. A value made by whoever knows (Approach), used by
// Session. Free of Asio.
#pragma once

#include <functional>
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
  // Whether another preparation would trust another certificate by now: the local server began after
  // this one looked for it. Empty: no. Called on the attempt's thread, reads a file.
  std::function<bool()> is_outdated;
};

}  // namespace clawws::client
