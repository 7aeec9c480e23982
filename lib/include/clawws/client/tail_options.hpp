// What `clawws tail` can be told, as plain data, and the one table of its flags. Filling it in
// touches nothing outside; validate() is the last word before anything runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "clawws/base/flags.hpp"
#include "clawws/client/approach_options.hpp"
#include "clawws/client/reconnect.hpp"
#include "clawws/client/render.hpp"
#include "clawws/client/stream_tracker.hpp"

namespace clawws::client {

enum class StatusChoice : std::uint8_t { automatic, always, never };
enum class Verbosity : std::uint8_t { quiet, normal, verbose };

struct TailConfig : ApproachOptions {
  ReconnectConfig reconnect;
  StreamRequest stream;
  std::optional<base::Millis> since_ago;  // --since 10m, made a time at the start

  std::optional<OutputFormat> format;  // nothing: pretty on a terminal, else ndjson
  TimeFormat time = TimeFormat::local;
  ColorChoice color = ColorChoice::automatic;
  StatusChoice status = StatusChoice::automatic;
  Verbosity verbosity = Verbosity::normal;
  std::size_t queue_bytes = 64u << 20;

  enum class OnGap : std::uint8_t { report, exit, ignore };
  enum class Meta : std::uint8_t { none, inline_ };
  enum class End : std::uint8_t { none, caught_up };

  std::optional<std::filesystem::path> cursor_file;  // what stands in it beats since and last
  OnGap on_gap = OnGap::report;
  Meta meta = Meta::none;  // inline_: validate() has made `format` ndjson

  bool shows_state = false;  // --state
  bool follows = false;      // --follow, only with it

  std::optional<std::uint64_t> count;
  End until = End::none;                              // --until-live
  std::optional<base::Millis> run_for;                // from the first time live
  std::optional<base::Millis> timeout, idle_timeout;  // from the start
};

// The table; its setters fill `config`, which must outlive it.
CLAWWS_API base::FlagSpec tail_flags(TailConfig& config);

// After parse_flags: checks what no flag can check alone and orders the credentials' places.
// Errc::usage.
CLAWWS_API base::Result<void> validate(TailConfig& config, const base::FlagOutcome& outcome,
                                       const Environment& environment);

}  // namespace clawws::client
