// Expected failures are values: Result<T> holds a T or an Error (a code and a short context).
// One table (error.cpp) gives each code its word on the wire, its sentence, its HTTP status, its
// WebSocket close code and the exit code of a process that ends because of it.
// Thread-safe: everything here is immutable. Knows nothing of sockets.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"

namespace clawws::base {

enum class Errc : std::uint8_t {
  internal,         // a fault of clawws itself
  io,               // a file, pipe or socket operation failed
  usage,            // a flag or argument is wrong, a secret in argv included
  config,           // the config file, an environment variable or a named file's content is wrong
  address_in_use,   // the listening port is taken
  locked,           // another process holds the state directory
  connect_failed,   // DNS, TCP or a 5xx: worth another attempt
  timed_out,        // a goal was not reached in the time that was given
  not_accepted,     // 401, 403, 4001: the credentials are not good here
  tls,              // certificate, pin or version
  protocol,         // the peer does not speak the protocol, or broke it
  events_lost,      // a gap in the stream
  invalid_json,     // 400
  invalid_event,    // 422
  too_large,        // 413
  unsupported_type, // 415
  bad_request,      // 400: a head or query that does not parse
  bad_position,     // error frame, or 400 in a query
  bad_filter,       // error frame, or 400 in a query
  bad_message,      // error frame
  unauthorized,     // 401
  forbidden,        // 403
  not_found,        // 404
  method_not_allowed, // 405
  conflict,         // 409: an Idempotency-Key with another body
  rate_limited,     // 429
  unavailable,      // 503
  store_full,       // 507
  store_damaged,    // 503: what is stored is not what was written
  too_slow,         // 4008
  interrupted,      // a signal
};

enum class Severity : std::uint8_t { info, warning, error };

// One row of the table. http_status and close_code are 0 where the code never leaves that way.
struct ErrorInfo {
  Errc code;
  std::string_view word;      // snake_case, stable, what "error" or "code" says on the wire
  std::string_view sentence;  // for people, without a final stop
  Severity severity;
  std::uint16_t http_status;
  std::uint16_t close_code;
  int exit_code;              // of a tool that ends because of this, TOOLS table
};

CLAWWS_API const ErrorInfo& info(Errc code) noexcept;

// What failed and, in `context`, where, why and what to try, fit to be shown to a person.
// The context never holds a secret.
struct Error {
  Errc code = Errc::internal;
  std::string context;

  Error() = default;  // Result<T>::error() needs one
  explicit Error(Errc c, std::string text = {}) : code(c), context(std::move(text)) {}
  // The context, or the code's own sentence when there is none.
  CLAWWS_API std::string message() const;
};

template <class T>
using Result = boost::system::result<T, Error>;

// boost::system::result calls this when value() is taken of an error: a bug of the caller.
[[noreturn]] CLAWWS_API void throw_exception_from_error(const Error& error,
                                                        const boost::source_location& where);

// Text for an errno value, e.g. "No such file or directory".
CLAWWS_API std::string errno_text(int value);

}  // namespace clawws::base
