// The dashboard's files, which are part of the library: made at build time from lib/web. Constants.
#pragma once

#include <span>
#include <string_view>

namespace clawws::server {

struct WebFile {
  std::string_view name;  // "clawws.js"
  std::string_view etag;  // with its quotes; another one whenever the content is another
  std::string_view body;
};

std::span<const WebFile> web_files() noexcept;

}  // namespace clawws::server
