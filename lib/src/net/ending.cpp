#include "clawws/net/ending.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "clawws/base/text.hpp"

namespace clawws::net {
namespace {

using base::Errc;
using base::Millis;

constexpr Millis k_longest_hint{10 * 60 * 1000};
constexpr std::size_t k_longest_quote = 200;
constexpr std::string_view k_retry_word = "retry-ms=";

// What a peer says, cut and made harmless.
std::string peer_words(std::string_view text) {
  return base::escape_terminal(base::utf8_prefix(text, k_longest_quote));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return k_longest_hint.count();
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Millis bounded(std::uint64_t value, std::uint64_t millis_each) {
  const auto longest = static_cast<std::uint64_t>(k_longest_hint.count());
  return Millis(static_cast<std::int64_t>(std::min(value, longest / millis_each) * millis_each));
}

// "Sun, 06 Nov 1994 08:49:37 GMT" as RFC 3339, which base can read.
std::optional<std::string> fixdate_as_rfc3339(std::string_view date) {
  static constexpr std::array<std::string_view, 12> k_months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (date.size() != 29 || date.substr(25) != " GMT") return std::nullopt;
  const auto month = std::find(k_months.begin(), k_months.end(), date.substr(8, 3));
  if (month == k_months.end()) return std::nullopt;
  const auto index = static_cast<int>(month - k_months.begin()) + 1;
  std::string text(date.substr(12, 4));
  text.append(index < 10 ? "-0" : "-").append(std::to_string(index)).append("-");
  text.append(date.substr(5, 2)).append("T").append(date.substr(17, 8)).append("Z");
  return text;
}

// What a close code means, as the protocol has it.
std::string_view close_words(std::uint16_t code) {
  switch (code) {
    case 1000:
      return "the server ended the stream";
    case 1001:
      return "the server goes away";
    case 1002:
    case 1003:
    case 1007:
    case 1010:
      return "the server found a fault in what was sent";
    case 1008:
      return "the server refuses this client: it broke a rule or a limit";
    case 1009:
      return "the server refuses a message: too large";
    case 1011:
      return "the server failed";
    case 1012:
      return "the server restarts";
    case 1013:
      return "the server cannot serve this now";
    case 4001:
      return "the credentials were revoked, changed or have expired";
    case 4008:
      return "this client read too slowly";
    default:
      return "closed by the server";
  }
}

// Without what is meant for programs.
std::string reason_for_people(std::string_view reason) {
  std::string out;
  for (const auto word : base::split(reason, ' '))
    if (!word.empty() && !word.starts_with(k_retry_word))
      out += (out.empty() ? "" : " ") + std::string(word);
  return out;
}

// The server's own words for a refusal, when it gave some as {"message":…} or {"error":…}.
std::string server_words(std::string_view body) {
  const auto json = nlohmann::json::parse(body.substr(0, k_longest_body_bytes), nullptr, false);
  if (!json.is_object()) return {};
  for (const char* name : {"message", "error"}) {
    const auto member = json.find(name);
    if (member != json.end() && member->is_string())
      return ": " + peer_words(member->get_ref<const std::string&>());
  }
  return {};
}

// 0 for what is no status line "HTTP/1.1 503 …".
int answer_status(std::string_view bytes) noexcept {
  if (!bytes.starts_with("HTTP/1.") || bytes.size() < 13 || bytes[8] != ' ') return 0;
  const auto status = number(bytes.substr(9, 3));
  const bool has_end = bytes[12] == ' ' || bytes[12] == '\r' || bytes[12] == '\n';
  return status && *status >= 100 && has_end ? static_cast<int>(*status) : 0;
}

// The first field of that name, empty when there is none. `head` is lines, the first of them not a
// field.
std::string_view answer_field(std::string_view head, std::string_view name) {
  for (std::size_t end; (end = head.find("\r\n")) != std::string_view::npos;) {
    head.remove_prefix(end + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && base::iequals(line.substr(0, colon), name))
      return base::trim(line.substr(colon + 1));
  }
  return {};
}

}  // namespace

std::string_view phase_name(Phase phase) noexcept {
  switch (phase) {
    case Phase::resolve:
      return "DNS";
    case Phase::connect:
      return "TCP";
    case Phase::tls:
      return "TLS";
    case Phase::upgrade:
      return "upgrade";
    case Phase::live:
      return "stream";
  }
  return "";
}

Ending passing(Phase phase, std::string what, Errc code) {
  Ending ending;
  ending.code = code;
  ending.phase = phase;
  ending.what = std::move(what);
  return ending;
}

Ending final_ending(Phase phase, Errc code, std::string what) {
  Ending ending = passing(phase, std::move(what), code);
  ending.again = Again::never;
  return ending;
}

Ending http_ending(const HttpAnswer& answer) {
  const std::string words =
      "the server answered " + std::to_string(answer.status) + server_words(answer.body);
  const auto never = [&](Errc code, const std::string& advice) {
    Ending ending = final_ending(Phase::upgrade, code, words + advice);
    ending.http_status = answer.status;
    return ending;
  };
  if (answer.status == 401)
    return never(Errc::not_accepted,
                 "; user name or password is wrong or missing (see --user, --password-file)");
  if (answer.status == 403)
    return never(Errc::not_accepted, "; these credentials may not subscribe here");
  if (answer.status == 408 || answer.status == 425 || answer.status == 429 ||
      answer.status >= 500) {
    Ending ending = passing(Phase::upgrade, words);
    ending.http_status = answer.status;
    ending.hint = parse_retry_after(answer.retry_after, answer.now_millis);
    return ending;
  }
  if (answer.status >= 300 && answer.status < 400)
    return never(Errc::protocol, answer.location.empty()
                                     ? std::string("; redirects are not followed")
                                     : "; redirects are not followed: if you trust it, use " +
                                           peer_words(answer.location) + " yourself");
  if (answer.status == 404)
    return never(Errc::protocol, "; no clawws server at this path (clawws listens on /ws)");
  if (answer.status == 426 || answer.status == 400)
    return never(Errc::protocol, "; it does not take this WebSocket request");
  return never(Errc::protocol, " instead of a WebSocket upgrade; this is no clawws server");
}

bool is_upgrade(std::string_view bytes) noexcept {
  return answer_status(bytes) == 101;
}

std::optional<Ending> answer_ending(std::string_view bytes, std::int64_t now_millis) {
  const int status = answer_status(bytes);
  if (status == 0 || status == 101) return std::nullopt;
  std::string_view body;
  std::string_view head = bytes;
  if (const std::size_t end = bytes.find("\r\n\r\n"); end != std::string_view::npos) {
    head = bytes.substr(0, end);
    body = bytes.substr(end + 4);
  } else if (bytes.size() < k_longest_head_bytes) {
    return std::nullopt;
  } else {
    // What is left over of the last line is no field.
    head = bytes.substr(0, std::min(bytes.rfind("\r\n"), bytes.size()));
  }
  return http_ending({status, answer_field(head, "Retry-After"), answer_field(head, "Location"),
                      body, now_millis});
}

Ending close_ending(std::uint16_t code, std::string_view reason) {
  std::string what = std::string(close_words(code)) + " (" + std::to_string(code);
  const std::string said = reason_for_people(reason);
  if (!said.empty()) what += ": " + peer_words(said);
  what += ")";
  Ending ending;
  switch (code) {
    case 1000:
      ending = final_ending(Phase::live, Errc::connect_failed, what);
      break;
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009:
    case 1010:
      ending = final_ending(Phase::live, Errc::protocol, what);
      break;
    case 4001:
      ending = final_ending(Phase::live, Errc::not_accepted, what);
      break;
    default:
      ending = passing(Phase::live, what);
  }
  ending.close_code = code;
  ending.hint = retry_hint(reason);
  return ending;
}

std::optional<Millis> parse_retry_after(std::string_view value, std::int64_t now_millis) {
  value = base::trim(value);
  if (const auto seconds = number(value)) return bounded(*seconds, 1000);
  const auto text = fixdate_as_rfc3339(value);
  if (!text) return std::nullopt;
  const auto date = base::parse_rfc3339(*text);
  if (!date) return std::nullopt;
  return bounded(static_cast<std::uint64_t>(std::max<std::int64_t>(*date - now_millis, 0)), 1);
}

std::optional<Millis> retry_hint(std::string_view close_reason) {
  for (std::string_view rest = close_reason; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(" ;,"), rest.size());
    const std::string_view word = rest.substr(0, end);
    if (word.starts_with(k_retry_word))
      if (const auto millis = number(word.substr(k_retry_word.size()))) return bounded(*millis, 1);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

}  // namespace clawws::net
