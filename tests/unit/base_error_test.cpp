#include "clawws/base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <stdexcept>

#include "clawws/base/assert.hpp"

namespace clawws::base {
namespace {

TEST(BaseError, TableGivesTheDocumentedCodes) {
  EXPECT_EQ(info(Errc::bad_request).http_status, 400);
  EXPECT_EQ(info(Errc::invalid_json).http_status, 400);
  EXPECT_EQ(info(Errc::unauthorized).http_status, 401);
  EXPECT_EQ(info(Errc::forbidden).http_status, 403);
  EXPECT_EQ(info(Errc::not_found).http_status, 404);
  EXPECT_EQ(info(Errc::method_not_allowed).http_status, 405);
  EXPECT_EQ(info(Errc::conflict).http_status, 409);
  EXPECT_EQ(info(Errc::too_large).http_status, 413);
  EXPECT_EQ(info(Errc::unsupported_type).http_status, 415);
  EXPECT_EQ(info(Errc::invalid_event).http_status, 422);
  EXPECT_EQ(info(Errc::rate_limited).http_status, 429);
  EXPECT_EQ(info(Errc::unavailable).http_status, 503);
  EXPECT_EQ(info(Errc::store_full).http_status, 507);
  EXPECT_EQ(info(Errc::too_slow).close_code, 4008);
  EXPECT_EQ(info(Errc::unavailable).close_code, 1013);
  EXPECT_EQ(info(Errc::internal).close_code, 1011);
  EXPECT_EQ(info(Errc::unauthorized).close_code, 4001);
  EXPECT_EQ(info(Errc::too_large).close_code, 1009);
}

TEST(BaseError, ExitCodesAreThoseOfTheManPage) {
  EXPECT_EQ(info(Errc::internal).exit_code, 1);
  EXPECT_EQ(info(Errc::io).exit_code, 1);
  EXPECT_EQ(info(Errc::address_in_use).exit_code, 1);
  EXPECT_EQ(info(Errc::locked).exit_code, 1);
  EXPECT_EQ(info(Errc::usage).exit_code, 2);
  EXPECT_EQ(info(Errc::config).exit_code, 2);
  EXPECT_EQ(info(Errc::connect_failed).exit_code, 3);
  EXPECT_EQ(info(Errc::not_accepted).exit_code, 4);
  EXPECT_EQ(info(Errc::unauthorized).exit_code, 4);
  EXPECT_EQ(info(Errc::tls).exit_code, 5);
  EXPECT_EQ(info(Errc::protocol).exit_code, 6);
  EXPECT_EQ(info(Errc::not_found).exit_code, 6);
  EXPECT_EQ(info(Errc::events_lost).exit_code, 7);
  EXPECT_EQ(info(Errc::timed_out).exit_code, 124);
  EXPECT_EQ(info(Errc::interrupted).exit_code, 130);
}

TEST(BaseError, EveryWordIsDistinctSnakeCase) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(Errc::interrupted); ++i) {
    const ErrorInfo& row = info(static_cast<Errc>(i));
    EXPECT_EQ(row.code, static_cast<Errc>(i));
    EXPECT_TRUE(words.insert(row.word).second) << row.word;
    EXPECT_EQ(row.word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_FALSE(row.sentence.empty());
    EXPECT_NE(row.sentence.back(), '.');
    EXPECT_NE(row.exit_code, 0);
  }
}

TEST(BaseError, MessageIsTheContextOrTheSentence) {
  EXPECT_EQ(Error(Errc::locked, "state is held by process 7").message(),
            "state is held by process 7");
  EXPECT_EQ(Error(Errc::locked).message(), info(Errc::locked).sentence);
}

TEST(BaseError, ResultHoldsAValueOrAnError) {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return Error(Errc::usage, "odd");
    return n / 2;
  };
  EXPECT_EQ(half(8).value(), 4);
  ASSERT_TRUE(half(3).has_error());
  EXPECT_EQ(half(3).error().code, Errc::usage);
  EXPECT_THROW(half(3).value(), std::logic_error);
}

TEST(BaseError, ErrnoText) {
  EXPECT_EQ(errno_text(ENOENT), "No such file or directory");
}

TEST(BaseAssertDeathTest, NamesThePlaceAndAborts) {
  EXPECT_EXIT(CLAWWS_ASSERT(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "assertion failed: 1 \\+ 1 == 3 \\(.*base_error_test.cpp:");
}

}  // namespace
}  // namespace clawws::base
