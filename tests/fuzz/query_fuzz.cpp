// The query of a request target, and the lists that stand in it.
#include "clawws/wire/query.hpp"

#include "clawws/base/text.hpp"
#include "clawws/wire/filter.hpp"
#include "fuzz.hpp"

namespace {

using namespace clawws;

// Percent-encodes everything but letters and digits.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    out += plain ? std::string(1, c) : '%' + base::hex_encode(std::string_view(&c, 1));
  }
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const fuzz::Input input(data, size_bytes);
  const auto query = input.rest();
  const auto parsed = wire::parse_query(query);
  if (parsed) {
    FUZZ_CHECK(parsed->size() <= wire::k_max_query_parameters);
    std::size_t bytes = 0;
    std::string again;
    for (const auto& [name, value] : *parsed) {
      FUZZ_CHECK(base::is_utf8(name) && base::is_utf8(value));
      bytes += name.size() + value.size();
      again += encoded(name) + '=' + encoded(value) + '&';
    }
    FUZZ_CHECK(bytes <= query.size());
    const auto reread = wire::parse_query(again);
    FUZZ_CHECK(reread.has_value() && reread->size() == parsed->size());
    for (std::size_t i = 0; i < parsed->size(); ++i) {
      FUZZ_CHECK((*reread)[i].name == (*parsed)[i].name);
      FUZZ_CHECK((*reread)[i].value == (*parsed)[i].value);
    }
  } else {
    FUZZ_CHECK(parsed.error().code == base::Errc::bad_request);
    FUZZ_CHECK(fuzz::is_decent_text(parsed.error().message()));
  }

  const auto subscribe = wire::parse_subscribe_query(query);
  if (subscribe) {
    FUZZ_CHECK(parsed.has_value());
    if (subscribe->last) FUZZ_CHECK(*subscribe->last >= 1 && *subscribe->last <= wire::k_max_last);
  } else {
    const auto code = subscribe.error().code;
    FUZZ_CHECK(code == base::Errc::bad_request || code == base::Errc::bad_position ||
               code == base::Errc::bad_filter);
    FUZZ_CHECK(fuzz::is_decent_text(subscribe.error().message()));
  }

  const auto filter = wire::Filter::from_list(query);
  if (filter) {
    FUZZ_CHECK(filter->globs().size() <= wire::k_max_filter_globs);
    FUZZ_CHECK(wire::Filter::from_globs(filter->globs())->key() == filter->key());
    if (filter->is_everything()) FUZZ_CHECK(filter->matches("session.created"));
  } else {
    FUZZ_CHECK(fuzz::is_decent_text(filter.error().context));
  }
  return 0;
}
