#include "clawws/base/error.hpp"

#include <array>
#include <stdexcept>
#include <system_error>

#include "clawws/base/assert.hpp"

namespace clawws::base {
namespace {

using enum Severity;

// In the order of Errc: info() indexes it. HTTP status and close code 0: never sent for this.
constexpr auto k_table = std::to_array<ErrorInfo>({
    // code, word, sentence, severity, HTTP, close, exit
    {Errc::internal, "internal", "internal error in clawws", error, 500, 1011, 1},
    {Errc::io, "io", "a file, pipe or socket operation failed", error, 500, 1011, 1},
    {Errc::usage, "usage", "wrong flag or argument", error, 0, 0, 2},
    {Errc::config, "config", "wrong configuration", error, 0, 0, 2},
    {Errc::address_in_use, "address_in_use", "the address is in use by another process", error, 0,
     0, 1},
    {Errc::locked, "locked", "another process holds the lock", error, 0, 0, 1},
    {Errc::connect_failed, "connect_failed", "could not connect", error, 0, 0, 3},
    {Errc::timed_out, "timed_out", "not done in the time that was given", warning, 408, 0, 124},
    {Errc::not_accepted, "not_accepted", "the credentials are not accepted", error, 0, 4001, 4},
    {Errc::tls, "tls", "the TLS connection could not be trusted or made", error, 0, 0, 5},
    {Errc::protocol, "protocol", "the peer does not speak the protocol", error, 400, 1002, 6},
    {Errc::events_lost, "events_lost", "events were lost", warning, 0, 0, 7},
    {Errc::invalid_json, "invalid_json", "not valid JSON", info, 400, 1007, 6},
    {Errc::invalid_event, "invalid_event", "not a valid event", info, 422, 0, 6},
    {Errc::too_large, "too_large", "larger than the limit", info, 413, 1009, 6},
    {Errc::unsupported_type, "unsupported_type", "this content type is not taken here", info, 415,
     1003, 6},
    {Errc::bad_request, "bad_request", "the request does not parse", info, 400, 1002, 6},
    {Errc::bad_position, "bad_position", "not a position in the log", info, 400, 0, 6},
    {Errc::bad_filter, "bad_filter", "not a filter of event types", info, 400, 0, 6},
    {Errc::bad_message, "bad_message", "Invalid message format", info, 400, 1008, 6},
    {Errc::unauthorized, "unauthorized", "credentials are missing or wrong", info, 401, 4001, 4},
    {Errc::forbidden, "forbidden", "not allowed with these credentials", info, 403, 4001, 4},
    {Errc::not_found, "not_found", "there is nothing at this path", info, 404, 0, 6},
    {Errc::method_not_allowed, "method_not_allowed", "this path does not take this method", info,
     405, 0, 6},
    {Errc::conflict, "conflict", "this Idempotency-Key was used with another body", info, 409, 0,
     6},
    {Errc::rate_limited, "rate_limited", "too many requests", info, 429, 1008, 3},
    {Errc::unavailable, "unavailable", "not available at the moment", warning, 503, 1013, 3},
    {Errc::store_full, "store_full", "the event store is full", error, 507, 1013, 1},
    {Errc::store_damaged, "store_damaged", "the event store is damaged", error, 503, 1013, 1},
    {Errc::too_slow, "too_slow", "the client reads too slowly", warning, 0, 4008, 3},
    {Errc::interrupted, "interrupted", "ended by a signal", Severity::info, 0, 1012, 130},
});

consteval bool in_order() {
  for (std::size_t i = 0; i < k_table.size(); ++i) {
    if (static_cast<std::size_t>(k_table[i].code) != i) return false;
  }
  return k_table.size() == static_cast<std::size_t>(Errc::interrupted) + 1;
}
static_assert(in_order(), "k_table must have one row a code, in the order of Errc");

}  // namespace

const ErrorInfo& info(Errc code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  CLAWWS_ASSERT(index < k_table.size());
  return k_table[index];
}

std::string Error::message() const {
  return context.empty() ? std::string(base::info(code).sentence) : context;
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error("value() of a failed result at " + where.to_string() + ": " +
                         error.message());
}

std::string errno_text(int value) {
  return std::generic_category().message(value);
}

}  // namespace clawws::base
