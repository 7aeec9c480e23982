// What is published is found again, and nothing else is taken for it.
#include "clawws/bench/sample.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clawws/wire/event.hpp"

namespace clawws::bench {
namespace {

using Found = SampleCodec::Found;

const Sample k_sample{3, 123456, Nanos(81'273'645'112), Nanos(81'273'700'001)};

std::string published(const SampleCodec& codec, const Sample& sample = k_sample) {
  std::string text;
  codec.append(text, sample);
  return text;
}

// As a subscriber gets it.
std::string delivered(const std::string& text) {
  const auto parsed = wire::parse_events_json(text, {}, 1'771'684'200'000);
  EXPECT_TRUE(parsed.has_value());
  return parsed->events.at(0).body + ",\"seq\":8813}";
}

TEST(BenchSample, ComesBackFromTheServersCanonicalForm) {
  const SampleCodec codec("3f9c2a1e", 256, 1);
  Sample back;
  ASSERT_EQ(codec.parse(delivered(published(codec)), back), Found::sample);
  EXPECT_EQ(back.publisher, k_sample.publisher);
  EXPECT_EQ(back.number, k_sample.number);
  EXPECT_EQ(back.intended, k_sample.intended);
  EXPECT_EQ(back.actual, k_sample.actual);
}

TEST(BenchSample, HasTheSizeThatWasAskedFor) {
  for (const std::size_t size : {200U, 256U, 4096U}) {
    const SampleCodec codec("3f9c2a1e", size, 1);
    EXPECT_EQ(published(codec).size(), size);
    EXPECT_EQ(published(codec, {0, 1, Nanos(2), Nanos(3)}).size(), size);
  }
  const SampleCodec small("3f9c2a1e", 1, 1);
  EXPECT_TRUE(nlohmann::json::accept(published(small)));
  Sample back;
  EXPECT_EQ(small.parse(published(small), back), Found::sample);
}

TEST(BenchSample, EveryChangedByteOfThePayloadIsSeen) {
  const SampleCodec codec("3f9c2a1e", 220, 1);
  const std::string text = published(codec);
  const std::size_t content = text.find("\"run\"");
  for (std::size_t i = content; i + 2 < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    Sample back;
    EXPECT_NE(codec.parse(changed, back), Found::sample) << "byte " << i;
  }
}

TEST(BenchSample, ACutOneIsCorrupt) {
  const SampleCodec codec("3f9c2a1e", 220, 1);
  const std::string text = published(codec);
  Sample back;
  for (std::size_t length = text.find("\"run\""); length + 2 < text.size(); ++length)
    EXPECT_NE(codec.parse(std::string_view(text).substr(0, length), back), Found::sample) << length;
}

TEST(BenchSample, OthersAreLeftAlone) {
  const SampleCodec codec("3f9c2a1e", 220, 1), other("00000000", 220, 1);
  Sample back;
  EXPECT_EQ(codec.parse(published(other), back), Found::foreign);
  EXPECT_EQ(codec.parse(R"({"type":"auth.success","timestamp":"","payload":{}})", back),
            Found::other);
  EXPECT_EQ(codec.parse("", back), Found::other);
}

}  // namespace
}  // namespace clawws::bench
